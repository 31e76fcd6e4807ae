#pragma once
#include "core/base/Secret.h"
#include "core/crypto/Certificate.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::crypto {

// A private key with its certificate, with which a list signs what it sends. RSA 2048, because every S/MIME program
// verifies it (Outlook, Apple Mail, Thunderbird, gpgsm), P-256 not.
// Threads: safe for all. Cheap to copy. Errors: all throw Error(Crypto).
class SigningIdentity {
public:
  // A self-signed certificate with the list's address as rfc822Name, for signing and for encryption to the list.
  static SigningIdentity create(std::string_view listAddress, TimePoint now, std::chrono::days lifetime);
  static SigningIdentity import(std::string_view certificateDer, const Secret& privateKeyDer);

  // The same with certificates of the CA, nearest first, that go into what it signs.
  SigningIdentity withChain(std::vector<Certificate> chain) const;

  const Certificate& certificate() const { return certificate_; }
  const std::vector<Certificate>& chain() const { return chain_; }
  Secret exportPrivateKey() const;  // PKCS#8 DER
  EVP_PKEY* privateKey() const { return key_.get(); }

private:
  SigningIdentity(Certificate certificate, PkeyPtr key) : certificate_(std::move(certificate)), key_(std::move(key)) {}
  Certificate certificate_;
  std::shared_ptr<EVP_PKEY> key_;
  std::vector<Certificate> chain_;
};

// The TLS certificate that `postern init` makes until the administrator installs a real one: P-256, self-signed.
struct TlsIdentity {
  std::string certificatePem;
  Secret privateKeyPem;
};
TlsIdentity makeSelfSignedTls(std::string_view hostName, TimePoint now,
                              std::chrono::days lifetime = std::chrono::days(825));

}  // namespace postern::crypto
