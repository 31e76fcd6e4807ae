#include "core/base/Error.h"
#include "core/crypto/Aead.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Hkdf.h"
#include "core/crypto/KeyWrap.h"
#include "core/crypto/Random.h"
#include "core/crypto/SealedBox.h"

#include <numeric>

using namespace postern;
using namespace postern::crypto;

namespace {

std::string bytes(std::string_view hexText) {
  return fromHex(hexText).value();
}

// Every single changed byte and every shortening must be refused.
template <class Open>
void checkTampering(const std::string& sealed, Open open) {
  BOOST_CHECK_NO_THROW(open(sealed));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    for (const int bit : {1, 128}) {
      auto changed = sealed;
      changed[at] = static_cast<char>(changed[at] ^ bit);
      BOOST_CHECK_THROW(open(changed), Error);
    }
    BOOST_CHECK_THROW(open(sealed.substr(0, at)), Error);
  }
  BOOST_CHECK_THROW(open(sealed + "x"), Error);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_crypto_Sealing)

BOOST_AUTO_TEST_CASE(digests_give_the_published_values) {
  BOOST_TEST(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(hex(Sha256().update("a").update("").update("bc").finish()) == hex(sha256("abc")));
  // RFC 4231 case 2
  BOOST_TEST(hex(hmacSha256("Jefe", "what do ya want for nothing?")) ==
             "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  BOOST_TEST(hex(hmacSha256("", "")) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  BOOST_TEST(equalConstantTime("abc", "abc"));
  BOOST_TEST(!equalConstantTime("abc", "abd"));
  BOOST_TEST(!equalConstantTime("abc", "ab"));
  BOOST_TEST(equalConstantTime("", ""));
}

// RFC 5869 appendix A, cases 1 to 3
BOOST_AUTO_TEST_CASE(hkdf_gives_the_published_values) {
  const std::string key(22, '\x0b');
  BOOST_TEST(hex(hkdfSha256(key, bytes("000102030405060708090a0b0c"), bytes("f0f1f2f3f4f5f6f7f8f9"), 42).view()) ==
             "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  BOOST_TEST(hex(hkdfSha256(key, "", "", 42).view()) ==
             "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  std::string longKey(80, '\0'), salt(80, '\0'), info(80, '\0');
  std::iota(longKey.begin(), longKey.end(), '\0');
  std::iota(salt.begin(), salt.end(), '\x60');
  std::iota(info.begin(), info.end(), static_cast<char>(0xb0));
  BOOST_TEST(
      hex(hkdfSha256(longKey, salt, info, 82).view()) ==
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f"
      "09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

// RFC 3394 §4.6
BOOST_AUTO_TEST_CASE(key_wrap_gives_the_published_value) {
  const Secret wrapping(bytes("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"));
  const Secret key(bytes("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F"));
  const auto wrapped = wrapKey(wrapping, key);
  BOOST_TEST(hex(wrapped) == "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
  BOOST_TEST(unwrapKey(wrapping, wrapped).view() == key.view());
  checkTampering(wrapped, [&](std::string_view text) { return unwrapKey(wrapping, text); });
}

BOOST_AUTO_TEST_CASE(aead_opens_what_it_sealed_and_nothing_else) {
  const AeadKey key(AeadKey::generate());
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 1000u}) {
    const auto plain = randomBytes(size);
    const auto sealed = key.seal(plain, "row 7");
    BOOST_TEST(sealed.size() == size + AeadKey::Overhead);
    BOOST_TEST((key.open(sealed, "row 7") == plain));
    BOOST_CHECK_THROW(key.open(sealed, "row 8"), Error);
    BOOST_CHECK_THROW(AeadKey(AeadKey::generate()).open(sealed, "row 7"), Error);
    BOOST_TEST(sealed != key.seal(plain, "row 7"));
  }
  checkTampering(key.seal("content", "row 7"), [&](std::string_view text) { return key.open(text, "row 7"); });
  BOOST_CHECK_THROW(AeadKey(Secret("short")), Error);
}

BOOST_AUTO_TEST_CASE(aead_records_have_the_same_form) {
  const auto secret = AeadKey::generate();
  const AeadKey key(secret);
  AeadRecords records(secret);
  for (int i = 0; i < 50; ++i) {
    const auto plain = std::string(static_cast<std::size_t>(i), 'p');
    BOOST_TEST(key.open(records.seal(plain, "c"), "c") == plain);
    BOOST_TEST(records.open(key.seal(plain, ""), "") == plain);
    BOOST_CHECK_THROW(records.open(key.seal(plain, "other"), "c"), Error);
  }
  std::string log = "before";
  records.sealTo(log, "plain", "c");
  BOOST_TEST(records.open(std::string_view(log).substr(6), "c") == "plain");
}

BOOST_AUTO_TEST_CASE(sealed_box_opens_only_with_the_private_key_and_the_context) {
  const auto keys = SealedBoxKeys::generate();
  BOOST_TEST(SealedBoxKeys::fromPrivateKey(keys.privateKey).publicKey == keys.publicKey);
  SealedBoxWriter writer(keys.publicKey);
  SealedBoxReader reader(keys.privateKey);
  for (const std::size_t size : {0u, 1u, 100u, 100000u}) {
    const auto plain = randomBytes(size);
    const auto sealed = writer.seal(plain, "accepted");
    BOOST_TEST(sealed.size() == size + SealedBoxOverhead);
    BOOST_TEST((reader.open(sealed, "accepted") == plain));
    BOOST_CHECK_THROW(reader.open(sealed, "else"), Error);
    BOOST_CHECK_THROW(SealedBoxReader(SealedBoxKeys::generate().privateKey).open(sealed, "accepted"), Error);
  }
  checkTampering(writer.seal("content", ""), [&](std::string_view text) { return reader.open(text, ""); });
  BOOST_CHECK_THROW(SealedBoxWriter("short"), Error);
}

BOOST_AUTO_TEST_CASE(sealed_box_refuses_a_public_key_that_gives_no_secret) {
  BOOST_CHECK_THROW(SealedBoxWriter(std::string(32, '\0')).seal("x", ""), Error);
  const auto keys = SealedBoxKeys::generate();
  BOOST_CHECK_THROW(SealedBoxReader(keys.privateKey).open("\x01" + std::string(100, '\0'), ""), Error);
}

BOOST_AUTO_TEST_CASE(sealed_box_changes_its_ephemeral_key_after_1000_messages) {
  const auto keys = SealedBoxKeys::generate();
  SealedBoxWriter writer(keys.publicKey);
  SealedBoxReader reader(keys.privateKey);
  std::map<std::string, unsigned> used;
  std::set<std::string> ciphertexts;
  for (int i = 0; i < 2500; ++i) {
    const auto sealed = writer.seal("same", "");
    ++used[sealed.substr(1, 32)];
    ciphertexts.insert(sealed.substr(65));
    BOOST_TEST(reader.open(sealed, "") == "same");
  }
  BOOST_TEST(used.size() >= 3u);
  BOOST_TEST(ciphertexts.size() == 2500u);
  for (const auto& [key, count] : used) BOOST_TEST(count <= SealedBoxWriter::MessagesPerKey);
}

// What was sealed cannot be opened from this process's memory for longer than a second, also when nothing follows.
BOOST_AUTO_TEST_CASE(sealed_box_forgets_its_shared_secret_after_a_second) {
  const auto keys = SealedBoxKeys::generate();
  SealedBoxWriter writer(keys.publicKey);
  BOOST_TEST(!writer.holdsKey());
  const auto sealed = writer.seal("one", "");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (writer.holdsKey() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  BOOST_TEST(!writer.holdsKey());
  const auto later = writer.seal("two", "");
  BOOST_TEST(sealed.substr(1, 32) != later.substr(1, 32));
  SealedBoxReader reader(keys.privateKey);
  BOOST_TEST(reader.open(sealed, "") == "one");
  BOOST_TEST(reader.open(later, "") == "two");
}

BOOST_AUTO_TEST_CASE(sealed_box_serves_several_threads) {
  const auto keys = SealedBoxKeys::generate();
  SealedBoxWriter writer(keys.publicKey);
  SealedBoxReader reader(keys.privateKey);
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 600; ++i) {
          const auto plain = std::to_string(t) + ":" + std::to_string(i);
          if (reader.open(writer.seal(plain, "c"), "c") == plain) ++good;
        }
      });
  }
  BOOST_TEST(good == 2400);
}

BOOST_AUTO_TEST_SUITE_END()
