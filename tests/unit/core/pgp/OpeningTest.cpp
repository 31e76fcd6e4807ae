#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/pgp/Armor.h"
#include "core/pgp/Opening.h"
#include "core/pgp/Packets.h"
#include "core/pgp/Sealer.h"
#include "core/pgp/Signer.h"
#include "tests/unit/core/pgp/PgpFixture.h"

using namespace postern;
using namespace postern::pgp;
using namespace postern::test;

namespace {

const std::string Inner = "Content-Type: text/plain\r\nSubject: budget\r\n\r\nThe figures.\r\n";

const SecretKey& listKey() {
  static const auto key = SecretKey::create("Board", "board@lists.example", now(), std::chrono::days(100));
  return key;
}

std::optional<Opened> opened(const std::string& message, const std::vector<PublicKey>& signers = {},
                             TimePoint at = now(), const OpenLimits& limits = {}) {
  return pgp::open(message, std::vector{listKey()}, signers, at, limits);
}

std::string mime(const std::string& armoredMessage) {
  return "From: anna@example.org\r\nSubject: ...\r\nMIME-Version: 1.0\r\nContent-Type: multipart/encrypted;\r\n"
         " protocol=\"application/pgp-encrypted\"; boundary=\"b\"\r\n\r\n--b\r\n"
         "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--b\r\n"
         "Content-Type: application/octet-stream\r\n\r\n" +
         armoredMessage + "\r\n--b--\r\n";
}

std::string copyOf(const std::string& plain) {
  const auto body = SharedBody::encrypt(plain);
  return "From: anna@example.org\r\n" + Sealer().head(body, *RecipientKey::of(listKey().publicKey(), now())) +
         body.tail();
}

std::string wordOf(const std::optional<Opened>& result) {
  return result ? stateName(result->signature.state) : "refused";
}

// A member with gpg that knows the list's key.
struct Anna {
  GpgHome home;
  std::string fingerprint;
  PublicKey key;
  Anna()
      : fingerprint(home.makeKey("Anna <anna@example.org>", "cv25519")),
        key(PublicKey::parse(home.exported(fingerprint)).value()) {
    home.store("list.asc", listKey().publicKey().armored());
    home.gpg("--import " + quoted(home / "list.asc"));
  }
  std::string encrypt(const std::string& plain, const std::string& options) const {
    home.store("plain", plain);
    const auto result = home.gpg("--trust-model always --armor -r board@lists.example " + options +
                                 " --encrypt --output " + quoted(home / "out.asc") + " " + quoted(home / "plain"));
    BOOST_TEST(result.status == 0, result.output);
    return home.read("out.asc");
  }
};

std::string encryptedPackets(const std::string& message) {
  return dearmor("MESSAGE", armoredPart(message), true).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_pgp_Opening)

BOOST_AUTO_TEST_CASE(opens_its_own_copies_of_any_size) {
  for (const std::size_t size : {0u, 1u, 600u, 700u, 20'000u, 300'000u}) {
    const auto plain = crypto::randomBytes(size);
    const auto result = opened(copyOf(plain));
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST((result->content == plain));
    BOOST_TEST(wordOf(result) == "none");
  }
}

BOOST_AUTO_TEST_CASE(opens_what_gpg_encrypts_and_verifies_what_it_signs) {
  const Anna anna;
  for (const std::string compression : {"none", "zip", "zlib"}) {
    const auto options = "--compress-algo " + compression;
    const auto plain = opened(mime(anna.encrypt(Inner, options)), {anna.key});
    BOOST_REQUIRE_MESSAGE(plain.has_value(), compression);
    BOOST_TEST(plain->content == Inner);
    BOOST_TEST(wordOf(plain) == "none");
    const auto signedOne = opened(mime(anna.encrypt(Inner, options + " --sign")), {anna.key});
    BOOST_TEST(wordOf(signedOne) == "valid");
    BOOST_TEST(signedOne->signature.valid());
    BOOST_TEST(signedOne->signature.signer == anna.key.fingerprint());
    BOOST_TEST(wordOf(opened(mime(anna.encrypt(Inner, options + " --sign")), {})) == "unknown-key");
    BOOST_TEST(wordOf(opened(mime(anna.encrypt(Inner, options + " --sign")), {listKey().publicKey()})) ==
               "unknown-key");
  }
  const auto inlineOne =
      opened("Subject: x\r\nContent-Type: text/plain\r\n\r\n" + anna.encrypt(Inner, "--sign"), {anna.key});
  BOOST_TEST(wordOf(inlineOne) == "valid");
  BOOST_TEST(!inlineOne->isEntity);
}

BOOST_AUTO_TEST_CASE(verifies_a_signed_entity_inside_and_outside) {
  const auto signer = SecretKey::create("Anna", "anna@example.org", now(), std::chrono::days(10));
  const auto entity = Signer(signer).sign(Inner, now());
  const std::vector keys{signer.publicKey()};
  BOOST_TEST(wordOf(opened(copyOf(entity), keys)) == "valid");
  const auto word = [&](const std::string& text, TimePoint at = now()) {
    return std::string(stateName(verifySigned(text, keys, at).state));
  };
  BOOST_TEST(word(entity) == "valid");
  BOOST_TEST(verifySigned(entity, keys, now()).valid());
  BOOST_TEST(word(Inner) == "none");
  auto changed = entity;
  changed[changed.find("figures")] = 'F';
  BOOST_TEST(word(changed) == "invalid");
  BOOST_TEST(word(entity, now() + std::chrono::days(20)) == "key-expired");
  BOOST_TEST(word(entity, now() - std::chrono::days(2)) != "valid");
  // Something beside what is signed: a third part, a preamble, an epilogue.
  const auto boundary = entity.substr(entity.find("boundary=\"") + 10, 31);
  auto third = entity;
  third.insert(third.rfind("--" + boundary + "--"), "--" + boundary + "\r\nContent-Type: text/plain\r\n\r\nPay me\r\n");
  BOOST_TEST(word(third) == "partial");
  BOOST_TEST(word(entity + "Pay me\r\n") == "partial");
  auto preamble = entity;
  preamble.insert(preamble.find("\r\n\r\n") + 4, "Pay me\r\n");
  BOOST_TEST(word(preamble) == "partial");
  const auto revoked = std::vector{signer.revoked(now(), Revocation::Compromised, "").publicKey()};
  BOOST_TEST(std::string(stateName(verifySigned(entity, revoked, now()).state)) == "key-revoked");
}

BOOST_AUTO_TEST_CASE(two_signers_are_no_signer) {
  const Anna anna;
  anna.home.makeKey("Bert <bert@example.org>", "");
  const auto message = mime(anna.encrypt(Inner, "-u anna@example.org -u bert@example.org --sign"));
  const auto result = opened(message, {anna.key});
  BOOST_TEST(wordOf(result) == "several");
  BOOST_TEST(!result->signature.valid());
}

BOOST_AUTO_TEST_CASE(a_weak_digest_does_not_count) {
  const Anna anna;
  const auto message = mime(anna.encrypt(Inner, "--sign --digest-algo SHA1 --allow-weak-digest-algos"));
  const auto word = wordOf(opened(message, {anna.key}));
  BOOST_TEST((word == "unsupported" || word == "invalid"), word);
}

BOOST_AUTO_TEST_CASE(refuses_mail_for_others_and_changed_mail_alike) {
  const auto other = SecretKey::create("Other", "o@example.org", now(), std::chrono::days(10));
  const auto message = copyOf(std::string(3000, 'x'));
  BOOST_TEST(!pgp::open(message, std::vector{other}, {}, now()).has_value());
  const auto bytes = encryptedPackets(message);
  BOOST_TEST(opened(mime(armor("MESSAGE", bytes))).has_value());
  for (std::size_t at = 0; at < bytes.size(); at += 37) {
    auto changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    if (at > 1 && at < 10) continue;
    BOOST_TEST(!opened(mime(armor("MESSAGE", changed))).has_value(), "byte " << at);
  }
  for (std::size_t size = 0; size < bytes.size(); size += 101)
    BOOST_TEST(!opened(mime(armor("MESSAGE", bytes.substr(0, size)))).has_value());
}

// attack 5: the ciphertext in the older packet without integrity protection, and with the digest cut off.
BOOST_AUTO_TEST_CASE(refuses_data_without_integrity_protection) {
  const auto bytes = encryptedPackets(copyOf(Inner));
  PacketReader reader(bytes);
  const auto keyPacket = std::string(reader.next()->raw);
  const auto data = std::string(reader.next()->body);
  BOOST_TEST(opened(mime(armor("MESSAGE", keyPacket + packet(PacketTag::Seipd, data)))).has_value());
  BOOST_TEST(!opened(mime(armor("MESSAGE", keyPacket + packet(PacketTag::Sed, data.substr(1))))).has_value());
  BOOST_TEST(!opened(mime(armor("MESSAGE", keyPacket + packet(PacketTag::Seipd, data.substr(0, data.size() - 22)))))
                  .has_value());
  BOOST_TEST(
      !opened(mime(armor("MESSAGE", packet(PacketTag::Literal, std::string("b\0\0\0\0\0", 6) + Inner)))).has_value());
  BOOST_TEST(
      !opened(mime(armor("MESSAGE", keyPacket + packet(PacketTag::Literal, std::string("b\0\0\0\0\0", 6) + Inner))))
           .has_value());
}

BOOST_AUTO_TEST_CASE(refuses_anything_before_after_or_around) {
  const auto message = copyOf(Inner);
  const auto bytes = encryptedPackets(message);
  const auto good = armor("MESSAGE", bytes);
  BOOST_TEST(opened(mime(good)).has_value());
  BOOST_TEST(!opened(mime(armor("MESSAGE", bytes + packet(PacketTag::Literal, std::string("b\0\0\0\0\0", 6) + "x"))))
                  .has_value());
  BOOST_TEST(!opened(mime(armor("MESSAGE", bytes + bytes))).has_value());
  BOOST_TEST(!opened(mime(good + "words")).has_value());
  BOOST_TEST(!opened(mime("words\r\n" + good)).has_value());
  BOOST_TEST(!opened(mime(good) + "words").has_value());
  BOOST_TEST(!opened("Content-Type: text/plain\r\n\r\nHello\r\n" + good).has_value());
  BOOST_TEST(!opened("Content-Type: text/html\r\n\r\n" + good).has_value());
  // Captured and put into another message.
  const std::string outer = "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n";
  BOOST_TEST(!opened(outer + message.substr(message.find("Content-Type")) + "\r\n--o--\r\n").has_value());
  BOOST_TEST(!opened(outer + "Content-Type: message/rfc822\r\n\r\n" + message + "\r\n--o--\r\n").has_value());
  BOOST_TEST(!opened("Content-Type: message/rfc822\r\n\r\n" + message).has_value());
  BOOST_TEST(!opened("Content-Type: text/plain\r\n" + message).has_value());
}

// attack 20
BOOST_AUTO_TEST_CASE(bombs_are_refused_by_their_size) {
  const Anna anna;
  OpenLimits limits;
  limits.maxContent = 100'000;
  const std::string big(1'000'000, 'x');
  BOOST_TEST(opened(mime(anna.encrypt(big, "--compress-algo zlib"))).has_value());
  BOOST_TEST(!opened(mime(anna.encrypt(big, "--compress-algo zlib")), {}, now(), limits).has_value());
  BOOST_TEST(!opened(mime(anna.encrypt(big, "--compress-algo none")), {}, now(), limits).has_value());
  BOOST_TEST(!opened(mime(anna.encrypt(big, "--compress-algo bzip2"))).has_value());
  limits.maxMessage = 100;
  BOOST_TEST(!opened(copyOf(Inner), {}, now(), limits).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
