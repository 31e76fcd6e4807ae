#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/OpenSsl.h"
#include "core/crypto/WebAuthn.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

using namespace postern;
using namespace postern::crypto;
using namespace postern::crypto::webauthn;

BOOST_AUTO_TEST_SUITE(core_crypto_WebAuthn)

namespace {

const RelyingParty Party{"mail.example", "https://mail.example:8443"};
const std::string Challenge = "Zm9yIHRoaXMgb25lIHF1ZXN0aW9uIG9ubHk";

// An authenticator in software: one ES256 key.
struct Passkey {
  PkeyPtr key{EVP_EC_gen("P-256")};
  std::string id = "credential-0123";
  std::uint32_t count = 1;
  unsigned char flags = 0x05;
  std::string party = Party.id;

  std::string coordinate(const char* name) const {
    BIGNUM* number = nullptr;
    BOOST_REQUIRE(EVP_PKEY_get_bn_param(key.get(), name, &number) == 1);
    const BignumPtr owned(number);
    std::string bytes(32, '\0');
    BN_bn2binpad(number, bytesOf(bytes), 32);
    return bytes;
  }
  std::string head(unsigned char with) const {
    std::string data = sha256(party);
    data += static_cast<char>(with);
    for (int shift = 24; shift >= 0; shift -= 8) data += static_cast<char>(count >> shift);
    return data;
  }
  std::string registration(const std::string& format = "none", const std::string& statement = "\xA0") const {
    std::string data = head(static_cast<unsigned char>(flags | 0x40));
    data.append(17, '\0').push_back(static_cast<char>(id.size()));
    data.append(id);
    data += "\xA5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + coordinate(OSSL_PKEY_PARAM_EC_PUB_X);
    data += "\x22\x58\x20" + coordinate(OSSL_PKEY_PARAM_EC_PUB_Y);
    std::string object =
        "\xA3\x63"
        "fmt";
    object += static_cast<char>(0x60 + format.size());
    object += format +
              "\x67"
              "attStmt" +
              statement +
              "\x68"
              "authData" +
              "\x58";
    return object + static_cast<char>(data.size()) + data;
  }
  std::string sign(const std::string& bytes) const {
    const DigestContextPtr context(EVP_MD_CTX_new());
    std::size_t size = 0;
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
    EVP_DigestSign(context.get(), nullptr, &size, bytesOf(bytes), bytes.size());
    std::string signature(size, '\0');
    BOOST_REQUIRE(EVP_DigestSign(context.get(), bytesOf(signature), &size, bytesOf(bytes), bytes.size()) == 1);
    signature.resize(size);
    return signature;
  }
};

std::string client(const std::string& type, const std::string& challenge = Challenge,
                   const std::string& origin = Party.origin) {
  return R"({"type":")" + type + R"(","challenge":")" + challenge + R"(","origin":")" + origin +
         R"(","crossOrigin":false})";
}

Result<std::uint32_t, Fault> signIn(const Passkey& passkey, const Credential& credential,
                                    const std::string& clientData = client("webauthn.get")) {
  const auto data = passkey.head(passkey.flags);
  return verifyAssertion(Party, Challenge, credential, {clientData, data, passkey.sign(data + sha256(clientData))});
}

Credential enrolled(const Passkey& passkey) {
  const auto made = verifyRegistration(Party, Challenge, client("webauthn.create"), passkey.registration());
  BOOST_REQUIRE_MESSAGE(made.has_value(), (made ? "" : faultText(made.error())));
  return *made;
}

template <class T>
Fault faultOf(const Result<T, Fault>& result) {
  BOOST_REQUIRE(!result.has_value());
  return result.error();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_passkey_is_taken_and_signs_in_with_a_growing_counter) {
  Passkey passkey;
  auto credential = enrolled(passkey);
  BOOST_TEST(credential.id == passkey.id);
  BOOST_TEST(credential.algorithm == -7);
  BOOST_TEST(credential.signCount == 1u);
  BOOST_TEST((faultOf(signIn(passkey, credential)) == Fault::Counter));
  passkey.count = 2;
  BOOST_TEST(signIn(passkey, credential).value() == 2u);
  credential.signCount = 0;
  passkey.count = 0;  // an authenticator without a counter
  BOOST_TEST(signIn(passkey, credential).has_value());
}

