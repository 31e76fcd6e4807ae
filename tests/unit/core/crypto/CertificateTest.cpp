#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Certificate.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/RecipientKey.h"
#include "core/crypto/SigningIdentity.h"
#include "tests/support/TempFolder.h"
#include "tests/unit/core/crypto/TestCertificates.h"

using namespace postern;
using namespace postern::crypto;
using test::TestCertificate;
using test::testKey;
using test::TestNow;

namespace {

const std::string Anna = "anna@example.org";

std::string stateOf(const TestCertificate& certificate, const TrustStore* trust = nullptr,
                    const std::string& address = Anna) {
  return stateName(check(certificate.parsed(), address, TestNow, trust).state);
}

std::string parseError(std::string_view text) {
  const auto result = Certificate::parse(text);
  return result ? "accepted" : result.error().code;
}

TestCertificate ofAnna(const std::string& kind = "P-256") {
  TestCertificate certificate;
  certificate.key = testKey(kind);
  return certificate;
}

struct Authority {
  EVP_PKEY* key = testKey("P-256", 90);
  X509Ptr x509;
  explicit Authority(const std::string& name = "Test CA", const std::string& extendedUsage = "") {
    TestCertificate certificate;
    certificate.commonName = name;
    certificate.addresses.clear();
    certificate.key = key;
    certificate.extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                              {NID_key_usage, "critical,keyCertSign,cRLSign"}};
    if (!extendedUsage.empty()) certificate.extensions.emplace_back(NID_ext_key_usage, extendedUsage);
    x509 = certificate.make();
  }
  TestCertificate issue(long serial) const {
    auto certificate = ofAnna();
    certificate.issuer = x509.get();
    certificate.issuerKey = key;
    certificate.serial = serial;
    return certificate;
  }
  std::string crl(const std::vector<long>& serials, TimePoint nextUpdate) const {
    X509CrlPtr list(X509_CRL_new());
    X509_CRL_set_version(list.get(), 1);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(x509.get()));
    const auto seconds = [](TimePoint t) {
      return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
    };
    const OpenSslPtr<ASN1_TIME, &ASN1_TIME_free> last(ASN1_TIME_set(nullptr, seconds(TestNow - std::chrono::days(2))));
    const OpenSslPtr<ASN1_TIME, &ASN1_TIME_free> next(ASN1_TIME_set(nullptr, seconds(nextUpdate)));
    X509_CRL_set1_lastUpdate(list.get(), last.get());
    X509_CRL_set1_nextUpdate(list.get(), next.get());
    for (const long serial : serials) {
      X509_REVOKED* entry = X509_REVOKED_new();
      const OpenSslPtr<ASN1_INTEGER, &ASN1_INTEGER_free> number(ASN1_INTEGER_new());
      ASN1_INTEGER_set(number.get(), serial);
      X509_REVOKED_set_serialNumber(entry, number.get());
      X509_REVOKED_set_revocationDate(entry, last.get());
      X509_CRL_add0_revoked(list.get(), entry);
    }
    X509_CRL_sort(list.get());
    X509_CRL_sign(list.get(), key, EVP_sha256());
    const BioPtr out(BIO_new(BIO_s_mem()));
    i2d_X509_CRL_bio(out.get(), list.get());
    return std::string(contentOf(out.get()));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_crypto_Certificate)

