#include "core/net/ClientCertificate.h"

#include "core/crypto/Certificate.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

namespace postern::net {

namespace {

struct NamesFree {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// A NUL or any other byte that no host name has makes it none: "mx.example.org\0.evil.example" is nobody's.
std::optional<std::string> hostName(const ASN1_IA5STRING* text) {
  const auto* bytes = ASN1_STRING_get0_data(text);
  const auto length = ASN1_STRING_length(text);
  std::string name;
  for (int i = 0; i < length; ++i) {
    const char c = static_cast<char>(bytes[i]);
    name += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  if (name.empty() || name.size() > 253 ||
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") != std::string::npos)
    return std::nullopt;
  return name;
}

std::vector<std::string> namesOf(X509* certificate) {
  std::vector<std::string> found;
  const std::unique_ptr<GENERAL_NAMES, NamesFree> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    if (auto host = hostName(name->d.dNSName)) found.push_back(std::move(*host));
  }
  return found;
}

}  // namespace

std::string ClientCertificate::outOfTime(TimePoint now) const {
  if (now > notAfter) return "expired on " + formatRfc3339(notAfter).substr(0, 10);
  if (now < notBefore) return "not valid before " + formatRfc3339(notBefore).substr(0, 10);
  return {};
}

std::optional<ClientCertificate> clientCertificateOf(const ssl_st* ssl, long verifyError) {
  const std::unique_ptr<X509, X509Free> sent(SSL_get1_peer_certificate(ssl));
  if (!sent) return std::nullopt;
  unsigned char* bytes = nullptr;
  const int length = i2d_X509(sent.get(), &bytes);
  if (length <= 0) return std::nullopt;
  const std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  const auto parsed = crypto::Certificate::parse(der);
  if (!parsed) return std::nullopt;
  ClientCertificate peer;
  peer.fingerprint = parsed->fingerprint();
  peer.subject = parsed->subject();
  peer.issuer = parsed->issuer();
  peer.notBefore = parsed->notBefore();
  peer.notAfter = parsed->notAfter();
  peer.names = namesOf(sent.get());
  peer.trusted = verifyError == X509_V_OK;
  if (!peer.trusted) peer.distrust = X509_verify_cert_error_string(verifyError);
  return peer;
}

}  // namespace postern::net