BOOST_AUTO_TEST_CASE(what_another_site_asked_or_another_question_got_is_refused) {
  Passkey passkey;
  const auto credential = enrolled(passkey);
  passkey.count = 2;
  BOOST_TEST((faultOf(signIn(passkey, credential, client("webauthn.create"))) == Fault::WrongType));
  BOOST_TEST((faultOf(signIn(passkey, credential, client("webauthn.get", "b3RoZXI"))) == Fault::WrongChallenge));
  BOOST_TEST((faultOf(signIn(passkey, credential, client("webauthn.get", Challenge, "https://evil.example"))) ==
              Fault::WrongOrigin));
  BOOST_TEST((faultOf(signIn(passkey, credential, client("webauthn.get", Challenge, "https://mail.example"))) ==
              Fault::WrongOrigin));
  BOOST_TEST((faultOf(signIn(passkey, credential, "{}")) == Fault::WrongType));
  BOOST_TEST((faultOf(signIn(passkey, credential, "not json")) == Fault::Malformed));
  passkey.party = "evil.example";
  BOOST_TEST((faultOf(signIn(passkey, credential)) == Fault::WrongParty));
}

BOOST_AUTO_TEST_CASE(a_person_who_was_not_verified_or_a_wrong_key_is_refused) {
  Passkey passkey;
  const auto credential = enrolled(passkey);
  passkey.count = 2;
  passkey.flags = 0x01;
  BOOST_TEST((faultOf(signIn(passkey, credential)) == Fault::NotVerified));
  passkey.flags = 0x04;
  BOOST_TEST((faultOf(signIn(passkey, credential)) == Fault::NotVerified));
  Passkey other;
  other.count = 2;
  BOOST_TEST((faultOf(signIn(other, credential)) == Fault::Signature));
  const auto data = Passkey(std::move(other)).head(0x05);
  const auto json = client("webauthn.get");
  BOOST_TEST((faultOf(verifyAssertion(Party, Challenge, credential, {json, data, ""})) != Fault::Counter));
  BOOST_TEST((faultOf(verifyAssertion(Party, "", credential, {client("webauthn.get", ""), data, "x"})) ==
              Fault::WrongChallenge));
}

namespace {

// Authenticators of the other two kinds, with the key as COSE has it.
std::string publicNumber(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  BOOST_REQUIRE(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  const BignumPtr owned(number);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, bytesOf(bytes));
  return bytes;
}

std::string coseOf(EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) {
    std::string point(32, '\0');
    std::size_t size = point.size();
    BOOST_REQUIRE(EVP_PKEY_get_raw_public_key(key, bytesOf(point), &size) == 1);
    return std::string("\xA4\x01\x01\x03\x27\x20\x06\x21\x58\x20").append(point);
  }
  const auto modulus = publicNumber(key, OSSL_PKEY_PARAM_RSA_N);
  BOOST_REQUIRE(modulus.size() == 256u);
  std::string cose("\xA4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00", 11);
  return cose.append(modulus).append("\x21\x43").append(publicNumber(key, OSSL_PKEY_PARAM_RSA_E));
}

std::string registrationOf(const Passkey& passkey, const std::string& cose) {
  std::string data = passkey.head(0x45);
  data.append(17, '\0').push_back(static_cast<char>(passkey.id.size()));
  data.append(passkey.id).append(cose);
  std::string object(
      "\xA3\x63"
      "fmt\x64none\x67"
      "attStmt\xA0\x68"
      "authData\x59");
  object.push_back(static_cast<char>(data.size() >> 8));
  object.push_back(static_cast<char>(data.size()));
  return object.append(data);
}