BOOST_AUTO_TEST_CASE(reads_the_facts_of_a_certificate) {
  auto made = ofAnna();
  made.addresses = {Anna, "a.example@example.org"};
  made.subjectEmail = "old@example.org";
  made.extensions = {
      {NID_key_usage, "keyAgreement"}, {NID_ext_key_usage, "emailProtection"}, {NID_subject_key_identifier, "hash"}};
  const auto der = made.der();
  const auto certificate = Certificate::parse(der).value();
  BOOST_TEST(certificate.der() == der);
  BOOST_TEST(certificate.fingerprint() == hex(sha256(der)));
  BOOST_TEST(certificate.subject().find("CN=Anna Example") != std::string::npos);
  BOOST_TEST(certificate.serial() == "1267");
  BOOST_TEST((certificate.notBefore() == made.notBefore));
  BOOST_TEST((certificate.notAfter() == made.notAfter));
  BOOST_TEST((certificate.keyKind() == KeyKind::P256));
  BOOST_TEST(certificate.algorithm() == "EC P-256");
  BOOST_TEST(certificate.addresses() == made.addresses, boost::test_tools::per_element());
  BOOST_TEST(certificate.subjectAddresses() == std::vector<std::string>{"old@example.org"},
             boost::test_tools::per_element());
  BOOST_TEST(certificate.keyUsage().value() == static_cast<std::uint32_t>(KU_KEY_AGREEMENT));
  BOOST_TEST(certificate.allowsEmail());
  BOOST_TEST(certificate.selfSigned());
  BOOST_TEST(certificate.subjectKeyId().size() == 20u);
}

BOOST_AUTO_TEST_CASE(reads_pem_der_and_bare_base64) {
  const auto der = ofAnna().der();
  const auto pem = Certificate::parse(der).value().pem();
  BOOST_TEST(Certificate::parse(pem).value().der() == der);
  BOOST_TEST(Certificate::parse("Bag Attributes\r\n  friendlyName: x\r\n" + pem).value().der() == der);
  BOOST_TEST(Certificate::parse(base64(der)).value().der() == der);
  BOOST_TEST(Certificate::parse(base64Lines(der)).value().der() == der);
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_single_certificate) {
  const auto der = ofAnna().der();
  const auto pem = Certificate::parse(der).value().pem();
  BOOST_TEST(parseError("") == "malformed");
  BOOST_TEST(parseError("hello") == "malformed");
  BOOST_TEST(parseError(der + "x") == "malformed");
  BOOST_TEST(parseError(pem + pem) == "several");
  BOOST_TEST(parseError(pem + test::pemOf(testKey("P-256"))) == "private-key");
  BOOST_TEST(parseError(pem.substr(0, pem.size() - 30)) == "malformed");
  BOOST_TEST(parseError(std::string(100000, 'A')) == "too-large");
  for (std::size_t length = 0; length < der.size(); ++length)
    BOOST_TEST(parseError(der.substr(0, length)) == "malformed");
}

