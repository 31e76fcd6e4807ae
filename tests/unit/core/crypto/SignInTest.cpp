#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Password.h"
#include "core/crypto/Totp.h"

using namespace postern;
using namespace postern::crypto;

BOOST_AUTO_TEST_SUITE(core_crypto_SignIn)

BOOST_AUTO_TEST_CASE(password_hash_verifies_its_password_only) {
  PasswordHasher hasher;
  const auto encoded = hasher.hash(Secret("correct horse"));
  BOOST_TEST(encoded.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  BOOST_TEST(hasher.verify(Secret("correct horse"), encoded));
  BOOST_TEST(!hasher.verify(Secret("correct horsf"), encoded));
  BOOST_TEST(!hasher.verify(Secret(""), encoded));
  BOOST_TEST(encoded != hasher.hash(Secret("correct horse")));
  BOOST_TEST(!hasher.verify(Secret("correct horse"), std::nullopt));
  BOOST_TEST(!hasher.verify(Secret(std::string(5000, 'x')), encoded));
}

BOOST_AUTO_TEST_CASE(damaged_password_hash_is_an_error_and_takes_no_memory) {
  PasswordHasher hasher;
  for (const auto* encoded :
       {"", "x", "$argon2id$v=19$m=19456,t=2,p=1$", "$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHQ$aGFzaA"})
    BOOST_CHECK_THROW(hasher.verify(Secret("x"), std::string(encoded)), Error);
}

BOOST_AUTO_TEST_CASE(password_hashes_wait_for_each_other) {
  PasswordHasher hasher(1);
  const auto encoded = hasher.hash(Secret("p"));
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back([&] { good += hasher.verify(Secret("p"), encoded) ? 1 : 0; });
  }
  BOOST_TEST(good == 3);
}

// RFC 6238 appendix B, last six digits of the SHA-1 column
BOOST_AUTO_TEST_CASE(totp_gives_the_published_codes) {
  const Secret secret("12345678901234567890");
  const std::pair<std::int64_t, std::string> cases[] = {{59, "287082"},         {1111111109, "081804"},
                                                        {1111111111, "050471"}, {1234567890, "005924"},
                                                        {2000000000, "279037"}, {20000000000, "353130"}};
  for (const auto& [seconds, code] : cases) {
    const TimePoint at{std::chrono::seconds(seconds)};
    BOOST_TEST(totpCode(secret, at) == code);
    BOOST_TEST(checkTotp(secret, code, at, 0).value() == static_cast<std::uint64_t>(seconds / 30));
  }
}

BOOST_AUTO_TEST_CASE(totp_takes_neighbouring_steps_once) {
  const auto secret = makeTotpSecret();
  const TimePoint now{std::chrono::seconds(1700000000)};
  const auto code = totpCode(secret, now);
  const auto step = checkTotp(secret, code, now, 0);
  BOOST_REQUIRE(step.has_value());
  BOOST_TEST(!checkTotp(secret, code, now, *step).has_value());
  BOOST_TEST(checkTotp(secret, code, now + std::chrono::seconds(30), 0).has_value());
  BOOST_TEST(checkTotp(secret, code, now - std::chrono::seconds(30), 0).has_value());
  BOOST_TEST(!checkTotp(secret, code, now + std::chrono::seconds(90), 0).has_value());
  for (const auto* wrong : {"", "12345", "1234567", "abcdef"})
    BOOST_TEST(!checkTotp(secret, wrong, now, 0).has_value());
}

BOOST_AUTO_TEST_CASE(totp_uri_is_encoded) {
  BOOST_TEST(totpUri("Postern", "anna & co", Secret("12345678901234567890")) ==
             "otpauth://totp/Postern:anna%20%26%20co?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Postern"
             "&algorithm=SHA1&digits=6&period=30");
}

BOOST_AUTO_TEST_SUITE_END()
