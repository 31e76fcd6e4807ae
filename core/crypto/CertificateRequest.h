#pragma once
#include "core/base/Secret.h"
#include "core/crypto/Certificate.h"

#include <string>
#include <string_view>

namespace postern::crypto {

// A request to a CA for an S/MIME certificate (PKCS#10, RFC 2986) with the private key it was made with: RSA 2048, as
// the lists' own certificates (SigningIdentity says why). It names the address as common name and as rfc822Name, and
// asks for signing, key encipherment and mail protection.
struct CertificateRequest {
  std::string pem;
  Secret privateKey;  // PKCS#8 DER
};

// Errors: throws Error(Crypto) for what is no ASCII mail address.
CertificateRequest makeCertificateRequest(std::string_view address);

// Whether the certificate is for the public key of this private key.
bool belongsTo(const Certificate& certificate, const Secret& privateKeyDer);

}  // namespace postern::crypto
