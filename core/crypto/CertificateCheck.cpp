#include "core/base/Error.h"
#include "core/crypto/Certificate.h"

#include <openssl/core_names.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>

namespace postern::crypto {

namespace {

constexpr int MaxChainDepth = 8;
constexpr int SecurityLevel = 2;  // no SHA-1 or RSA below 2048 bits in a chain
constexpr unsigned MinRsaBits = 2048;
constexpr unsigned MaxRsaBits = 8192;

char lower(char c) {
  return (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
}

// Keys that are no RSA keys at all, or whose messages can be opened by others. Cheap on purpose: no primality tests
// with numbers that a stranger chose.
std::optional<std::string> rsaWeakness(const Certificate& certificate) {
  if (certificate.keyBits() < MinRsaBits)
    return "The RSA key has " + std::to_string(certificate.keyBits()) + " bits; at least 2048 are needed.";
  EVP_PKEY* key = X509_get0_pubkey(certificate.handle());
  BIGNUM* n = nullptr;
  BIGNUM* e = nullptr;
  check(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), "read an RSA key");
  const BignumPtr modulus(n);
  check(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e), "read an RSA key");
  const BignumPtr exponent(e);
  if (!BN_is_odd(exponent.get()) || BN_num_bits(exponent.get()) < 17)
    return "The RSA key's public exponent is not safe; 65537 is the usual one.";
  for (unsigned long divisor = 2; divisor < 752; ++divisor)
    if (BN_mod_word(modulus.get(), divisor) == 0) return "The RSA key is damaged: its modulus has a small factor.";
  return std::nullopt;
}

// Two certificates of one such digest can be made on purpose: what the issuer signed may not be what is shown. A chain
// is looked at by OpenSSL; this also counts where a certificate is trusted by the act of import.
std::optional<std::string> weakDigest(const Certificate& certificate) {
  constexpr std::array Weak = {NID_sha1, NID_md5, NID_md5_sha1, NID_md4, NID_md2, NID_ripemd160};
  int digest = NID_undef;
  X509_get_signature_info(certificate.handle(), &digest, nullptr, nullptr, nullptr);
  clearOpenSslErrors();
  if (std::find(Weak.begin(), Weak.end(), digest) == Weak.end()) return std::nullopt;
  return "It is signed by " + std::string(digest == NID_sha1 ? "SHA-1" : OBJ_nid2sn(digest)) +
         ", which does not bind any more; SHA-256 is the usual one.";
}

bool usageAllows(const Certificate& certificate, CertificateUse use) {
  const auto usage = certificate.keyUsage();
  if (!usage) return true;
  const auto encrypts = certificate.keyKind() == KeyKind::Rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT;
  const auto wanted = use == CertificateUse::Encrypt ? encrypts : KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
  return (*usage & static_cast<std::uint32_t>(wanted)) != 0;
}

// A CA that is limited to other purposes cannot vouch for mail; X509_PURPOSE_ANY does not look.
bool chainAllowsEmail(const STACK_OF(X509) * chain) {
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    X509* authority = sk_X509_value(chain, i);
    if ((X509_get_extension_flags(authority) & EXFLAG_XKUSAGE) &&
        !(X509_get_extended_key_usage(authority) & (XKU_SMIME | XKU_ANYEKU)))
      return false;
  }
  return true;
}

// An issuer for which no CRL was given is not checked; everything else about CRLs counts.
int skipMissingCrl(int ok, X509_STORE_CTX* context) {
  return ok || X509_STORE_CTX_get_error(context) == X509_V_ERR_UNABLE_TO_GET_CRL;
}

