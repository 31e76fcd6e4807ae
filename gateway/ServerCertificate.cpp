#include "gateway/ServerCertificate.h"

#include "core/base/Files.h"

namespace postern::gateway {

Result<crypto::Certificate, crypto::CertificateError> serverCertificate(const config::SiteConfig& config) {
  return firstCertificate(config.path(config.certificate));
}

Result<crypto::Certificate, crypto::CertificateError> firstCertificate(const std::filesystem::path& file) {
  constexpr std::string_view End = "-----END CERTIFICATE-----";
  const auto text = files::read(file);
  const auto end = text.find(End);
  return crypto::Certificate::parse(end == std::string::npos ? text : text.substr(0, end + End.size()) + "\n");
}

}  // namespace postern::gateway
