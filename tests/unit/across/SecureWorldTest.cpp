// Random worlds: lists, members, keys, rules, wishes, domains, posts and faults. Whatever comes, no byte of a secure
// post leaves but sealed for its one reader, or over TLS that the list allows, and none rests readable in a file. Then
// the same with things broken on purpose: each must be found. POSTERN_WORLDS sets the rounds.
#include "tests/unit/across/SecureWorld.h"

using namespace postern;
using namespace postern::test;

namespace {

std::uint32_t rounds() {
  const auto* set = std::getenv("POSTERN_WORLDS");
  return set != nullptr ? static_cast<std::uint32_t>(std::stoul(set)) : 200;
}

void onFirstContent(std::vector<LeavingMail>& leaving, const std::function<void(LeavingMail&)>& change) {
  for (auto& one : leaving)
    if (one.copy.kind == app::Copy::Kind::Content && one.copy.protection != Protection::Tls) {
      change(one);
      return;
    }
}

void makePlain(std::vector<LeavingMail>& leaving, const std::string& canary) {
  onFirstContent(leaving, [&](LeavingMail& one) {
    one.copy.head = one.message = "From: board@lists.example\r\nSubject: x\r\n\r\n" + canary + "\r\n";
  });
}

void nameInHeader(std::vector<LeavingMail>& leaving, const std::string& canary) {
  onFirstContent(leaving, [&](LeavingMail& one) {
    one.copy.head = "X-Topic: " + canary + "\r\n" + one.copy.head;
    one.message = "X-Topic: " + canary + "\r\n" + one.message;
  });
}

void swapReaders(std::vector<LeavingMail>& leaving, const std::string&) {
  std::vector<LeavingMail*> sealed;
  for (auto& one : leaving)
    if (one.copy.kind == app::Copy::Kind::Content && one.copy.protection >= Protection::OpenPgp) sealed.push_back(&one);
  if (sealed.size() > 1) std::swap(sealed[0]->copy.recipient, sealed[1]->copy.recipient);
}

void sendTwice(std::vector<LeavingMail>& leaving, const std::string&) {
  if (!leaving.empty()) leaving.push_back(leaving.front());
}

void quoteInNotice(std::vector<LeavingMail>& leaving, const std::string& canary) {
  for (auto& one : leaving)
    if (one.copy.kind == app::Copy::Kind::Notice) one.copy.head += canary + "\r\n", one.message = one.copy.head;
}

std::string planAll(const std::string& protection) {
  return "UPDATE ledger SET protection = '" + protection + "', state = 'planned' WHERE kind = 'content'";
}

std::vector<Mutant> mutants() {
  const std::string oldKey =
      "UPDATE ledger SET state = 'planned', protection = 'smime', key_fingerprint = (SELECT fingerprint FROM "
      "member_keys WHERE address = recipient AND kind = 'smime' ORDER BY not_after LIMIT 1) WHERE kind = 'content' AND "
      "recipient IN (SELECT address FROM member_keys WHERE kind = 'smime')";
  const auto leave = [](const std::filesystem::path& folder, const std::string& canary) {
    files::replaceDurably(folder / "listd" / "spool.tmp", "x" + canary);
  };
  return {{"the planner sends plain", "planned: a copy without protection", planAll("none")},
          {"the planner counts on TLS that nobody verified", "planned: ", planAll("tls")},
          {"the planner falls back to pick-up below the floor", "planned: ", planAll("pickup")},
          {"the planner seals for keys that are not there", "planned", planAll("openpgp")},
          {"the planner takes the oldest key", "planned", oldKey},
          {"the sender forgets to seal; the guard is there", "blocked at the socket", "", makePlain},
          {"the sender forgets to seal; no guard", "content in the clear", "", makePlain, false},
          {"a header shows the content; the guard is there", "blocked at the socket", "", nameInHeader},
          {"a header shows the content; no guard", "content in the clear", "", nameInHeader, false},
          {"two members get each other's copies", "the key of another member", "", swapReaders},
          {"a copy goes out twice", "two copies for one member", "", sendTwice},
          {"notices quote; no guard", "a notice with content", "", quoteInNotice, false},
          {"a file keeps plain text", "readable in spool.tmp", "", {}, true, leave}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(across_SecureWorld)

BOOST_AUTO_TEST_CASE(no_byte_of_a_secure_post_leaves_or_rests_unprotected_in_any_world) {
  Totals totals;
  const Mutant none;
  for (std::uint32_t seed = 1; seed <= rounds(); ++seed) {
    const auto wrong = World(seed, none, totals).run();
    BOOST_TEST_REQUIRE(wrong.empty(), "world " << seed << ": " << wrong);
  }
  // A test of nothing passes too: everything has to have happened.
  for (const auto rung : Rungs) BOOST_TEST(totals.copies[rung] > 0, app::protectionName(rung));
  BOOST_TEST(totals.notices > 0);
  BOOST_TEST(totals.withheld > 0);
  BOOST_TEST(totals.faults > 0);
  BOOST_TEST(totals.readEncrypted > 0);
  BOOST_TEST(totals.rejected > 0);
  BOOST_TEST_MESSAGE("faults " << totals.faults << ", withheld " << totals.withheld << ", opened "
                               << totals.readEncrypted << ", refused " << totals.rejected);
}

BOOST_AUTO_TEST_CASE(whatever_is_broken_on_purpose_is_found) {
  Totals totals;
  for (const auto& mutant : mutants()) {
    std::string wrong;
    for (std::uint32_t seed = 1; seed <= 40 && wrong.empty(); ++seed) wrong = World(seed, mutant, totals).run();
    BOOST_TEST(wrong.find(mutant.finding) != wrong.npos, mutant.name << ": " << wrong);
    BOOST_TEST(!wrong.empty(), mutant.name);
    BOOST_TEST_MESSAGE(mutant.name << " -> " << wrong);
  }
}

BOOST_AUTO_TEST_SUITE_END()