BOOST_AUTO_TEST_CASE(refuses_crypto_bombs_before_computing) {
  const auto withRsa = [](int modulusBits, int exponentBits) {
    const BignumPtr n(BN_new());
    const BignumPtr e(BN_new());
    BN_rand(n.get(), modulusBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    BN_rand(e.get(), exponentBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    const auto key = test::rsaKeyOf(n.get(), e.get());
    auto certificate = ofAnna();
    certificate.issuerKey = testKey("P-256");
    certificate.key = key.get();
    return parseError(certificate.der());
  };
  BOOST_TEST(withRsa(16384, 17) == "too-complex");
  BOOST_TEST(withRsa(2048, 2000) == "too-complex");
  BOOST_TEST(withRsa(8192, 17) == "accepted");

  auto many = ofAnna();
  many.addresses.assign(65, Anna);
  BOOST_TEST(parseError(many.der()) == "too-complex");
  many.addresses.assign(64, Anna);
  BOOST_TEST(parseError(many.der()) == "accepted");
  many.addresses.assign(1000, Anna);
  BOOST_TEST(parseError(many.der()) == "too-complex");
  many.addresses.assign(20000, Anna);
  BOOST_TEST(parseError(many.der()) == "too-large");
}

BOOST_AUTO_TEST_CASE(refuses_a_curve_that_the_certificate_describes_itself) {
  const PkeyPtr key(EVP_EC_gen("P-256"));
  EVP_PKEY_set_utf8_string_param(key.get(), "encoding", "explicit");
  auto certificate = ofAnna();
  certificate.key = key.get();
  BOOST_TEST(parseError(certificate.der()) == "too-complex");
}

BOOST_AUTO_TEST_CASE(refuses_an_address_with_a_nul_or_blank_inside) {
  for (const auto& address :
       {std::string("anna@example.org\0.evil.test", 27), std::string("anna @example.org"), std::string("a\r\nb@c.d")}) {
    auto certificate = ofAnna();
    certificate.addresses = {address};
    BOOST_TEST(parseError(certificate.der()) == "malformed");
  }
}

BOOST_AUTO_TEST_CASE(names_each_state) {
  BOOST_TEST(stateOf(ofAnna("rsa2048")) == "valid");
  for (const auto* kind : {"P-256", "P-384", "P-521"}) BOOST_TEST(stateOf(ofAnna(kind)) == "valid");
  BOOST_TEST(stateOf(ofAnna(), nullptr, "ANNA@Example.ORG") == "valid");
  BOOST_TEST(stateOf(ofAnna(), nullptr, "bert@example.org") == "wrong-address");
  BOOST_TEST(stateOf(ofAnna("rsa1024")) == "weak-key");
  BOOST_TEST(stateOf(ofAnna("ED25519")) == "unsupported");
  BOOST_TEST(stateOf(ofAnna("secp256k1")) == "unsupported");
  auto expired = ofAnna();
  expired.notAfter = TestNow - std::chrono::seconds(1);
  BOOST_TEST(stateOf(expired) == "expired");
  auto early = ofAnna();
  early.notBefore = TestNow + std::chrono::seconds(1);
  BOOST_TEST(stateOf(early) == "not-yet-valid");
}

BOOST_AUTO_TEST_CASE(a_certificate_signed_by_a_broken_digest_is_weak) {
  auto certificate = ofAnna();
  certificate.digest = EVP_sha1();
  const auto checked = crypto::check(certificate.parsed(), Anna, TestNow, nullptr);
  BOOST_TEST(crypto::stateName(checked.state) == "weak-key");
  BOOST_TEST(checked.detail.find("SHA-1") != std::string::npos, checked.detail);
  certificate.digest = EVP_sha384();
  BOOST_TEST(crypto::check(certificate.parsed(), Anna, TestNow, nullptr).valid());
}

BOOST_AUTO_TEST_CASE(an_address_counts_only_as_subject_alternative_name) {
  auto certificate = ofAnna();
  certificate.addresses = {};
  certificate.commonName = Anna;
  BOOST_TEST(stateOf(certificate) == "wrong-address");
  certificate.subjectEmail = Anna;
  BOOST_TEST(stateOf(certificate) == "wrong-address");
  certificate.addresses = {"other@example.org"};
  BOOST_TEST(stateOf(certificate) == "wrong-address");
}

BOOST_AUTO_TEST_CASE(key_usage_must_allow_encryption_of_mail) {
  const auto with = [](const char* kind, int nid, const char* value) {
    auto certificate = ofAnna(kind);
    certificate.extensions = {{nid, value}};
    return stateOf(certificate);
  };
  BOOST_TEST(with("P-256", NID_key_usage, "digitalSignature") == "wrong-usage");
  BOOST_TEST(with("P-256", NID_key_usage, "keyEncipherment") == "wrong-usage");
  BOOST_TEST(with("P-256", NID_key_usage, "digitalSignature,keyAgreement") == "valid");
  BOOST_TEST(with("rsa2048", NID_key_usage, "digitalSignature") == "wrong-usage");
  BOOST_TEST(with("rsa2048", NID_key_usage, "keyEncipherment") == "valid");
  BOOST_TEST(with("P-256", NID_ext_key_usage, "serverAuth") == "wrong-usage");
  BOOST_TEST(with("P-256", NID_ext_key_usage, "serverAuth,emailProtection") == "valid");
  BOOST_TEST(with("P-256", NID_ext_key_usage, "anyExtendedKeyUsage") == "valid");
}

BOOST_AUTO_TEST_CASE(a_trust_store_decides_about_the_chain) {
  const test::TempFolder folder;
  const Authority authority;
  files::replaceDurably(folder / "ca.pem",
                        Certificate::parse(TestCertificate::derOf(authority.x509.get())).value().pem());
  const auto trust = TrustStore::load(folder.path());
  BOOST_TEST(trust.size() == 1u);
  BOOST_TEST(TrustStore::load(folder / "ca.pem").size() == 1u);
  BOOST_TEST(stateOf(authority.issue(5), &trust) == "valid");
  BOOST_TEST(stateOf(ofAnna(), &trust) == "untrusted");
  auto sha1 = authority.issue(6);
  sha1.digest = EVP_sha1();
  BOOST_TEST(stateOf(sha1, &trust) == "weak-key");
  auto forged = authority.issue(7);
  forged.issuerKey = testKey("P-256", 91);
  BOOST_TEST(stateOf(forged, &trust) == "untrusted");
}

BOOST_AUTO_TEST_CASE(an_authority_for_other_purposes_is_not_trusted_for_mail) {
  const test::TempFolder folder;
  const Authority authority("Web CA", "serverAuth");
  files::replaceDurably(folder / "ca.der", TestCertificate::derOf(authority.x509.get()));
  const auto trust = TrustStore::load(folder.path());
  BOOST_TEST(stateOf(authority.issue(5), &trust) == "untrusted");
}

BOOST_AUTO_TEST_CASE(revocation_lists_count_and_must_be_current) {
  const test::TempFolder folder;
  const auto lists = folder / "crl";
  std::filesystem::create_directories(lists);
  const Authority authority;
  files::replaceDurably(folder / "ca.der", TestCertificate::derOf(authority.x509.get()));
  BOOST_TEST(TrustStore::load(folder.path(), lists).size() == 1u);
  files::replaceDurably(lists / "a.crl", authority.crl({5, 9}, TestNow + std::chrono::days(5)));
  const auto trust = TrustStore::load(folder.path(), lists);
  BOOST_TEST(stateOf(authority.issue(5), &trust) == "revoked");
  BOOST_TEST(stateOf(authority.issue(6), &trust) == "valid");
  files::replaceDurably(lists / "a.crl", authority.crl({5}, TestNow - std::chrono::days(1)));
  const auto stale = TrustStore::load(folder.path(), lists);
  BOOST_TEST(stateOf(authority.issue(6), &stale) == "untrusted");
  BOOST_TEST(stateOf(authority.issue(5), &stale) != "valid");
}

BOOST_AUTO_TEST_CASE(a_trust_store_without_a_certificate_is_a_configuration_error) {
  const test::TempFolder folder;
  BOOST_CHECK_THROW(TrustStore::load(folder.path()), Error);
  files::replaceDurably(folder / "ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  BOOST_CHECK_THROW(TrustStore::load(folder.path()), Error);
  BOOST_CHECK_THROW(TrustStore::load(folder / "absent.pem"), Error);
}

BOOST_AUTO_TEST_CASE(an_rsa_key_that_is_none_is_weak) {
  const auto withModulus = [](const char* kind, bool even) {
    BIGNUM* raw = nullptr;
    EVP_PKEY_get_bn_param(testKey(kind), OSSL_PKEY_PARAM_RSA_N, &raw);
    const BignumPtr n(raw);
    const BignumPtr e(BN_new());
    if (even) BN_sub_word(n.get(), 1);
    BN_set_word(e.get(), even ? 65537 : 3);
    const auto key = test::rsaKeyOf(n.get(), e.get());
    auto certificate = ofAnna();
    certificate.issuerKey = testKey("P-256");
    certificate.key = key.get();
    return stateOf(certificate);
  };
  BOOST_TEST(withModulus("rsa2048", true) == "weak-key");
  BOOST_TEST(withModulus("rsa2048", false) == "weak-key");
}

BOOST_AUTO_TEST_CASE(recipient_key_survives_storing) {
  for (const auto* kind : {"rsa2048", "rsa3072", "P-256", "P-384", "P-521"}) {
    const auto certificate = ofAnna(kind).parsed();
    auto key = RecipientKey::of(certificate);
    key.readsGcm = true;
    const auto encoded = key.encode();
    BOOST_TEST((RecipientKey::decode(encoded) == key));
    BOOST_TEST(EVP_PKEY_eq(key.openSslKey().get(), X509_get0_pubkey(certificate.handle())) == 1);
    for (std::size_t length = 0; length < encoded.size(); ++length)
      BOOST_CHECK_THROW(RecipientKey::decode(encoded.substr(0, length)), Error);
  }
  BOOST_CHECK_THROW(RecipientKey::of(ofAnna("ED25519").parsed()), Error);
}

BOOST_AUTO_TEST_CASE(a_damaged_recipient_key_is_refused) {
  auto ec = RecipientKey::of(ofAnna("P-256").parsed());
  ec.point[40] = static_cast<char>(ec.point[40] ^ 1);
  BOOST_CHECK_THROW(ec.openSslKey(), Error);
  ec.point = std::string(1, '\0');
  BOOST_CHECK_THROW(ec.openSslKey(), Error);
  auto rsa = RecipientKey::of(ofAnna("rsa2048").parsed());
  rsa.exponent = "\x01";
  BOOST_CHECK_THROW(rsa.openSslKey(), Error);
  rsa.exponent = std::string("\x01\x00\x01", 3);
  rsa.modulus = "\x0f";
  BOOST_CHECK_THROW(rsa.openSslKey(), Error);
}

BOOST_AUTO_TEST_CASE(list_identity_is_a_valid_mail_certificate) {
  const auto identity = SigningIdentity::create("board@lists.example", TestNow, std::chrono::days(1000));
  const auto& certificate = identity.certificate();
  BOOST_TEST(check(certificate, "board@lists.example", TestNow, nullptr).valid());
  BOOST_TEST(certificate.allowsEmail());
  BOOST_TEST((certificate.notAfter() == TestNow + std::chrono::days(1000)));
  const auto restored = SigningIdentity::import(certificate.der(), identity.exportPrivateKey());
  BOOST_TEST(EVP_PKEY_eq(restored.privateKey(), identity.privateKey()) == 1);
  BOOST_CHECK_THROW(SigningIdentity::import(ofAnna().der(), identity.exportPrivateKey()), Error);
  for (const auto* address : {"", "board", "@x", "board@", "b@x,email:c@y z", "b\xc3\xb6@x"})
    BOOST_CHECK_THROW(SigningIdentity::create(address, TestNow, std::chrono::days(1)), Error);
  const auto comma = SigningIdentity::create("\"b,email:c@y\"@lists.example", TestNow, std::chrono::days(1));
  BOOST_TEST(comma.certificate().addresses().size() == 1u);
}

BOOST_AUTO_TEST_CASE(self_signed_tls_certificate_names_the_host) {
  const auto identity = makeSelfSignedTls("mail.example.org", TestNow);
  const auto certificate = Certificate::parse(identity.certificatePem).value();
  BOOST_TEST(X509_check_host(certificate.handle(), "mail.example.org", 0, 0, nullptr) == 1);
  BOOST_TEST(identity.privateKeyPem.view().starts_with("-----BEGIN PRIVATE KEY-----"));
  const auto numeric = Certificate::parse(makeSelfSignedTls("127.0.0.1", TestNow).certificatePem).value();
  BOOST_TEST(X509_check_ip_asc(numeric.handle(), "127.0.0.1", 0) == 1);
  BOOST_CHECK_THROW(makeSelfSignedTls("", TestNow), Error);
  BOOST_CHECK_THROW(makeSelfSignedTls("a b", TestNow), Error);
}

BOOST_AUTO_TEST_SUITE_END()
