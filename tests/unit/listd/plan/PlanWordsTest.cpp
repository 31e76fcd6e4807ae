#include "core/app/PlanWords.h"
#include "listd/plan/Reason.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::listd;
using namespace postern::test;

BOOST_FIXTURE_TEST_SUITE(listd_plan_PlanWords, Desk)

BOOST_AUTO_TEST_CASE(every_reason_and_every_rung_has_words) {
  for (int number = 0; number < 64; ++number) {
    const std::string word = reasonWord(static_cast<Reason>(number));
    if (parseReason(word) != static_cast<Reason>(number)) continue;  // no such reason
    BOOST_TEST(app::reasonText(word) != word, word);
    BOOST_TEST(app::reasonText(word).ends_with('.'), word);
  }
  for (const auto* rung : {"smime", "openpgp", "tls", "pickup", "none", "withheld"})
    BOOST_TEST(app::protectionTitle(rung) != rung);
  BOOST_TEST(app::reasonText("of-a-newer-release") == "of-a-newer-release");
}

BOOST_AUTO_TEST_CASE(the_sentence_names_rungs_strongest_first) {
  BOOST_TEST(app::planSentence({{"withheld", 2}, {"tls", 140}, {"pickup", 9}, {"openpgp", 60}, {"smime", 1301}}) ==
             "1,512 members: 1,301 S/MIME, 60 OpenPGP, 140 Verified TLS, 9 Web pick-up, 2 Withheld");
  BOOST_TEST(app::planSentence({{"none", 1}}) == "1 member: 1 Plaintext");
  BOOST_TEST(app::planSentence({}) == "0 members");
  BOOST_TEST(app::planSentence({{"smime", 0}, {"tls", 1'000'000}}) == "1,000,000 members: 1,000,000 Verified TLS");
}

BOOST_AUTO_TEST_CASE(the_order_gives_the_words_with_the_numbers) {
  board();
  for (const auto* one : {"ann@x.example", "bob@x.example"})
    give("member.add", {{"list", "board@lists.example"}, {"address", one}});
  const auto plan = give("list.plan", {{"address", "board@lists.example"}, {"protection", "withheld"}});
  BOOST_TEST(plan.at("sentence") == "2 members: 2 Withheld");
  BOOST_REQUIRE_EQUAL(plan.at("counts").size(), 1u);
  BOOST_TEST(plan.at("counts").at(0).at("title") == "Withheld");
  BOOST_TEST(plan.at("counts").at(0).at("why") == "No certificate or key is on file.");
  BOOST_REQUIRE_EQUAL(plan.at("items").size(), 2u);
  BOOST_TEST(plan.at("items").at(1).at("why") == "No certificate or key is on file.");
}

BOOST_AUTO_TEST_SUITE_END()
