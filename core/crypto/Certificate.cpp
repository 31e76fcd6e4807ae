#include "core/crypto/Certificate.h"

#include "core/crypto/CertificateScan.h"
#include "core/crypto/Der.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace postern::crypto {

namespace {

constexpr std::size_t MaxTextSize = 2 * Certificate::MaxDerSize;
constexpr std::string_view PemBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view PemEnd = "-----END CERTIFICATE-----";

CertificateError malformed(const std::string& text = "This is not an X.509 certificate.") {
  return {"malformed", text};
}

Result<std::string, CertificateError> derOfPem(std::string_view text) {
  if (text.find("PRIVATE KEY-----") != std::string_view::npos)
    return Unexpected(CertificateError{
        "private-key", "This holds a private key. Send only the certificate, and treat this key as disclosed."});
  const auto begin = text.find(PemBegin);
  if (begin == std::string_view::npos) return Unexpected(malformed());
  text.remove_prefix(begin + PemBegin.size());
  const auto end = text.find(PemEnd);
  if (end == std::string_view::npos)
    return Unexpected(malformed("The certificate is cut short: its END line is missing."));
  if (text.find(PemBegin, end) != std::string_view::npos)
    return Unexpected(CertificateError{"several", "This holds more than one certificate. Send the one of the person."});
  auto der = fromBase64(text.substr(0, end));
  if (!der) return Unexpected(malformed());
  return std::move(*der);
}

Result<std::string, CertificateError> derOf(std::string_view input) {
  if (input.size() > MaxTextSize) return Unexpected(CertificateError{"too-large", "A certificate has at most 32 KiB."});
  if (input.find("-----BEGIN") != std::string_view::npos) return derOfPem(input);
  if (input.starts_with(static_cast<char>(der::Sequence))) return std::string(input);
  auto der = fromBase64(input);
  if (!der || der->empty()) return Unexpected(malformed());
  return std::move(*der);
}

// One line without control characters; the parts of the name in RFC 2253 order.
std::string nameText(const X509_NAME* name) {
  constexpr unsigned long Readable = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  for (const unsigned long flags : {Readable, static_cast<unsigned long>(XN_FLAG_RFC2253)}) {
    BioPtr out(check(BIO_new(BIO_s_mem()), "write a name"));
    if (X509_NAME_print_ex(out.get(), name, 0, flags) >= 0) return std::string(contentOf(out.get()));
    clearOpenSslErrors();  // text that is not what its type says: everything unusual is escaped then
  }
  return "(unreadable name)";
}

std::optional<TimePoint> timeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    clearOpenSslErrors();
    return std::nullopt;
  }
  return TimePoint(std::chrono::seconds(timegm(&parts)));
}

std::vector<std::string> subjectEmails(const X509* certificate) {
  std::vector<std::string> found;
  const auto* name = X509_get_subject_name(certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_pkcs9_emailAddress, at)) >= 0;) {
    const auto* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                static_cast<std::size_t>(ASN1_STRING_length(value)));
    if (std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; })) found.emplace_back(text);
  }
  return found;
}

KeyKind kindOf(EVP_PKEY* key) {
  if (!key) return KeyKind::Unsupported;
  if (EVP_PKEY_is_a(key, "RSA")) return KeyKind::Rsa;
  if (!EVP_PKEY_is_a(key, "EC")) return KeyKind::Unsupported;
  std::array<char, 64> group{};
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return KeyKind::Unsupported;
  const std::string_view name(group.data());
  if (name == SN_X9_62_prime256v1) return KeyKind::P256;
  if (name == SN_secp384r1) return KeyKind::P384;
  if (name == SN_secp521r1) return KeyKind::P521;
  return KeyKind::Unsupported;
}

std::string algorithmOf(EVP_PKEY* key, KeyKind kind) {
  switch (kind) {
    case KeyKind::Rsa:
      return "RSA " + std::to_string(EVP_PKEY_get_bits(key));
    case KeyKind::P256:
      return "EC P-256";
    case KeyKind::P384:
      return "EC P-384";
    case KeyKind::P521:
      return "EC P-521";
    case KeyKind::Unsupported:
      break;
  }
  const char* name = key ? EVP_PKEY_get0_type_name(key) : nullptr;
  return name ? name : "unknown";
}

}  // namespace

struct Certificate::Content {
  X509Ptr x509;
  std::string der;
  std::string fingerprint;
  std::string subject;
  std::string issuer;
  std::string serial;
  TimePoint notBefore;
  TimePoint notAfter;
  KeyKind keyKind = KeyKind::Unsupported;
  unsigned keyBits = 0;
  std::string algorithm;
  std::vector<std::string> addresses;
  std::vector<std::string> subjectAddresses;
  std::uint32_t flags = 0;
  std::string issuerAndSerial;
  std::string subjectKeyId;
};

