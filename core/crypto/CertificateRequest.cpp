#include "core/crypto/CertificateRequest.h"

#include "core/base/Error.h"

#include <openssl/pem.h>

#include <algorithm>

namespace postern::crypto {
namespace {

using RequestPtr = OpenSslPtr<X509_REQ, &X509_REQ_free>;
using NamesPtr = OpenSslPtr<GENERAL_NAMES, &GENERAL_NAMES_free>;
using NamePtr = OpenSslPtr<GENERAL_NAME, &GENERAL_NAME_free>;
using Pkcs8Ptr = OpenSslPtr<PKCS8_PRIV_KEY_INFO, &PKCS8_PRIV_KEY_INFO_free>;
struct ExtensionsFree {
  void operator()(STACK_OF(X509_EXTENSION) * list) const { sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free); }
};
using Extensions = std::unique_ptr<STACK_OF(X509_EXTENSION), ExtensionsFree>;

constexpr std::size_t MaxCommonName = 64;  // RFC 5280 ub-common-name
constexpr const char* Doing = "make a certificate request";

void push(Extensions& list, X509ExtensionPtr extension) {
  check(sk_X509_EXTENSION_push(list.get(), extension.get()), Doing);
  static_cast<void>(extension.release());
}

// As an object and not from OpenSSL's configuration text, where a comma in the name would add another one.
X509ExtensionPtr nameExtension(std::string_view address) {
  const NamesPtr names(check(GENERAL_NAMES_new(), Doing));
  NamePtr name(check(GENERAL_NAME_new(), Doing));
  ASN1_STRING* value = check(ASN1_IA5STRING_new(), Doing);
  GENERAL_NAME_set0_value(name.get(), GEN_EMAIL, value);
  check(ASN1_STRING_set(value, address.data(), static_cast<int>(address.size())), Doing);
  check(sk_GENERAL_NAME_push(names.get(), name.get()), Doing);
  static_cast<void>(name.release());
  return X509ExtensionPtr(check(X509V3_EXT_i2d(NID_subject_alt_name, 0, names.get()), Doing));
}

Secret pkcs8(EVP_PKEY* key) {
  const Pkcs8Ptr info(check(EVP_PKEY2PKCS8(key), "write a private key"));
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  check(size, "write a private key");
  auto secret = Secret::ofSize(static_cast<std::size_t>(size));
  unsigned char* at = secret.data();
  check(i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at), "write a private key");
  return secret;
}

}  // namespace

CertificateRequest makeCertificateRequest(std::string_view address) {
  if (address.find('@') == std::string_view::npos || address.size() > 254 ||
      !std::all_of(address.begin(), address.end(), [](char c) { return c > ' ' && c <= '~'; }))
    throw Error(ErrorKind::Crypto,
                "cannot request a certificate for '" + std::string(address) + "': it is no ASCII mail address");
  const PkeyPtr key(
      check(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(2048)), "make an RSA key"));
  const RequestPtr request(check(X509_REQ_new(), Doing));
  const auto commonName = address.substr(0, MaxCommonName);
  check(X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request.get()), NID_commonName, MBSTRING_UTF8,
                                   bytesOf(commonName), static_cast<int>(commonName.size()), -1, 0),
        Doing);
  check(X509_REQ_set_pubkey(request.get(), key.get()), Doing);
  Extensions extensions(check(sk_X509_EXTENSION_new_null(), Doing));
  push(extensions, nameExtension(address));
  for (const auto& [nid, value] : {std::pair{NID_key_usage, "critical,digitalSignature,keyEncipherment"},
                                   std::pair{NID_ext_key_usage, "emailProtection"}})
    push(extensions, X509ExtensionPtr(check(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value), Doing)));
  check(X509_REQ_add_extensions(request.get(), extensions.get()), Doing);
  check(X509_REQ_sign(request.get(), key.get(), sha256Algorithm()), Doing);
  const BioPtr out(check(BIO_new(BIO_s_mem()), Doing));
  check(PEM_write_bio_X509_REQ(out.get(), request.get()), Doing);
  return {std::string(contentOf(out.get())), pkcs8(key.get())};
}

bool belongsTo(const Certificate& certificate, const Secret& privateKeyDer) {
  const unsigned char* at = privateKeyDer.data();
  const PkeyPtr key(
      check(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(privateKeyDer.size())), "read a private key"));
  const bool same = X509_check_private_key(certificate.handle(), key.get()) == 1;
  clearOpenSslErrors();
  return same;
}

}  // namespace postern::crypto
