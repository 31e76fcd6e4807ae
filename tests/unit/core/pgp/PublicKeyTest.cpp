#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/pgp/Armor.h"
#include "core/pgp/Packets.h"
#include "core/pgp/SecretKey.h"
#include "core/pgp/Signer.h"
#include "tests/unit/core/pgp/PgpFixture.h"

#include <ctime>

using namespace postern;
using namespace postern::pgp;
using namespace postern::test;

namespace {

std::string codeOf(std::string_view bytes) {
  const auto key = PublicKey::parse(bytes);
  return key ? "" : key.error().code;
}

std::string number(std::size_t value, int bytes) {
  std::string out;
  while (bytes-- > 0) out.push_back(static_cast<char>(static_cast<unsigned char>(value >> (8 * bytes))));
  return out;
}

std::string rsaKey(std::size_t bits, const std::string& exponent = number(65537, 3), char version = 4) {
  auto modulus = crypto::randomBytes(bits / 8);
  modulus.front() = static_cast<char>(modulus.front() | 0x80);
  modulus.back() = static_cast<char>(modulus.back() | 1);
  return std::string(1, version) + number(1'700'000'000, 4) + "\x01" + mpi(modulus) + mpi(exponent);
}

// A good key of one list, its packets ready to be rearranged.
const SecretKey& listKey() {
  static const auto key = SecretKey::create("Board", "board@lists.example", now(), std::chrono::days(100));
  return key;
}

std::vector<std::string> packetsOf(const PublicKey& key) {
  std::vector<std::string> packets;
  PacketReader reader(key.bytes());
  while (const auto packet = reader.next()) packets.emplace_back(packet->raw);
  return packets;
}

KeyReport reportOf(const std::string& bytes, TimePoint at = now()) {
  const auto key = PublicKey::parse(bytes);
  BOOST_REQUIRE_MESSAGE(key.has_value(), codeOf(bytes));
  return key->inspect(at);
}

std::string wordOf(const KeyReport& report) {
  return stateName(report.state);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_pgp_PublicKey)

BOOST_AUTO_TEST_CASE(reads_armored_and_binary_keys_alike) {
  const auto& key = listKey().publicKey();
  const auto again = PublicKey::parse(key.armored());
  BOOST_REQUIRE(again.has_value());
  BOOST_TEST(again->bytes() == key.bytes());
  BOOST_TEST(again->fingerprint() == key.fingerprint());
  BOOST_TEST(PublicKey::parse("Here is my key.\n\n" + key.armored() + "\nRegards\n").has_value());
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_single_public_key) {
  const auto& key = listKey().publicKey();
  BOOST_TEST(codeOf("") == "malformed");
  BOOST_TEST(codeOf("hello") == "malformed");
  BOOST_TEST(codeOf(key.armored() + key.armored()) == "malformed");
  BOOST_TEST(codeOf(key.bytes() + key.bytes()) == "several");
  BOOST_TEST(codeOf(key.bytes().substr(0, key.bytes().size() - 3)) == "malformed");
  BOOST_TEST(codeOf(listKey().serialized().view()) == "private-key");
  BOOST_TEST(codeOf("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n") ==
             "private-key");
  auto damaged = key.armored();
  damaged[damaged.find("\r\n\r\n") + 90] ^= 1;
  BOOST_TEST(codeOf(damaged) == "malformed");
}

BOOST_AUTO_TEST_CASE(refuses_versions_and_algorithms_that_cannot_be_verified) {
  for (const char version : {3, 5, 6})
    BOOST_TEST(codeOf(packet(PacketTag::PublicKey, rsaKey(2048, number(65537, 3), version))) == "unsupported-version");
  BOOST_TEST(codeOf(packet(PacketTag::PublicKey, "\x04" + number(1, 4) + "\x63" + "abc")) == "unsupported-algorithm");
  const std::string oddCurve =
      "\x04" + number(1, 4) + "\x13\x05\x2b\x81\x04\x00\x0a" + mpi("\x04" + crypto::randomBytes(64));
  BOOST_TEST(codeOf(packet(PacketTag::PublicKey, oddCurve)) != "");
}

// attacks 20 and 21: refused by a walk over the packets, before librnp or OpenSSL computes anything.
BOOST_AUTO_TEST_CASE(refuses_bombs_before_computing) {
  BOOST_TEST(codeOf(packet(PacketTag::PublicKey, rsaKey(16384))) == "malformed");
  BOOST_TEST(codeOf(packet(PacketTag::PublicKey, rsaKey(2048, "\x01" + crypto::randomBytes(255)))) == "malformed");
  const auto& key = listKey().publicKey();
  const auto packets = packetsOf(key);
  BOOST_REQUIRE(packets.size() == 5u);
  std::string names = packets[0];
  for (int i = 0; i < 200; ++i) names += packet(PacketTag::UserId, "n" + std::to_string(i));
  BOOST_TEST(codeOf(names) == "too-complex");
  std::string signatures = packets[0] + packets[1];
  for (int i = 0; i < 1000; ++i) {  // each its own: the last byte is another one, or the one before
    auto other = packets[2];
    other[other.size() - 1 - static_cast<std::size_t>(i % 8)] = static_cast<char>(i / 8);
    other[other.size() - 9] = static_cast<char>(i % 251);
    signatures += other;
  }
  BOOST_TEST(codeOf(signatures) == "too-complex");
  std::string subkeys = key.bytes();
  for (int i = 0; i < 100; ++i) subkeys += packets[3] + packets[4];
  BOOST_TEST(codeOf(subkeys) == "too-complex");
  std::string empties = packets[0];
  for (int i = 0; i < 100'000; ++i) empties += packet(PacketTag::Marker, "PGP");
  BOOST_TEST(codeOf(empties) == "too-complex");
  BOOST_TEST(codeOf(std::string(PublicKey::MaxText + 1, '\x99')) == "too-large");
  BOOST_TEST(codeOf("\xc6\xff\xff\xff\xff\xff" + crypto::randomBytes(100)) == "malformed");
  BOOST_TEST(codeOf(packets[0] + packet(PacketTag::UserId, std::string(5000, 'x'))) == "too-complex");
}

// More of attack 21: numbers that lie about their size, lengths in pieces, areas of subpackets without end, signatures
// within signatures. Whatever comes of it comes at once, and nothing can be encrypted to what is left.
BOOST_AUTO_TEST_CASE(packets_that_lie_about_themselves_cost_nothing) {
  const auto packets = packetsOf(listKey().publicKey());
  const auto head = "\x04" + number(1'700'000'000, 4) + "\x01";
  const auto subpacket = [](std::size_t size) { return "\xff" + number(size, 4) + std::string(size, '\x14'); };
  const auto signature = [&](const std::string& hashed) {
    return packet(PacketTag::Signature,
                  "\x04\x13\x16\x0a" + number(hashed.size(), 2) + hashed + number(0, 2) + "ab" + mpi("x"));
  };
  std::string manySubpackets, nested = "x";
  for (int i = 0; i < 20'000; ++i) manySubpackets += "\x02\x14x";
  for (int i = 0; i < 60; ++i) nested = "\xff" + number(nested.size() + 1, 4) + "\x20" + nested;  // embedded signatures
  const std::vector<std::string> hostile = {
      packet(PacketTag::PublicKey, head + number(65535, 2) + "short"),   // an MPI longer than its packet
      packet(PacketTag::PublicKey, head + number(0, 2) + number(0, 2)),  // RSA of no bits
      packet(PacketTag::PublicKey, head + mpi(std::string(256, '\xff')) + mpi("\x01")),  // exponent 1
      packet(PacketTag::PublicKey, head + mpi(std::string(256, '\xff')) + mpi("\x02")),  // an even one
      "\xc6\xe1" + std::string(2, 'x') + "\xe0x\x01x",                                   // a key in partial lengths
      packets[0] + packets[1] + signature(manySubpackets),
      packets[0] + packets[1] + signature(subpacket(60'000)),
      packets[0] + packets[1] + signature(nested),
      packets[0] + packet(PacketTag::UserAttribute, std::string(400'000, 'x')),
      packets[0] + packets[2] + packets[1] + packets[4] + packets[3],  // everything in the wrong order
      packets[3] + packets[4],                                         // a subkey alone
      std::string(PublicKey::MaxText, '\xb4'),                         // user ids of no end
  };
  const auto begin = std::clock();
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    const auto key = PublicKey::parse(hostile[i]);
    if (!key) continue;
    const auto report = key->inspect(now());
    BOOST_TEST(!report.valid(), i);
    BOOST_TEST(!report.chosen.has_value(), i);
  }
  BOOST_TEST(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 2.0);
}

BOOST_AUTO_TEST_CASE(signatures_of_others_and_photographs_are_taken_out) {
  const auto packets = packetsOf(listKey().publicKey());
  const auto other = SecretKey::create("Other", "other@example.org", now(), std::chrono::days(10));
  const auto foreign = packetsOf(other.publicKey())[2];
  std::string bytes = packets[0] + packets[1] + packets[2];
  for (int i = 0; i < 1000; ++i) bytes += foreign;
  bytes += packet(PacketTag::UserAttribute, "photo") + foreign + packets[2] + packets[3] + packets[4];
  const auto key = PublicKey::parse(bytes);
  BOOST_REQUIRE(key.has_value());
  BOOST_TEST(key->bytes() == listKey().publicKey().bytes());
}

BOOST_AUTO_TEST_CASE(an_address_counts_only_if_the_key_itself_signed_it) {
  const auto packets = packetsOf(listKey().publicKey());
  const auto forged = packet(PacketTag::UserId, "Mallory <victim@example.org>");
  const auto report = reportOf(packets[0] + packets[1] + packets[2] + forged + packets[2] + packets[3] + packets[4]);
  BOOST_TEST(wordOf(report) == "valid", report.detail);
  BOOST_TEST(report.hasAddress("board@lists.example"));
  BOOST_TEST(report.hasAddress("Board@Lists.Example"));
  BOOST_TEST(!report.hasAddress("victim@example.org"));
  BOOST_TEST(std::string(stateName(check(report, "victim@example.org").state)) == "wrong-address");
  const auto bare = reportOf(packets[0] + forged + packets[3] + packets[4]);
  BOOST_TEST(!bare.hasAddress("victim@example.org"));
}

BOOST_AUTO_TEST_CASE(a_user_id_that_could_mean_two_addresses_means_none) {
  for (const std::string id : {"a@example.org <b@example.org> <c@example.org>", "x <b@example.org> y", "<b@example.org",
                               "no address", "b@example.org>", "<<b@example.org>>"}) {
    GpgHome home;
    const auto made = home.gpg("--allow-freeform-uid --quick-gen-key '" + id + "' ed25519 sign 1y");
    const auto key = PublicKey::parse(home.exported(""));
    if (!key) continue;
    for (const auto& user : key->inspect(now()).userIds)
      BOOST_TEST(user.address == "", id << " gives " << user.address);
  }
}

BOOST_AUTO_TEST_CASE(a_subkey_without_a_valid_binding_is_not_encrypted_to) {
  const auto packets = packetsOf(listKey().publicKey());
  const auto other = packetsOf(SecretKey::create("Other", "o@example.org", now(), std::chrono::days(10)).publicKey());
  // Somebody else's encryption key put under ours, with our binding of another key, or with none.
  for (const auto& bytes :
       {packets[0] + packets[1] + packets[2] + other[3] + packets[4],
        packets[0] + packets[1] + packets[2] + other[3] + other[4], packets[0] + packets[1] + packets[2] + other[3]}) {
    const auto key = PublicKey::parse(bytes);
    BOOST_REQUIRE(key.has_value());
    const auto report = key->inspect(now());
    BOOST_TEST(wordOf(report) != "valid");
    BOOST_TEST(!RecipientKey::of(*key, report).has_value());
  }
}

BOOST_AUTO_TEST_CASE(unknown_subkeys_are_named_and_passed_over) {
  auto bytes = listKey().publicKey().bytes();
  bytes += packet(PacketTag::PublicSubkey, "\x06" + crypto::randomBytes(60));
  bytes += packet(PacketTag::PublicSubkey, "\x05" + crypto::randomBytes(60));
  bytes += packet(PacketTag::PublicSubkey, "\x04" + number(1, 4) + "\x63" + crypto::randomBytes(9));
  const auto report = reportOf(bytes);
  BOOST_TEST(wordOf(report) == "valid");
  BOOST_REQUIRE(report.keys.size() == 5u);
  BOOST_TEST(report.keys[2].algorithm == "version 6");
  BOOST_TEST(report.keys[3].algorithm == "version 5");
  BOOST_TEST(std::string(stateName(report.keys[4].encryption)) == "unsupported");
  BOOST_TEST(*report.chosen == 1u);
}

BOOST_AUTO_TEST_CASE(the_newest_usable_subkey_of_a_gpg_key_is_taken) {
  GpgHome home;
  const auto past = [](const std::string& day) { return "--faked-system-time " + day + "T120000! "; };
  home.gpg(past("20240101") + "--quick-gen-key 'Anna <anna@example.org>' ed25519 sign 20y");
  const auto id = home.fingerprintOf("Anna <anna@example.org>");
  BOOST_REQUIRE(id.size() == 40u);
  home.gpg(past("20240102") + "--quick-add-key " + id + " cv25519 encr 1y");    // expired
  home.gpg(past("20240103") + "--quick-add-key " + id + " nistp256 encr 15y");  // the older usable one
  home.gpg(past("20240104") + "--quick-add-key " + id + " rsa3072 encr 15y");   // to be taken
  home.gpg(past("20240105") + "--quick-add-key " + id + " cv25519 encr 15y");   // revoked below
  home.gpg(past("20240106") + "--quick-add-key " + id + " ed25519 sign 15y");   // not for encryption
  const auto revoked = run("printf 'key 4\\nrevkey\\ny\\n0\\n\\ny\\nsave\\n' | gpg --homedir " + quoted(home / "home") +
                           " --no-tty --pinentry-mode loopback --passphrase '' --command-fd 0 --edit-key " + id);
  const auto report = reportOf(home.exported(id));
  BOOST_TEST(wordOf(report) == "valid", report.detail);
  BOOST_REQUIRE(report.keys.size() == 6u);
  const auto word = [&](std::size_t i) { return std::string(stateName(report.keys[i].encryption)); };
  BOOST_TEST(word(0) == "wrong-usage");
  BOOST_TEST(word(1) == "expired");
  BOOST_TEST(word(2) == "valid");
  BOOST_TEST(word(3) == "valid");
  BOOST_TEST(word(4) == "revoked", revoked.output);
  BOOST_TEST(word(5) == "wrong-usage");
  BOOST_TEST(*report.chosen == 3u);
  BOOST_TEST(report.keys[3].algorithm == "RSA 3072");
  // Long ago and far ahead the verdict is another one.
  BOOST_TEST(wordOf(reportOf(home.exported(id), TimePoint(std::chrono::seconds(1'600'000'000)))) == "not-yet-valid");
  BOOST_TEST(wordOf(reportOf(home.exported(id), TimePoint(std::chrono::seconds(2'300'000'000)))) == "expired");
}

BOOST_AUTO_TEST_CASE(expired_revoked_weak_and_signing_only_keys_are_told_apart) {
  GpgHome home;
  home.gpg("--faked-system-time 20240101T120000! --quick-gen-key 'Old <old@example.org>' ed25519 sign 1y");
  home.gpg("--faked-system-time 20240101T120000! --quick-add-key " + home.fingerprintOf("Old <old@example.org>") +
           " cv25519 encr 1y");
  BOOST_TEST(wordOf(reportOf(home.exported("old@example.org"))) == "expired");
  home.makeKey("Sign <sign@example.org>", "");
  BOOST_TEST(wordOf(reportOf(home.exported("sign@example.org"))) == "wrong-usage");
  home.makeKey("Weak <weak@example.org>", "rsa1024");
  const auto weak = reportOf(home.exported("weak@example.org"));
  BOOST_TEST(wordOf(weak) == "weak-key", weak.detail);
  home.makeKey("Curve <curve@example.org>", "brainpoolP256r1");
  BOOST_TEST(wordOf(reportOf(home.exported("curve@example.org"))) == "unsupported");
  const auto gone = listKey().revoked(now(), Revocation::Compromised, "stolen");
  BOOST_TEST(wordOf(gone.publicKey().inspect(now())) == "revoked");
  BOOST_TEST(!RecipientKey::of(gone.publicKey(), now()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
