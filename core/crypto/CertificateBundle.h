#pragma once
#include "core/crypto/Certificate.h"

#include <string_view>
#include <vector>

namespace postern::crypto {

// Certificates as a CA hands them out: PEM with any number of them, one as DER, or PKCS#7 without content (.p7b, DER or
// PEM). Bounded before anything is computed: at most 256 KiB and 12 certificates, each with the bounds of Certificate.
// A file with a private key is refused with the code "private-key": PEM and PKCS#12 (.p12, .pfx).
constexpr std::size_t MaxBundleSize = 256 * 1024;
constexpr std::size_t MaxBundled = 12;
Result<std::vector<Certificate>, CertificateError> parseCertificates(std::string_view bytes);

// Whether bytes are PKCS#12: certificates together with private keys.
bool isPkcs12(std::string_view der);

// The certificates of `others` that lead from `leaf` upwards, nearest first, each signature verified and every one
// valid at `now` and allowed to issue for mail. With `trust`, the last must be in it or issued by one of it; without,
// at least the issuer of `leaf` must be among `others`. The error says what is missing.
Result<std::vector<Certificate>, CertificateError> chainOf(const Certificate& leaf,
                                                           const std::vector<Certificate>& others, TimePoint now,
                                                           const TrustStore* trust);

}  // namespace postern::crypto