// Ed25519 signs the bytes themselves, RSA their digest.
std::string signatureOf(EVP_PKEY* key, const std::string& bytes) {
  const DigestContextPtr context(EVP_MD_CTX_new());
  const auto* digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  BOOST_REQUIRE(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key) == 1);
  std::size_t size = 0;
  BOOST_REQUIRE(EVP_DigestSign(context.get(), nullptr, &size, bytesOf(bytes), bytes.size()) == 1);
  std::string signature(size, '\0');
  BOOST_REQUIRE(EVP_DigestSign(context.get(), bytesOf(signature), &size, bytesOf(bytes), bytes.size()) == 1);
  return signature;
}

void signsInAs(PkeyPtr key, int algorithm) {
  Passkey passkey;
  const auto made =
      verifyRegistration(Party, Challenge, client("webauthn.create"), registrationOf(passkey, coseOf(key.get())));
  BOOST_REQUIRE_MESSAGE(made.has_value(), (made ? "" : faultText(made.error())));
  BOOST_TEST(made->algorithm == algorithm);
  passkey.count = 2;
  const auto json = client("webauthn.get");
  const auto data = passkey.head(0x05);
  auto signature = signatureOf(key.get(), data + sha256(json));
  const auto judged = [&](const Credential& credential) {
    return verifyAssertion(Party, Challenge, credential, {json, data, signature});
  };
  BOOST_TEST(judged(*made).value() == 2u);
  for (const auto seen : {2u, 3u, 0xFFFFFFFFu}) {  // the counter stands still or went back: a copy of the authenticator
    auto ahead = *made;
    ahead.signCount = seen;
    BOOST_TEST((faultOf(judged(ahead)) == Fault::Counter));
  }
  for (const int other : {-7, -8, -257}) {  // the key says what it is; nothing else may be claimed for it
    auto mistaken = *made;
    mistaken.algorithm = other;
    if (other != algorithm) BOOST_TEST(!judged(mistaken).has_value());
  }
  signature[signature.size() / 2] = static_cast<char>(signature[signature.size() / 2] ^ 1);
  BOOST_TEST((faultOf(judged(*made)) == Fault::Signature));
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_ed25519_passkey_signs_in_and_its_counter_never_goes_back) {
  signsInAs(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), -8);
}

BOOST_AUTO_TEST_CASE(an_rsa_passkey_signs_in_and_its_counter_never_goes_back) {
  signsInAs(PkeyPtr(EVP_RSA_gen(2048)), -257);
}

BOOST_AUTO_TEST_CASE(odd_attestation_objects_are_refused_and_none_crashes) {
  Passkey passkey;
  const auto json = client("webauthn.create");
  const auto whole = passkey.registration();
  for (std::size_t size = 0; size < whole.size(); ++size)
    BOOST_TEST(!verifyRegistration(Party, Challenge, json, whole.substr(0, size)).has_value());
  BOOST_TEST(!verifyRegistration(Party, Challenge, json, whole + "x").has_value());
  BOOST_TEST((faultOf(verifyRegistration(Party, Challenge, json, passkey.registration("tpm"))) == Fault::Attestation));
  BOOST_TEST(
      (faultOf(verifyRegistration(Party, Challenge, json, passkey.registration("packed"))) == Fault::Attestation));
  BOOST_TEST((faultOf(verifyRegistration(Party, Challenge, json, passkey.registration("none", "\xA1\x61x\x01"))) ==
              Fault::Attestation));
}

BOOST_AUTO_TEST_CASE(the_party_comes_from_the_address_of_the_site) {
  BOOST_TEST(relyingPartyOf("https://mail.example/").value().origin == "https://mail.example");
  BOOST_TEST(relyingPartyOf("https://mail.example:443").value().origin == "https://mail.example");
  BOOST_TEST(relyingPartyOf("https://mail.example:8443/x").value().id == "mail.example");
  for (const auto* url : {"https://127.0.0.1:8443", "https://[::1]:8443", "http://mail.example", ""})
    BOOST_TEST(!relyingPartyOf(url).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
