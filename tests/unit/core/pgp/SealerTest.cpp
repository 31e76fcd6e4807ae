#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/pgp/Armor.h"
#include "core/pgp/Packets.h"
#include "core/pgp/Sealer.h"
#include "core/pgp/SecretKey.h"
#include "tests/unit/core/pgp/PgpFixture.h"

using namespace postern;
using namespace postern::pgp;
using namespace postern::test;

namespace {

const std::string Inner =
    "Content-Type: text/plain; charset=utf-8; hp=\"cipher\"\r\nSubject: Secure: budget\r\n\r\nThe figures.\r\n";

// Recipients that all differ; nobody can open to an RSA modulus of random bytes, but it is sealed to all the same.
RecipientKey recipientOf(KeyKind kind) {
  RecipientKey key;
  key.kind = kind;
  key.fingerprint = crypto::randomBytes(20);
  key.keyFingerprint = crypto::randomBytes(20);
  if (kind == KeyKind::Rsa) {
    key.algorithm = 1;
    key.modulus = crypto::randomBytes(256);
    key.modulus.front() = static_cast<char>(key.modulus.front() | 0x80);
    key.modulus.back() = static_cast<char>(key.modulus.back() | 1);
    key.exponent = std::string("\x01\x00\x01", 3);
    return key;
  }
  key.algorithm = 18;
  key.kdfHash = 8;
  key.kdfCipher = 7;
  if (kind == KeyKind::Curve25519) {
    const crypto::PkeyPtr made(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
    key.point.resize(32);
    std::size_t size = 32;
    EVP_PKEY_get_raw_public_key(made.get(), crypto::bytesOf(key.point), &size);
    return key;
  }
  const char* name = kind == KeyKind::P256 ? "P-256" : kind == KeyKind::P384 ? "P-384" : "P-521";
  const crypto::PkeyPtr made(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", name));
  key.point.resize(133);
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(made.get(), "pub", crypto::bytesOf(key.point), key.point.size(), &size);
  key.point.resize(size);
  return key;
}

constexpr std::array Kinds = {KeyKind::Rsa, KeyKind::Curve25519, KeyKind::P256, KeyKind::P384, KeyKind::P521};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_pgp_Sealer)

BOOST_AUTO_TEST_CASE(the_self_test_passes) {
  BOOST_CHECK_NO_THROW(selfTest());
}

// The well-known value of CRC-24 (OpenPGP) for "123456789".
BOOST_AUTO_TEST_CASE(the_checksum_is_that_of_openpgp) {
  BOOST_TEST(crc24(Crc24Start, "123456789") == 0x21cf02u);
  std::uint32_t state = Crc24Start;
  for (const char* part : {"1", "23", "", "456", "789"}) state = crc24(state, part);
  BOOST_TEST(state == 0x21cf02u);
}

BOOST_AUTO_TEST_CASE(each_copy_is_one_pkesk_and_one_data_packet_with_a_right_checksum) {
  const Sealer sealer;
  for (const std::size_t size : {0u, 1u, 100u, 580u, 600u, 610u, 611u, 612u, 620u, 640u, 1000u, 5000u, 70'000u}) {
    const auto body = SharedBody::encrypt(crypto::randomBytes(size));
    for (const auto kind : Kinds)
      for (int i = 0; i < 3; ++i) {
        const auto recipient = recipientOf(kind);
        const auto copy = sealer.head(body, recipient) + body.tail();
        const auto armored = armoredPart(copy);
        BOOST_TEST(armored.find("\r\n=") != std::string::npos);  // there is a checksum; dearmor compares it
        const auto bytes = dearmor("MESSAGE", armored, true);
        BOOST_REQUIRE(bytes.has_value());
        PacketReader reader(*bytes);
        const auto first = reader.next();
        BOOST_REQUIRE(first.has_value());
        BOOST_TEST((first->tag == PacketTag::Pkesk));
        BOOST_TEST(first->body.substr(1, 8) == recipient.keyId());
        const auto second = reader.next();
        BOOST_REQUIRE(second.has_value());
        BOOST_TEST((second->tag == PacketTag::Seipd));
        BOOST_TEST(second->body[0] == 1);
        BOOST_TEST(!reader.next().has_value());
        BOOST_TEST(reader.atEnd());
      }
  }
}

BOOST_AUTO_TEST_CASE(no_copy_names_another_recipient) {
  const Sealer sealer;
  const auto body = SharedBody::encrypt(crypto::randomBytes(3000));
  std::vector<RecipientKey> recipients;
  for (int i = 0; i < 40; ++i) recipients.push_back(recipientOf(Kinds[static_cast<std::size_t>(i) % Kinds.size()]));
  std::vector<std::string> copies;
  for (const auto& recipient : recipients)
    copies.push_back(dearmor("MESSAGE", armoredPart(sealer.head(body, recipient) + body.tail()), true).value());
  for (std::size_t i = 0; i < copies.size(); ++i)
    for (std::size_t k = 0; k < recipients.size(); ++k) {
      BOOST_TEST((copies[i].find(recipients[k].keyId()) != std::string::npos) == (i == k));
      BOOST_TEST((copies[i].find(recipients[k].keyFingerprint) == std::string::npos));
      if (i != k && recipients[k].kind != KeyKind::Rsa)
        BOOST_TEST((copies[i].find(recipients[k].point) == std::string::npos));
    }
}

BOOST_AUTO_TEST_CASE(all_copies_share_the_same_tail_and_the_head_ends_a_line) {
  const Sealer sealer;
  const auto body = SharedBody::encrypt(crypto::randomBytes(3000));
  for (const auto kind : Kinds) {
    const auto head = sealer.head(body, recipientOf(kind));
    BOOST_TEST(head.starts_with("MIME-Version: 1.0\r\nContent-Type: multipart/encrypted;"));
    BOOST_TEST(head.ends_with("\r\n"));
    BOOST_TEST(head.find("\r\n.") == std::string::npos);
  }
  BOOST_TEST(body.tail().ends_with("--\r\n"));
  BOOST_TEST(body.tail().find("\r\n.") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(two_messages_share_no_key_and_no_ciphertext) {
  const auto one = SharedBody::encrypt(Inner);
  const auto other = SharedBody::encrypt(Inner);
  BOOST_TEST(one.tail() != other.tail());
  BOOST_TEST((one.exportKey().view() != other.exportKey().view()));
}

BOOST_AUTO_TEST_CASE(heads_can_be_made_after_a_restart) {
  const Sealer sealer;
  const auto recipient = recipientOf(KeyKind::Rsa);
  for (const std::size_t size : {100u, 4000u}) {
    const auto body = SharedBody::encrypt(crypto::randomBytes(size));
    const auto later = SharedBody::resume(body.exportKey());
    BOOST_TEST(later.tail().empty());
    const auto bytes = dearmor("MESSAGE", armoredPart(sealer.head(later, recipient) + body.tail()), true);
    const auto before = dearmor("MESSAGE", armoredPart(sealer.head(body, recipient) + body.tail()), true);
    BOOST_REQUIRE(bytes.has_value());
    BOOST_REQUIRE(before.has_value());
    PacketReader reader(*bytes);
    PacketReader readerBefore(*before);
    reader.next();
    readerBefore.next();
    BOOST_TEST((reader.next()->body == readerBefore.next()->body));
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_stored_key_is_refused) {
  const auto exported = SharedBody::encrypt(crypto::randomBytes(4000)).exportKey();
  for (const std::size_t size : {0u, 1u, 40u, 200u})
    BOOST_CHECK_THROW(SharedBody::resume(Secret(exported.view().substr(0, size))), Error);
  std::string changed(exported.view());
  changed[0] = 9;
  BOOST_CHECK_THROW(SharedBody::resume(Secret(changed)), Error);
  BOOST_CHECK_THROW(SharedBody::resume(Secret(std::string(exported.view()) + "x")), Error);
}

BOOST_AUTO_TEST_CASE(recipient_keys_are_stored_and_read_back) {
  for (const auto kind : Kinds) {
    const auto key = recipientOf(kind);
    BOOST_TEST((RecipientKey::decode(key.encode()) == key));
    const auto bytes = key.encode();
    for (std::size_t size = 0; size < bytes.size(); size += 7)
      BOOST_CHECK_THROW(RecipientKey::decode(std::string_view(bytes).substr(0, size)), Error);
  }
  auto odd = recipientOf(KeyKind::P256);
  odd.kdfCipher = 2;
  BOOST_CHECK_THROW(RecipientKey::decode(odd.encode()), Error);
}

BOOST_AUTO_TEST_CASE(a_key_that_is_none_is_refused) {
  const Sealer sealer;
  const auto body = SharedBody::encrypt(Inner);
  BOOST_CHECK_THROW(sealer.head(body, RecipientKey{}), Error);
  auto offCurve = recipientOf(KeyKind::P256);
  offCurve.point.back() = static_cast<char>(offCurve.point.back() ^ 1);
  BOOST_CHECK_THROW(sealer.head(body, offCurve), Error);
  auto zero = recipientOf(KeyKind::Curve25519);
  zero.point.assign(32, '\0');
  BOOST_CHECK_THROW(sealer.head(body, zero), Error);
  auto small = recipientOf(KeyKind::Rsa);
  small.modulus.resize(128);
  BOOST_CHECK_THROW(sealer.head(body, small), Error);
}

BOOST_AUTO_TEST_SUITE_END()
