// Copies as listd makes them, before the last check of the gateway.
#include "core/crypto/Random.h"
#include "core/pgp/Sealer.h"
#include "core/pgp/SecretKey.h"
#include "gateway/deliver/FloorGuard.h"

using namespace postern;
using app::Copy;
using app::Protection;
using gateway::FloorGuard;
using gateway::OutboundTail;

BOOST_AUTO_TEST_SUITE(across_PgpCopyPasses)

BOOST_AUTO_TEST_CASE(the_guard_takes_what_the_sealer_makes_and_judges_the_tail_once) {
  const auto now = SystemClock().now();
  const pgp::Sealer sealer;
  std::vector<pgp::RecipientKey> recipients;
  for (int i = 0; i < 4; ++i)
    recipients.push_back(*pgp::RecipientKey::of(
        pgp::SecretKey::create("", "a@example.org", now, std::chrono::days(1)).publicKey(), now));
  pgp::RecipientKey rsa;
  rsa.kind = pgp::KeyKind::Rsa;
  rsa.algorithm = 1;
  rsa.exponent = std::string("\x01\x00\x01", 3);
  rsa.fingerprint = rsa.keyFingerprint = crypto::randomBytes(20);
  for (const std::size_t size : {256u, 384u, 512u, 1024u}) {
    rsa.modulus = std::string(1, '\xc3') + crypto::randomBytes(size - 2) + "\x01";
    recipients.push_back(rsa);
  }
  const std::string header = "From: board@lists.example\r\nTo: board@lists.example\r\nSubject: [...]\r\n";
  for (const std::size_t size :
       {0u, 100u, 614u, 615u, 616u, 617u, 618u, 619u, 620u, 700u, 1000u, 20'000u, 1'000'000u}) {
    const auto body = pgp::SharedBody::encrypt(crypto::randomBytes(size));
    const auto tail = OutboundTail::make(std::make_shared<const std::string>(body.tail())).value();
    std::vector<gateway::PgpShape> states;
    for (const auto& recipient : recipients) {
      const auto head = header + sealer.head(body, recipient);
      const auto check = [&](Protection protection) {
        return FloorGuard::check(Copy::Kind::Content, protection, Protection::OpenPgp, head, tail.get(), {});
      };
      const auto verdict = check(Protection::OpenPgp);
      BOOST_TEST(verdict.has_value(), (verdict ? "" : verdict.error()) << " at " << size);
      BOOST_TEST(!check(Protection::Smime).has_value());
      const auto at = head.find("boundary=\"") + 10;
      gateway::PgpShape shape(head.substr(at, head.find('"', at) - at));
      BOOST_TEST(shape.feed(std::string_view(head).substr(head.find("\r\n\r\n") + 4)));
      states.push_back(shape);
    }
    if (size > 1000)
      for (const auto& state : states) BOOST_TEST((state == states.front()));
  }
}

BOOST_AUTO_TEST_SUITE_END()
