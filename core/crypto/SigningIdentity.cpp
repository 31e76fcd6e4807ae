#include "core/crypto/SigningIdentity.h"

#include "core/base/Error.h"
#include "core/crypto/Random.h"

#include <arpa/inet.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

namespace postern::crypto {

namespace {

using GeneralNamesPtr = OpenSslPtr<GENERAL_NAMES, &GENERAL_NAMES_free>;
using GeneralNamePtr = OpenSslPtr<GENERAL_NAME, &GENERAL_NAME_free>;
using Pkcs8Ptr = OpenSslPtr<PKCS8_PRIV_KEY_INFO, &PKCS8_PRIV_KEY_INFO_free>;

constexpr std::size_t MaxCommonName = 64;        // RFC 5280 ub-common-name
constexpr std::chrono::hours ClockTolerance{1};  // members' clocks may be behind ours

struct Profile {
  std::string commonName;
  int nameType = GEN_EMAIL;
  std::string name;
  const char* keyUsage = "";
  const char* extendedKeyUsage = "";
};

void setTime(ASN1_TIME* field, TimePoint time) {
  check(ASN1_TIME_set(field, std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count()),
        "date a certificate");
}

void addExtension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509ExtensionPtr extension(check(X509V3_EXT_conf_nid(nullptr, &context, nid, value), "extend a certificate"));
  check(X509_add_ext(certificate, extension.get(), -1), "extend a certificate");
}

// Built as an object and not from OpenSSL's configuration text, where a comma in the name would add another one.
void addAltName(X509* certificate, const Profile& profile) {
  GeneralNamesPtr names(check(GENERAL_NAMES_new(), "name a certificate"));
  GeneralNamePtr name(check(GENERAL_NAME_new(), "name a certificate"));
  ASN1_STRING* value =
      check(profile.nameType == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new(), "name a certificate");
  GENERAL_NAME_set0_value(name.get(), profile.nameType, value);
  check(ASN1_STRING_set(value, profile.name.data(), static_cast<int>(profile.name.size())), "name a certificate");
  check(sk_GENERAL_NAME_push(names.get(), name.get()), "name a certificate");
  static_cast<void>(name.release());
  check(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT), "name a certificate");
}

void setSerial(X509* certificate) {
  auto bytes = randomBytes(16);
  bytes[0] = static_cast<char>((bytes[0] & 0x7f) | 0x40);  // positive and always of the same length
  BignumPtr number(check(BN_bin2bn(bytesOf(bytes), static_cast<int>(bytes.size()), nullptr), "number a certificate"));
  check(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)), "number a certificate");
}

Certificate makeCertificate(EVP_PKEY* key, const Profile& profile, TimePoint now, std::chrono::days lifetime) {
  X509Ptr x509(check(X509_new(), "make a certificate"));
  X509* raw = x509.get();
  check(X509_set_version(raw, X509_VERSION_3), "make a certificate");
  setSerial(raw);
  setTime(X509_getm_notBefore(raw), now - ClockTolerance);
  setTime(X509_getm_notAfter(raw), now + lifetime);
  const auto commonName = profile.commonName.substr(0, MaxCommonName);
  auto* name = X509_get_subject_name(raw);
  check(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, bytesOf(commonName),
                                   static_cast<int>(commonName.size()), -1, 0),
        "name a certificate");
  check(X509_set_issuer_name(raw, name), "name a certificate");
  check(X509_set_pubkey(raw, key), "make a certificate");
  addExtension(raw, NID_basic_constraints, "critical,CA:FALSE");
  addExtension(raw, NID_key_usage, profile.keyUsage);
  addExtension(raw, NID_ext_key_usage, profile.extendedKeyUsage);
  addExtension(raw, NID_subject_key_identifier, "hash");
  addAltName(raw, profile);
  check(X509_sign(raw, key, sha256Algorithm()), "sign a certificate");

  unsigned char* der = nullptr;
  const int size = i2d_X509(raw, &der);
  check(size, "write a certificate");
  const std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  auto parsed = Certificate::parse(bytes);
  if (!parsed)
    throw Error(ErrorKind::Crypto, "cannot make a certificate for " + profile.name + ": " + parsed.error().message);
  return *parsed;
}

bool usableAddress(std::string_view address) {
  const auto at = address.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == address.size() || address.size() > 254) return false;
  return std::all_of(address.begin(), address.end(), [](char c) { return c > ' ' && c <= '~'; });
}

Profile tlsProfile(std::string_view hostName) {
  Profile profile{std::string(hostName), GEN_DNS, std::string(hostName), "critical,digitalSignature", "serverAuth"};
  std::array<char, 16> address{};
  if (inet_pton(AF_INET, profile.commonName.c_str(), address.data()) == 1) {
    profile.nameType = GEN_IPADD;
    profile.name.assign(address.data(), 4);
  } else if (inet_pton(AF_INET6, profile.commonName.c_str(), address.data()) == 1) {
    profile.nameType = GEN_IPADD;
    profile.name.assign(address.data(), 16);
  }
  return profile;
}

}  // namespace

SigningIdentity SigningIdentity::create(std::string_view listAddress, TimePoint now, std::chrono::days lifetime) {
  if (!usableAddress(listAddress))
    throw Error(ErrorKind::Crypto, "cannot make a signing certificate for '" + std::string(listAddress) +
                                       "': it is no ASCII mail address");
  PkeyPtr key(check(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(2048)), "make an RSA key"));
  const Profile profile{std::string(listAddress), GEN_EMAIL, std::string(listAddress),
                        "critical,digitalSignature,keyEncipherment", "emailProtection"};
  auto certificate = makeCertificate(key.get(), profile, now, lifetime);
  return {std::move(certificate), std::move(key)};
}

SigningIdentity SigningIdentity::import(std::string_view certificateDer, const Secret& privateKeyDer) {
  auto certificate = Certificate::parse(certificateDer);
  if (!certificate) throw Error(ErrorKind::Crypto, "cannot use a signing certificate: " + certificate.error().message);
  const unsigned char* at = privateKeyDer.data();
  PkeyPtr key(check(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(privateKeyDer.size())), "read a private key"));
  check(X509_check_private_key(certificate->handle(), key.get()), "use a private key that is not the certificate's");
  return {std::move(*certificate), std::move(key)};
}

SigningIdentity SigningIdentity::withChain(std::vector<Certificate> chain) const {
  auto identity = *this;
  identity.chain_ = std::move(chain);
  return identity;
}

Secret SigningIdentity::exportPrivateKey() const {
  Pkcs8Ptr info(check(EVP_PKEY2PKCS8(key_.get()), "write a private key"));
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  check(size, "write a private key");
  auto secret = Secret::ofSize(static_cast<std::size_t>(size));
  unsigned char* at = secret.data();
  check(i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at), "write a private key");
  return secret;
}

TlsIdentity makeSelfSignedTls(std::string_view hostName, TimePoint now, std::chrono::days lifetime) {
  const auto printable = [](char c) { return c > ' ' && c <= '~'; };
  if (hostName.empty() || hostName.size() > 253 || !std::all_of(hostName.begin(), hostName.end(), printable))
    throw Error(ErrorKind::Crypto,
                "cannot make a TLS certificate for '" + std::string(hostName) + "': it is no host name");
  PkeyPtr key(check(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), "make an EC key"));
  const auto certificate = makeCertificate(key.get(), tlsProfile(hostName), now, lifetime);
  const BioPtr out(check(BIO_new(BIO_s_secmem()), "write a private key"));
  check(PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr), "write a private key");
  return {certificate.pem(), Secret(contentOf(out.get()))};
}

}  // namespace postern::crypto
