#pragma once
#include "core/base/Error.h"
#include "core/crypto/Certificate.h"
#include "core/crypto/OpenSsl.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

// Certificates of every kind for tests, made in the program so that no private key lies in the tree.
namespace postern::test {

using namespace postern::crypto;

inline const TimePoint TestNow{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};

// "rsa1024" "rsa2048" … "P-256" … "ED25519". Made once per program, since RSA keys take long.
inline EVP_PKEY* testKey(const std::string& kind, int number = 0) {
  static std::map<std::pair<std::string, int>, PkeyPtr> keys;
  auto& key = keys[{kind, number}];
  if (!key) {
    if (kind.starts_with("rsa"))
      key.reset(EVP_RSA_gen(static_cast<unsigned>(std::stoi(kind.substr(3)))));
    else if (kind == "ED25519")
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    else
      key.reset(EVP_EC_gen(kind.c_str()));
    check(key.get(), "make a key for a test");
  }
  return key.get();
}

// An RSA "key" of any numbers, as an attacker would make it.
inline PkeyPtr rsaKeyOf(const BIGNUM* modulus, const BIGNUM* exponent) {
  const OpenSslPtr<OSSL_PARAM_BLD, &OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent);
  const OpenSslPtr<OSSL_PARAM, &OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY_fromdata_init(context.get());
  EVP_PKEY* key = nullptr;
  check(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()), "make an odd RSA key");
  return PkeyPtr(key);
}

struct TestCertificate {
  std::string commonName = "Anna Example";
  std::vector<std::string> addresses{"anna@example.org"};
  std::string subjectEmail;
  TimePoint notBefore = TestNow - std::chrono::days(10);
  TimePoint notAfter = TestNow + std::chrono::days(300);
  std::vector<std::pair<int, std::string>> extensions;  // NID and value of OpenSSL's configuration language
  EVP_PKEY* key = nullptr;
  X509* issuer = nullptr;  // unset: self-signed
  EVP_PKEY* issuerKey = nullptr;
  const EVP_MD* digest = EVP_sha256();
  long serial = 4711;

  X509Ptr make() const {
    X509Ptr x509(X509_new());
    X509_set_version(x509.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), serial);
    const auto seconds = [](TimePoint t) {
      return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
    };
    ASN1_TIME_set(X509_getm_notBefore(x509.get()), seconds(notBefore));
    ASN1_TIME_set(X509_getm_notAfter(x509.get()), seconds(notAfter));
    auto* name = X509_get_subject_name(x509.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytesOf(commonName), static_cast<int>(commonName.size()), -1,
                               0);
    if (!subjectEmail.empty())
      X509_NAME_add_entry_by_txt(name, "emailAddress", MBSTRING_ASC, bytesOf(subjectEmail),
                                 static_cast<int>(subjectEmail.size()), -1, 0);
    X509_set_issuer_name(x509.get(), issuer ? X509_get_subject_name(issuer) : name);
    X509_set_pubkey(x509.get(), key);
    addExtensions(x509.get());
    if (!addresses.empty()) addAddresses(x509.get());
    const bool ownDigest = EVP_PKEY_is_a(issuerKey ? issuerKey : key, "ED25519");
    check(X509_sign(x509.get(), issuerKey ? issuerKey : key, ownDigest ? nullptr : digest), "sign a test certificate");
    return x509;
  }

  std::string der() const { return derOf(make().get()); }
  Certificate parsed() const { return Certificate::parse(der()).value(); }

  static std::string derOf(X509* x509) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(x509, &bytes);
    std::string out(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return out;
  }

private:
  void addExtensions(X509* x509) const {
    for (const auto& [nid, value] : extensions) {
      X509V3_CTX context;
      X509V3_set_ctx(&context, issuer ? issuer : x509, x509, nullptr, nullptr, 0);
      X509ExtensionPtr extension(check(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), "extend"));
      X509_add_ext(x509, extension.get(), -1);
    }
  }

  void addAddresses(X509* x509) const {
    OpenSslPtr<GENERAL_NAMES, &GENERAL_NAMES_free> names(GENERAL_NAMES_new());
    for (const auto& address : addresses) {
      GENERAL_NAME* name = GENERAL_NAME_new();
      ASN1_IA5STRING* value = ASN1_IA5STRING_new();
      ASN1_STRING_set(value, address.data(), static_cast<int>(address.size()));
      GENERAL_NAME_set0_value(name, GEN_EMAIL, value);
      sk_GENERAL_NAME_push(names.get(), name);
    }
    X509_add1_ext_i2d(x509, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT);
  }
};

inline std::string pemOf(EVP_PKEY* key) {
  BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return std::string(contentOf(out.get()));
}

}  // namespace postern::test
