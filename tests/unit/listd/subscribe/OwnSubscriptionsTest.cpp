// Lists of people with an account: their own, by the address that an administrator gave them, and nobody else's.
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

const std::string Board = "board@lists.example";
const std::string Hidden = "hidden@lists.example";

struct Scene : Desk {
  List list = makeList(context, Board, false);
  List hidden = makeList(context, Hidden, false);
  const app::Actor ann{"web", "ann"};
  const app::Actor bob{"web", "bob"};

  Scene() {
    account("ann", "ann@example.org");
    account("bob", "");
    give("subscription.set", {{"list", Board}, {"joining", "confirm"}, {"advertised", true}});
  }
  void account(const std::string& name, const std::string& mail) {
    Account made;
    made.name = name;
    made.roles = app::Role::Member;
    made.mail = mail;
    made.createdAt = clock.now();
    made.userHandle = "handle-" + name;
    context.site.write([&](SiteTables& tables) { tables.accounts.add(made); });
  }
  std::string token(const char* action, const std::string& of = Board) {
    return giveAs(ann, "subscription.mine-ask", {{"list", of}, {"action", action}}).at("token");
  }
  json mine() { return giveAs(ann, "subscription.mine").at("items"); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_subscribe_OwnSubscriptions)

BOOST_AUTO_TEST_CASE(who_is_signed_in_joins_sets_and_leaves_without_a_mail) {
  Scene s;
  BOOST_TEST(s.mine().size() == 1u);
  BOOST_TEST(s.mine().at(0).at("member") == false);
  BOOST_TEST(s.giveAs({"system", ""}, "subscribe.use", {{"token", s.token("join")}}).at("outcome") == "joined");
  BOOST_TEST(s.mine().at(0).at("member") == true);
  const auto settings = s.token("member");
  s.giveAs({"system", ""}, "subscribe.settings", {{"token", settings}, {"delivery", "none"}});
  BOOST_TEST(s.mine().at(0).at("delivery") == "none");
  BOOST_TEST(s.giveAs({"system", ""}, "subscribe.use", {{"token", s.token("leave")}}).at("outcome") == "left");
  BOOST_TEST(s.mine().at(0).at("member") == false);
}

BOOST_AUTO_TEST_CASE(lists_that_are_not_shown_to_everybody_are_not_found_and_no_address_is_no_proof) {
  Scene s;
  for (const auto* action : {"join", "leave", "member"})
    BOOST_TEST(s.refusalAs(s.ann, "subscription.mine-ask", {{"list", Hidden}, {"action", action}}) ==
               s.refusalAs(s.ann, "subscription.mine-ask", {{"list", "none@lists.example"}, {"action", action}}));
  addMember(s.context, s.hidden, "ann@example.org");
  BOOST_TEST(s.mine().size() == 2u);
  BOOST_TEST(!s.token("leave", Hidden).empty());
  BOOST_TEST(s.refusalAs(s.bob, "subscription.mine").starts_with("refused"));
  s.account("double", "ann@example.org");
  BOOST_TEST(s.refusalAs(s.ann, "subscription.mine").starts_with("refused"));
}

BOOST_AUTO_TEST_SUITE_END()
