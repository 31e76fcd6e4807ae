// Members that come from a directory: large groups, filters, a brake against emptied and cut answers, and people's own
// will, which a directory does not overrule.
#include "listd/keys/DirectoryStore.h"
#include "listd/subscribe/MemberSources.h"
#include "listd/subscribe/Subscriptions.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

const std::string Board = "board@lists.example";

struct Scene : Desk {
  List list = makeList(context, Board, false);
  app::LdapAnswer answer;
  std::vector<app::LdapQuestion> questions;

  Scene() {
    tools.askDirectory = [this](const app::LdapQuestion& question) {
      questions.push_back(question);
      return answer;
    };
    Directory directory;
    directory.name = "people";
    directory.url = "ldaps://ldap.example.org";
    directory.base = "dc=example,dc=org";
    directory.filter = "(mail=%a)";
    context.site.write([&](SiteTables& tables) { tables.directories.set(directory); });
    give("source.set", {{"list", Board}, {"directory", "people"}, {"filter", "(memberOf=cn=board)"}});
  }
  void has(const std::vector<std::string>& addresses) {
    answer = {};
    for (const auto& each : addresses) {
      answer.values.push_back(each);
      answer.values.push_back("Name of " + each);
      ++answer.entries;
    }
  }
  json run(json more = json::object()) {
    more["list"] = Board;
    return give("source.run", more);
  }
  std::string refused(json more = json::object()) {
    more["list"] = Board;
    return refusal("source.run", more);
  }
  std::set<std::string> members() {
    std::set<std::string> found;
    const auto listed = give("member.list", {{"list", Board}, {"limit", 1000}});
    for (const auto& member : listed.at("items")) found.insert(member.at("address").get<std::string>());
    return found;
  }
  std::string state() { return give("source.show", {{"list", Board}}).at("state"); }
};

std::vector<std::string> people(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back("p" + std::to_string(i) + "@example.org");
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_subscribe_MemberSources)

// Pain 14 of the list servers: groups of directories.
BOOST_AUTO_TEST_CASE(members_come_from_a_directory_and_go_with_it_but_who_joined_otherwise_stays) {
  Scene s;
  addMember(s.context, s.list, "guest@example.net");
  s.has(people(10));
  BOOST_TEST(s.run({{"dryRun", true}}).at("added") == 10);
  BOOST_TEST(s.members().size() == 1u);
  BOOST_TEST(s.run().at("added") == 10);
  BOOST_TEST(s.state() == "ok");
  BOOST_TEST(s.members().size() == 11u);
  BOOST_TEST(s.questions.back().roster);
  BOOST_TEST(s.questions.back().filter == "(memberOf=cn=board)");
  BOOST_TEST(s.questions.back().base == "dc=example,dc=org");  // of the directory, where none is named
  auto nine = people(10);
  nine.erase(nine.begin());
  s.has(nine);
  const auto done = s.run();
  BOOST_TEST(done.at("gone") == json::array({"p0@example.org"}));
  BOOST_TEST(s.members().contains("guest@example.net"));
}

BOOST_AUTO_TEST_CASE(an_listedthat_is_empty_cut_or_none_at_all_takes_nobody_off) {
  Scene s;
  s.has(people(10));
  s.run();
  s.has({});
  BOOST_TEST(::postern::test::has(s.refused({{"confirmed", true}}), "nobody in the directory"));
  s.answer = {{"p1@example.org", "x"}, 1, "ldap.example.org: it does not give all who fit the filter"};
  BOOST_TEST(::postern::test::has(s.refused({{"confirmed", true}}), "does not give all"));
  BOOST_TEST(s.state() == "failed");
  s.has({"p1@example.org"});
  BOOST_TEST(::postern::test::has(s.refused(), "more than 20 %"));
  BOOST_TEST(s.state() == "stopped");
  BOOST_TEST(::postern::test::has(s.give("status").at("problems").dump(), "do not follow the directory people"));
  BOOST_TEST(s.members().size() == 10u);
  BOOST_TEST(s.run({{"confirmed", true}}).at("removed") == 9);
  BOOST_TEST(s.members().size() == 1u);
}

BOOST_AUTO_TEST_CASE(who_leaves_is_not_brought_back_until_an_owner_or_the_person_wants_it) {
  Scene s;
  s.has(people(10));
  s.run();
  s.context.site.write(
      [&](SiteTables& tables) { leaveList(s.context, tables, s.list, "p3@example.org", "one-click"); });
  const auto again = s.run();
  BOOST_TEST(again.at("added") == 0);
  BOOST_TEST(!s.members().contains("p3@example.org"));
  s.give("member.add", {{"list", Board}, {"address", "p3@example.org"}});
  BOOST_TEST(s.members().contains("p3@example.org"));
  s.run();
  auto without = people(10);
  without.erase(without.begin() + 3);
  s.has(without);
  s.run();
  BOOST_TEST(s.members().contains("p3@example.org"));  // an owner's doing, not the directory's
}

BOOST_AUTO_TEST_CASE(bans_and_filters_of_addresses_hold_for_directories_too) {
  Scene s;
  s.give("ban.add", {{"pattern", "p1@example.org"}, {"list", Board}});
  s.give("source.set", {{"list", Board}, {"directory", "people"}, {"only", "@example.org"}});
  s.has({"p1@example.org", "p2@example.org", "x@elsewhere.example", "not an address", Board});
  const auto done = s.run();
  BOOST_TEST(done.at("added") == 1);
  BOOST_TEST((s.members() == std::set<std::string>{"p2@example.org"}));
}

BOOST_AUTO_TEST_CASE(sources_are_asked_when_they_are_due_and_only_administrators_set_them) {
  Scene s;
  BOOST_TEST(s.refusal("source.set", {{"list", Board}, {"directory", "none"}}).starts_with("not-found"));
  BOOST_TEST(
      s.refusal("source.set", {{"list", Board}, {"directory", "people"}, {"filter", "(a=b"}}).starts_with("invalid"));
  BOOST_TEST(s.refusal("source.set", {{"list", Board}, {"directory", "people"}, {"mailAttribute", "a b"}})
                 .starts_with("invalid"));
  JobRunner jobs(s.context);
  jobs.add(std::string(SyncJob), syncWork(s.tools));
  jobs.run();
  s.tools.jobs = &jobs;
  s.has(people(3));
  lookAfterSources(s.tools);
  BOOST_TEST(eventually([&] { return s.state() == "ok"; }));
  BOOST_TEST(s.members().size() == 3u);
  lookAfterSources(s.tools);  // not due yet
  BOOST_TEST(jobs.newest(10).size() == 1u);
  s.tools.jobs = nullptr;
}

BOOST_AUTO_TEST_SUITE_END()