CertificateCheck checkChain(const Certificate& certificate, TimePoint now, const TrustStore& trust) {
  X509StoreContextPtr context(check(X509_STORE_CTX_new(), "check a certificate chain"));
  check(X509_STORE_CTX_init(context.get(), trust.handle(), certificate.handle(), nullptr), "check a certificate chain");
  auto* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  X509_VERIFY_PARAM_set_depth(parameters, MaxChainDepth);
  X509_VERIFY_PARAM_set_auth_level(parameters, SecurityLevel);
  check(X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY), "check a certificate chain");
  X509_STORE_CTX_set_verify_cb(context.get(), skipMissingCrl);
  const bool verified = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  clearOpenSslErrors();
  if (error == X509_V_ERR_CERT_REVOKED) return {CertificateState::Revoked, "The issuer has revoked the certificate."};
  if (!verified)
    return {CertificateState::Untrusted, std::string("The certificate does not lead to a trusted authority: ") +
                                             X509_verify_cert_error_string(error) + "."};
  if (!chainAllowsEmail(X509_STORE_CTX_get0_chain(context.get())))
    return {CertificateState::Untrusted, "An authority in the chain may not issue certificates for mail."};
  return {CertificateState::Valid, ""};
}

std::string addressDetail(const Certificate& certificate, std::string_view address) {
  for (const auto& other : certificate.subjectAddresses())
    if (sameAddress(other, address))
      return "The certificate names " + std::string(address) +
             " only in its subject, which does not count; it must be a subject alternative name.";
  if (certificate.addresses().empty()) return "The certificate names no mail address.";
  return "The certificate is for " + certificate.addresses().front() + ", not for " + std::string(address) + ".";
}

}  // namespace

bool sameAddress(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

const char* stateName(CertificateState state) {
  switch (state) {
    case CertificateState::Valid:
      return "valid";
    case CertificateState::Expired:
      return "expired";
    case CertificateState::NotYetValid:
      return "not-yet-valid";
    case CertificateState::WrongAddress:
      return "wrong-address";
    case CertificateState::WrongUsage:
      return "wrong-usage";
    case CertificateState::WeakKey:
      return "weak-key";
    case CertificateState::Untrusted:
      return "untrusted";
    case CertificateState::Revoked:
      return "revoked";
    case CertificateState::Unsupported:
      break;
  }
  return "unsupported";
}

CertificateCheck check(const Certificate& certificate, std::string_view address, TimePoint now, const TrustStore* trust,
                       CertificateUse use) {
  const auto flags = X509_get_extension_flags(certificate.handle());
  if (certificate.keyKind() == KeyKind::Unsupported)
    return {CertificateState::Unsupported, "Its key algorithm is not supported: " + certificate.algorithm() + "."};
  if (flags & EXFLAG_INVALID) return {CertificateState::Unsupported, "Its extensions contradict the standard."};
  if (flags & EXFLAG_CRITICAL) return {CertificateState::Unsupported, "It has a critical extension that is not known."};
  if (certificate.keyKind() == KeyKind::Rsa) {
    if (certificate.keyBits() > MaxRsaBits)
      return {CertificateState::Unsupported, "RSA keys of more than 8192 bits are not supported."};
    if (auto weakness = rsaWeakness(certificate)) return {CertificateState::WeakKey, *weakness};
  }
  if (auto weakness = weakDigest(certificate)) return {CertificateState::WeakKey, *weakness};
  const auto& names = certificate.addresses();
  if (std::none_of(names.begin(), names.end(), [&](const auto& name) { return sameAddress(name, address); }))
    return {CertificateState::WrongAddress, addressDetail(certificate, address)};
  if (!usageAllows(certificate, use))
    return {CertificateState::WrongUsage, use == CertificateUse::Encrypt ? "Its key usage does not allow encryption."
                                                                         : "Its key usage does not allow signing."};
  if (!certificate.allowsEmail())
    return {CertificateState::WrongUsage, "Its extended key usage does not allow mail protection."};
  if (now < certificate.notBefore())
    return {CertificateState::NotYetValid, "It is valid from " + formatRfc3339(certificate.notBefore()) + "."};
  if (now > certificate.notAfter())
    return {CertificateState::Expired, "It expired on " + formatRfc3339(certificate.notAfter()) + "."};
  if (trust) return checkChain(certificate, now, *trust);
  return {CertificateState::Valid, ""};
}

}  // namespace postern::crypto
