#pragma once
#include "core/crypto/Certificate.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::crypto {

// What is read from a certificate's DER before OpenSSL sees it: the bounds of attacks by crypto objects (huge RSA,
// explicit curves, thousands of names) are checked here, where nothing is computed yet.
struct CertificateScan {
  std::string_view issuer;  // DER of the name
  std::string_view serial;  // DER of the integer
  std::string_view serialBytes;
  std::vector<std::string> addresses;  // subjectAltName rfc822Name
};

Result<CertificateScan, CertificateError> scanCertificate(std::string_view der);

}  // namespace postern::crypto
