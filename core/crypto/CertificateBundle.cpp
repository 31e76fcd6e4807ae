#include "core/crypto/CertificateBundle.h"

#include "core/base/Error.h"
#include "core/crypto/Der.h"
#include "core/crypto/Encoding.h"

#include <openssl/x509_vfy.h>

#include <algorithm>

namespace postern::crypto {
namespace {

using Bundle = Result<std::vector<Certificate>, CertificateError>;

constexpr std::uint8_t ContextTag0 = 0xA0;
constexpr std::string_view SignedDataId("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9);
constexpr std::string_view DataId("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 9);
constexpr std::string_view VersionThree("\x03", 1);
constexpr int SecurityLevel = 2;
constexpr int MaxDepth = 8;

struct StackFree {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), StackFree>;

Unexpected<CertificateError> refusal(std::string code, std::string message) {
  return Unexpected(CertificateError{std::move(code), std::move(message)});
}

Unexpected<CertificateError> privateKey() {
  return refusal(
      "private-key",
      "This holds a private key. Postern never takes one: give the certificates alone, and treat this key as "
      "disclosed if it was sent by mail.");
}

Result<bool, CertificateError> addOne(std::vector<Certificate>& found, std::string_view bytes) {
  if (found.size() == MaxBundled)
    return refusal("too-complex", "There are more than " + std::to_string(MaxBundled) + " certificates in it.");
  auto certificate = Certificate::parse(bytes);
  if (!certificate) return Unexpected(certificate.error());
  found.push_back(std::move(*certificate));
  return true;
}

// RFC 5652 §5.1: ContentInfo { signedData, [0] SignedData { version, digests, content, [0] certificates … } }.
std::optional<std::string_view> certificatesOfPkcs7(std::string_view der) {
  const auto outer = der::single(der, der::Sequence);
  if (!outer) return std::nullopt;
  der::Reader info(outer->content);
  const auto type = info.next(der::ObjectId);
  const auto content = info.next(ContextTag0);
  if (!type || type->content != SignedDataId || !content) return std::nullopt;
  const auto data = der::single(content->content, der::Sequence);
  if (!data) return std::nullopt;
  der::Reader parts(data->content);
  if (!parts.next(der::Integer) || !parts.next(der::Set) || !parts.next(der::Sequence)) return std::nullopt;
  const auto certificates = parts.nextIf(ContextTag0);
  return certificates ? certificates->content : std::string_view();
}

Bundle parsePkcs7(std::string_view certificates) {
  std::vector<Certificate> found;
  der::Reader reader(certificates);
  while (!reader.atEnd()) {
    const auto item = reader.next();
    if (!item) return refusal("malformed", "The certificates in it are damaged.");
    if (item->tag != der::Sequence) continue;  // forms of certificates that nobody uses
    if (const auto added = addOne(found, item->whole); !added) return Unexpected(added.error());
  }
  if (found.empty()) return refusal("malformed", "There is no certificate in it.");
  return found;
}

// The blocks of PEM text, by their label.
Bundle parsePem(std::string_view text) {
  if (text.find("PRIVATE KEY-----") != std::string_view::npos) return privateKey();
  constexpr std::string_view Begin = "-----BEGIN ", Dashes = "-----";
  std::vector<Certificate> found;
  for (std::size_t at = text.find(Begin); at != std::string_view::npos; at = text.find(Begin, at)) {
    const auto nameEnd = text.find(Dashes, at + Begin.size());
    if (nameEnd == std::string_view::npos) break;
    const std::string label(text.substr(at + Begin.size(), nameEnd - at - Begin.size()));
    const auto body = nameEnd + Dashes.size();
    const auto end = text.find("-----END " + label, body);
    if (end == std::string_view::npos)
      return refusal("malformed", "A block in it is cut short: its END line is missing.");
    const auto der = fromBase64(text.substr(body, end - body));
    at = end + 1;
    if (label != "CERTIFICATE" && label != "TRUSTED CERTIFICATE" && label != "PKCS7" && label != "CMS") continue;
    if (!der) return refusal("malformed", "A block in it is damaged.");
    if (label != "PKCS7" && label != "CMS") {
      if (const auto added = addOne(found, *der); !added) return Unexpected(added.error());
      continue;
    }
    const auto inner = certificatesOfPkcs7(*der);
    if (!inner) return refusal("malformed", "The PKCS#7 in it holds no certificates.");
    return parsePkcs7(*inner);
  }
  if (found.empty()) return refusal("malformed", "There is no certificate in it.");
  return found;
}

std::string missing(const Certificate& last) {
  return "The chain ends at a certificate of " + last.issuer() +
         ", which is not among the CA certificates given: give that one, too.";
}

bool names(const std::vector<Certificate>& chain, X509* authority) {
  return std::any_of(chain.begin(), chain.end(),
                     [&](const Certificate& each) { return X509_cmp(each.handle(), authority) == 0; });
}

}  // namespace

bool isPkcs12(std::string_view der) {
  const auto outer = der::single(der, der::Sequence);
  if (!outer) return false;
  der::Reader parts(outer->content);
  const auto version = parts.next(der::Integer);
  if (!version || version->content != VersionThree) return false;
  const auto info = parts.next(der::Sequence);
  if (!info) return false;
  const auto type = der::Reader(info->content).next(der::ObjectId);
  return type && (type->content == DataId || type->content == SignedDataId);
}

Result<std::vector<Certificate>, CertificateError> parseCertificates(std::string_view bytes) {
  if (bytes.size() > MaxBundleSize) return refusal("too-large", "A file of certificates has at most 256 KiB.");
  if (bytes.find("-----BEGIN") != std::string_view::npos) return parsePem(bytes);
  std::string der(bytes);
  if (!bytes.starts_with(static_cast<char>(der::Sequence))) {
    auto decoded = fromBase64(bytes);
    if (!decoded) return refusal("malformed", "This is neither PEM nor DER.");
    der = std::move(*decoded);
  }
  if (isPkcs12(der)) return privateKey();
  if (const auto certificates = certificatesOfPkcs7(der)) return parsePkcs7(*certificates);
  std::vector<Certificate> found;
  if (const auto added = addOne(found, der); !added) return Unexpected(added.error());
  return found;
}

Result<std::vector<Certificate>, CertificateError> chainOf(const Certificate& leaf,
                                                           const std::vector<Certificate>& others, TimePoint now,
                                                           const TrustStore* trust) {
  const StackPtr untrusted(check(sk_X509_new_null(), "check a certificate chain"));
  const X509StorePtr own(check(X509_STORE_new(), "check a certificate chain"));
  for (const auto& other : others) {
    if (other.fingerprint() == leaf.fingerprint()) continue;
    check(sk_X509_push(untrusted.get(), other.handle()), "check a certificate chain");
    check(X509_STORE_add_cert(own.get(), other.handle()), "check a certificate chain");
  }
  const X509StoreContextPtr context(check(X509_STORE_CTX_new(), "check a certificate chain"));
  check(X509_STORE_CTX_init(context.get(), trust ? trust->handle() : own.get(), leaf.handle(), untrusted.get()),
        "check a certificate chain");
  auto* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  X509_VERIFY_PARAM_set_depth(parameters, MaxDepth);
  X509_VERIFY_PARAM_set_auth_level(parameters, SecurityLevel);
  if (!trust) check(X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN), "check a certificate chain");
  check(X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SMIME_SIGN), "check a certificate chain");
  const bool verified = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  clearOpenSslErrors();
  if (!verified) {
    const bool ends = error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
                      error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
                      error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
    if (ends && !trust) return refusal("incomplete", missing(leaf));
    return refusal("untrusted", std::string("The chain does not hold: ") + X509_verify_cert_error_string(error) + ".");
  }
  // With partial chains OpenSSL stops at the nearest; what lies above it is taken along as far as it was given.
  std::vector<Certificate> chain;
  const auto* const found = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 1; i < sk_X509_num(found); ++i)
    for (const auto& other : others)
      if (X509_cmp(other.handle(), sk_X509_value(found, i)) == 0 && !names(chain, other.handle()))
        chain.push_back(other);
  for (bool grew = !chain.empty(); grew && !chain.back().selfSigned();) {
    grew = false;
    for (const auto& other : others) {
      if (names(chain, other.handle()) || other.subject() != chain.back().issuer()) continue;
      if (X509_verify(chain.back().handle(), X509_get0_pubkey(other.handle())) != 1) continue;
      chain.push_back(other);
      grew = true;
      break;
    }
    clearOpenSslErrors();
  }
  return chain;
}

std::vector<Certificate> chainOfPem(std::string_view pem) {
  if (pem.empty()) return {};
  auto chain = parseCertificates(pem);
  if (!chain) throw Error(ErrorKind::Store, "a stored chain of certificates cannot be read: " + chain.error().message);
  return std::move(*chain);
}

}  // namespace postern::crypto
