#include "listd/plan/Decision.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

const std::string Ann = "ann@example.org";

TestCertificate annCertificate() {
  return memberCertificate(Ann, TestNow);
}

// What the plan decides for Ann with this certificate, kept with the verdict that a check of it gives.
Reason reasonFor(const TestCertificate& certificate, KeyState state = KeyState::Confirmed, TimePoint now = TestNow,
                 const crypto::TrustStore* trust = nullptr) {
  const auto parsed = certificate.parsed();
  const auto verdict = verdictOf(crypto::check(parsed, Ann, parsed.notBefore(), trust).state);
  const std::vector<KeyFacts> keys{{parsed.fingerprint(), state, verdict, parsed.notBefore(), parsed.notAfter()}};
  const auto decision = decide(onlySmime(), {keys}, now);
  BOOST_TEST(decision.withheld() == (decision.reason != Reason::ValidCertificate));
  if (decision.withheld()) BOOST_TEST(protectionWord(decision) == "withheld");
  return decision.reason;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_plan_Decision)

BOOST_AUTO_TEST_CASE(a_valid_certificate_gets_an_smime_copy) {
  const auto certificate = annCertificate().parsed();
  const std::vector<KeyFacts> keys{{certificate.fingerprint(), KeyState::Confirmed, Reason::ValidCertificate,
                                    certificate.notBefore(), certificate.notAfter()}};
  const auto decision = decide(onlySmime(), {keys}, TestNow);
  BOOST_TEST((decision.protection == app::Protection::Smime));
  BOOST_TEST(decision.keyFingerprint == certificate.fingerprint());
  BOOST_TEST(!decision.withheld());
}

BOOST_AUTO_TEST_CASE(each_fault_of_a_certificate_withholds_for_its_own_reason) {
  BOOST_TEST((decide(onlySmime(), {}, TestNow).reason == Reason::NoKey));
  BOOST_TEST((reasonFor(annCertificate()) == Reason::ValidCertificate));
  BOOST_TEST((reasonFor(annCertificate(), KeyState::Proposed) == Reason::KeyUnconfirmed));
  BOOST_TEST((reasonFor(annCertificate(), KeyState::Revoked) == Reason::Revoked));
  BOOST_TEST((reasonFor(annCertificate(), KeyState::Confirmed, TestNow + std::chrono::days(301)) ==
              Reason::CertificateExpired));
  BOOST_TEST((reasonFor(annCertificate(), KeyState::Confirmed, TestNow - std::chrono::days(11)) ==
              Reason::CertificateNotYetValid));
  auto other = annCertificate();
  other.addresses = {"mallory@example.org"};
  BOOST_TEST((reasonFor(other) == Reason::WrongAddress));
  auto onlyName = annCertificate();
  onlyName.addresses = {};
  onlyName.subjectEmail = Ann;
  BOOST_TEST((reasonFor(onlyName) == Reason::WrongAddress));
  auto server = annCertificate();
  server.extensions = {{NID_ext_key_usage, "serverAuth"}};
  BOOST_TEST((reasonFor(server) == Reason::WrongPurpose));
  auto weak = annCertificate();
  weak.key = testKey("rsa1024");
  BOOST_TEST((reasonFor(weak) == Reason::WeakKey));
  auto odd = annCertificate();
  odd.key = testKey("ED25519");
  BOOST_TEST((reasonFor(odd) == Reason::UnsupportedKey));
}

BOOST_AUTO_TEST_CASE(a_self_signed_certificate_is_untrusted_where_authorities_are_demanded) {
  const TempFolder folder;
  auto authority = memberCertificate("ca@example.org", TestNow, testKey("P-256", 1));
  authority.extensions = {{NID_basic_constraints, "critical,CA:TRUE"}};
  files::replaceDurably(folder / "ca.pem", authority.parsed().pem());
  const auto trust = crypto::TrustStore::load(folder.path());
  BOOST_TEST((reasonFor(annCertificate(), KeyState::Confirmed, TestNow, &trust) == Reason::Untrusted));
  const auto issuer = authority.make();
  auto issued = annCertificate();
  issued.issuer = issuer.get();
  issued.issuerKey = testKey("P-256", 1);
  BOOST_TEST((reasonFor(issued, KeyState::Confirmed, TestNow, &trust) == Reason::ValidCertificate));
}

BOOST_AUTO_TEST_CASE(of_several_usable_keys_the_newest_is_taken_and_bad_ones_do_not_matter) {
  const auto now = TestNow;
  const auto day = std::chrono::days(1);
  const std::vector<KeyFacts> keys{
      {"old", KeyState::Confirmed, Reason::ValidCertificate, now - 100 * day, now + 10 * day},
      {"new", KeyState::Confirmed, Reason::ValidCertificate, now - 10 * day, now + 100 * day},
      {"proposed", KeyState::Proposed, Reason::ValidCertificate, now - day, now + 100 * day},
      {"revoked", KeyState::Revoked, Reason::ValidCertificate, now - day, now + 100 * day},
      {"ended", KeyState::Confirmed, Reason::ValidCertificate, now - 90 * day, now - day}};
  BOOST_TEST(decide(onlySmime(), {keys}, now).keyFingerprint == "new");
}

BOOST_AUTO_TEST_CASE(a_certificate_is_valid_to_the_last_moment_and_not_after) {
  const KeyFacts key{"k", KeyState::Confirmed, Reason::ValidCertificate, TestNow, TestNow + std::chrono::hours(1)};
  const auto tick = std::chrono::microseconds(1);
  BOOST_TEST((judgeKey(key, key.notBefore) == Reason::ValidCertificate));
  BOOST_TEST((judgeKey(key, key.notAfter) == Reason::ValidCertificate));
  BOOST_TEST((judgeKey(key, key.notBefore - tick) == Reason::CertificateNotYetValid));
  BOOST_TEST((judgeKey(key, key.notAfter + tick) == Reason::CertificateExpired));
}

BOOST_AUTO_TEST_CASE(an_open_list_sends_plain_copies_whatever_keys_there_are) {
  LadderRules open;
  open.secure = false;
  const auto decision = decide(open, {}, TestNow);
  BOOST_TEST((decision.protection == app::Protection::None));
  BOOST_TEST((decision.reason == Reason::OpenList));
}

BOOST_AUTO_TEST_CASE(every_reason_has_a_word_of_its_own) {
  std::set<std::string> words;
  for (auto reason = Reason::OpenList; reason <= LastReason;
       reason = static_cast<Reason>(static_cast<int>(reason) + 1)) {
    BOOST_TEST(words.insert(reasonWord(reason)).second);
    BOOST_TEST((parseReason(reasonWord(reason)) == reason));
  }
  BOOST_TEST(words.size() == 24u);
  BOOST_TEST(!parseReason("something-else"));
}

BOOST_AUTO_TEST_SUITE_END()