const char* keyKindName(KeyKind kind) {
  switch (kind) {
    case KeyKind::Rsa:
      return "rsa";
    case KeyKind::P256:
    case KeyKind::P384:
    case KeyKind::P521:
      return "ec";
    case KeyKind::Unsupported:
      break;
  }
  return "unsupported";
}

Result<Certificate, CertificateError> Certificate::parse(std::string_view pemOrDer) {
  auto der = derOf(pemOrDer);
  if (!der) return Unexpected(der.error());
  if (der->size() > MaxDerSize) return Unexpected(CertificateError{"too-large", "A certificate has at most 32 KiB."});
  auto content = std::make_shared<Content>();
  content->der = std::move(*der);
  auto scan = scanCertificate(content->der);
  if (!scan) return Unexpected(scan.error());

  const unsigned char* at = bytesOf(content->der);
  content->x509.reset(d2i_X509(nullptr, &at, static_cast<long>(content->der.size())));
  if (!content->x509 || at != bytesOf(content->der) + content->der.size()) {
    clearOpenSslErrors();
    return Unexpected(malformed());
  }
  X509* x509 = content->x509.get();
  content->flags = X509_get_extension_flags(x509);
  const auto notBefore = timeOf(X509_get0_notBefore(x509));
  const auto notAfter = timeOf(X509_get0_notAfter(x509));
  clearOpenSslErrors();
  if (!notBefore || !notAfter) return Unexpected(malformed());
  content->notBefore = *notBefore;
  content->notAfter = *notAfter;

  EVP_PKEY* key = X509_get0_pubkey(x509);
  content->keyKind = kindOf(key);
  content->keyBits = key ? static_cast<unsigned>(std::max(EVP_PKEY_get_bits(key), 0)) : 0;
  content->algorithm = algorithmOf(key, content->keyKind);
  clearOpenSslErrors();  // an unknown key algorithm is no failure
  content->fingerprint = hex(sha256(content->der));
  content->subject = nameText(X509_get_subject_name(x509));
  content->issuer = nameText(X509_get_issuer_name(x509));
  content->serial = hex(scan->serialBytes);
  content->addresses = std::move(scan->addresses);
  content->subjectAddresses = subjectEmails(x509);
  content->issuerAndSerial = der::item(der::Sequence, std::string(scan->issuer).append(scan->serial));
  if (const auto* id = X509_get0_subject_key_id(x509))
    content->subjectKeyId.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(id)),
                                 static_cast<std::size_t>(ASN1_STRING_length(id)));
  return Certificate(std::move(content));
}

const std::string& Certificate::der() const {
  return content_->der;
}
std::string Certificate::pem() const {
  std::string text(PemBegin);
  text.push_back('\n');
  const auto body = base64(content_->der);
  for (std::size_t at = 0; at < body.size(); at += 64) text.append(body.substr(at, 64)).push_back('\n');
  return text.append(PemEnd).append("\n");
}
const std::string& Certificate::fingerprint() const {
  return content_->fingerprint;
}
const std::string& Certificate::subject() const {
  return content_->subject;
}
const std::string& Certificate::issuer() const {
  return content_->issuer;
}
const std::string& Certificate::serial() const {
  return content_->serial;
}
TimePoint Certificate::notBefore() const {
  return content_->notBefore;
}
TimePoint Certificate::notAfter() const {
  return content_->notAfter;
}
bool Certificate::isAuthority() const {
  return X509_check_ca(content_->x509.get()) == 1;
}

KeyKind Certificate::keyKind() const {
  return content_->keyKind;
}
unsigned Certificate::keyBits() const {
  return content_->keyBits;
}
const std::string& Certificate::algorithm() const {
  return content_->algorithm;
}
const std::vector<std::string>& Certificate::addresses() const {
  return content_->addresses;
}
const std::vector<std::string>& Certificate::subjectAddresses() const {
  return content_->subjectAddresses;
}
const std::string& Certificate::issuerAndSerial() const {
  return content_->issuerAndSerial;
}
const std::string& Certificate::subjectKeyId() const {
  return content_->subjectKeyId;
}
X509* Certificate::handle() const {
  return content_->x509.get();
}

std::optional<std::uint32_t> Certificate::keyUsage() const {
  if (!(content_->flags & EXFLAG_KUSAGE)) return std::nullopt;
  return X509_get_key_usage(handle());
}

bool Certificate::allowsEmail() const {
  if (!(content_->flags & EXFLAG_XKUSAGE)) return true;
  return (X509_get_extended_key_usage(handle()) & (XKU_SMIME | XKU_ANYEKU)) != 0;
}

bool Certificate::selfSigned() const {
  return (content_->flags & EXFLAG_SS) != 0;
}

}  // namespace postern::crypto
