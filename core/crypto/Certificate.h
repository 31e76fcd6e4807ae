#pragma once
#include "core/base/Clock.h"
#include "core/base/Result.h"
#include "core/crypto/OpenSsl.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::crypto {

enum class KeyKind : std::uint8_t { Unsupported = 0, Rsa = 1, P256 = 2, P384 = 3, P521 = 4 };
const char* keyKindName(KeyKind kind);  // "rsa" "ec" "unsupported"

// Why bytes are not a certificate that Postern takes. `code` is stable: "malformed" "too-large" "too-complex"
// "private-key" (the text holds a private key, which nobody should send) "several" (more than one certificate).
struct CertificateError {
  std::string code;
  std::string message;  // for the person who gave the bytes
};

// An X.509 certificate. Parsing is bounded before anything is computed: at most 32 KiB DER, 64 subject alternative
// names, RSA of at most 8192 bits with an exponent of at most 32 bits, named curves only.
// Invariant: immutable. Threads: safe for all. Cheap to copy.
class Certificate {
public:
  static constexpr std::size_t MaxDerSize = 32 * 1024;
  static constexpr std::size_t MaxNames = 64;

  // PEM, DER or bare base64 of DER. Exactly one certificate.
  static Result<Certificate, CertificateError> parse(std::string_view pemOrDer);

  const std::string& der() const;
  std::string pem() const;
  const std::string& fingerprint() const;  // SHA-256 of the DER, lower-case hex
  const std::string& subject() const;      // one printable line, RFC 2253
  const std::string& issuer() const;
  const std::string& serial() const;  // lower-case hex
  TimePoint notBefore() const;
  TimePoint notAfter() const;

  KeyKind keyKind() const;
  unsigned keyBits() const;
  const std::string& algorithm() const;  // "RSA 2048", "EC P-256", "ED25519"

  // Addresses that the issuer vouches for: subjectAltName rfc822Name. Only these count.
  const std::vector<std::string>& addresses() const;
  // emailAddress attributes of the subject: to be shown, never to be relied upon.
  const std::vector<std::string>& subjectAddresses() const;

  // Unset: the certificate has no such extension, so it does not limit the use.
  std::optional<std::uint32_t> keyUsage() const;  // KU_* of OpenSSL
  bool allowsEmail() const;                       // no extended key usage, or one with emailProtection or any
  bool selfSigned() const;

  const std::string& issuerAndSerial() const;  // DER, RFC 5652 §10.2.4
  const std::string& subjectKeyId() const;     // empty if the certificate has none
  bool isAuthority() const;                    // may issue certificates
  X509* handle() const;                        // lives as long as any copy of this object

private:
  struct Content;
  explicit Certificate(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  std::shared_ptr<const Content> content_;
};

// The certificates of PEM text that this process wrote. Throws Error(Store) for anything else.
std::vector<Certificate> chainOfPem(std::string_view pem);

// Compares mail addresses as certificates and lists hold them: ASCII letters of both cases are equal.
bool sameAddress(std::string_view a, std::string_view b);

// CA certificates (and revocation lists) that members' certificates must chain to.
// `authorities` is a PEM or DER file or a folder of them; `revocations` a folder of CRLs, or empty.
// A CRL that is out of date makes its issuer's certificates untrusted; an issuer without a CRL is not checked.
// Errors: load throws Error(Config or Io) naming the file. Threads: safe for all once loaded.
class TrustStore {
public:
  static TrustStore load(const std::filesystem::path& authorities, const std::filesystem::path& revocations = {});
  void trust(const Certificate& authority);  // too; one that is in it already changes nothing
  std::size_t size() const { return size_; }
  X509_STORE* handle() const { return store_.get(); }

private:
  X509StorePtr store_;
  std::size_t size_ = 0;
};

enum class CertificateState : std::uint8_t {
  Valid,
  Expired,
  NotYetValid,
  WrongAddress,
  WrongUsage,
  WeakKey,
  Untrusted,
  Revoked,
  Unsupported
};
// "valid" "expired" "not-yet-valid" "wrong-address" "wrong-usage" "weak-key" "untrusted" "revoked" "unsupported"
const char* stateName(CertificateState state);

struct CertificateCheck {
  CertificateState state = CertificateState::Unsupported;
  std::string detail;  // a sentence for the member or owner; empty when valid
  bool valid() const { return state == CertificateState::Valid; }
};

enum class CertificateUse : std::uint8_t { Encrypt, Sign };

// May mail for `address` be encrypted to this certificate now, or a signature by it count for `address`? Without a
// trust store the chain is not looked at: the certificate is trusted by the act of import or confirmation.
CertificateCheck check(const Certificate& certificate, std::string_view address, TimePoint now, const TrustStore* trust,
                       CertificateUse use = CertificateUse::Encrypt);

}  // namespace postern::crypto
