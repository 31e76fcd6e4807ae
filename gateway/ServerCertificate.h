#pragma once
#include "core/config/SiteConfig.h"
#include "core/crypto/Certificate.h"

#include <filesystem>

namespace postern::gateway {

// The certificate that the mail ports serve: the first in the file, which may hold its chain behind it.
// Throws Error(Io) when the file cannot be read.
Result<crypto::Certificate, crypto::CertificateError> serverCertificate(const config::SiteConfig& config);

// Likewise of any such file.
Result<crypto::Certificate, crypto::CertificateError> firstCertificate(const std::filesystem::path& file);

}  // namespace postern::gateway
