// Nobody alone does what needs two: E6 of the records rules, and the rules of a site with one person.
#include "listd/requests/Requests.h"
#include "tests/unit/listd/matters/RecordsFixture.h"

#include <random>

using namespace postern;
using namespace postern::test;

namespace {

struct Queue : RecordsDesk {
  Requests requests;
  std::vector<std::uint64_t> executed;

  explicit Queue(std::vector<std::string> staff = {"olga", "pia", "udo"}) : RecordsDesk(std::move(staff)) {
    const auto execute = [this](OrderTools&, SiteTables&, const Request& request, TimePoint) {
      executed.push_back(request.id);
    };
    requests.add({"test.now", execute, true, true});
    requests.add({"test.later", execute, false, true});
    requests.add({"test.two-only", execute, true, false});
    requests.add({"test.broken",
                  [](OrderTools&, SiteTables&, const Request&, TimePoint) { refuse("refused", "it has changed"); },
                  false, true});
  }

  Request make(const std::string& requester, const std::string& kind = "test.now",
               std::chrono::seconds delay = std::chrono::seconds(0)) {
    Request request;
    request.kind = kind;
    request.payload = {{"what", 1}};
    request.title = "Do it";
    request.reason = "because";
    request.requester = requester;
    request.delay = delay;
    return context.site.write([&](SiteTables& tables) { return requests.make(tools, tables, request); });
  }
  std::string decide(std::uint64_t id, const std::string& decider, bool approve = true) {
    try {
      return context.site.write(
          [&](SiteTables& tables) { return requests.decide(tools, tables, id, approve, decider, "ok").state; });
    } catch (const app::OrderRefused& refused) {
      return refused.error().message;
    }
  }
  std::string withdraw(std::uint64_t id, const std::string& who) {
    try {
      return context.site.write(
          [&](SiteTables& tables) { return requests.withdraw(tools, tables, id, who, "").state; });
    } catch (const app::OrderRefused& refused) {
      return refused.error().message;
    }
  }
  Request at(std::uint64_t id) {
    return read([&](SiteTables& tables) { return tables.requests.find(id).value(); });
  }
  void pass(std::chrono::seconds time) {
    clock.advance(time);
    requests.runDue(tools, clock.now());
  }
};

const std::chrono::days Week{7};

std::string makeRefusal(Queue& q, const std::string& kind = "test.now") {
  try {
    q.make("olga", kind);
  } catch (const app::OrderRefused& refused) {
    return refused.error().message;
  }
  return {};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_requests_Requests)

BOOST_AUTO_TEST_CASE(e6_requester_never_decides_also_through_a_second_session_or_a_token) {
  Queue q;
  const auto id = q.make("olga").id;
  BOOST_TEST(has(q.decide(id, "olga"), "another person must decide"));
  BOOST_TEST(has(q.decide(id, "OLGA"), "another person must decide"));
  BOOST_TEST(has(q.decide(id, "olga", false), "another person must decide"));
  auto twice = person("olga", app::Role::Officer | app::Role::Approver);
  twice.session = "another";
  BOOST_TEST(has(q.refusal(twice, "request.approve", {{"id", id}}), "another person must decide"));
  twice.kind = "api";
  twice.token = "psn_x";
  BOOST_TEST(has(q.refusal(twice, "request.approve", {{"id", id}}), "another person must decide"));
  BOOST_TEST(has(q.refusal({"cli", "root"}, "request.approve", {{"id", id}}), "a person who signed in"));
  BOOST_TEST(q.at(id).state == "waiting");
  BOOST_TEST(q.executed.empty());
  BOOST_TEST(q.decide(id, "pia") == "done");
  BOOST_TEST(q.executed.size() == 1u);
  BOOST_TEST(has(q.decide(id, "udo"), "does not wait any more"));
}

BOOST_AUTO_TEST_CASE(the_table_itself_takes_no_approval_by_the_requester) {
  Queue q;
  auto request = q.make("olga");
  request.state = "approved";
  request.decider = "olga";
  BOOST_CHECK_THROW(q.context.site.write([&](SiteTables& tables) { tables.requests.update(request); }), Error);
}

BOOST_AUTO_TEST_CASE(no_sequence_of_calls_lets_one_person_ask_and_decide) {
  std::mt19937 random(7);
  const std::vector<std::string> names{"olga", "pia", "udo", "Olga", "PIA", "eve"};
  const auto pick = [&](std::size_t below) { return random() % below; };
  for (int round = 0; round < 12; ++round) {
    Queue q(round % 3 == 0 ? std::vector<std::string>{"olga"} : std::vector<std::string>{"olga", "pia", "udo"});
    q.config.outsideAddress = "notary@outside.example";
    std::vector<std::uint64_t> ids;
    for (int step = 0; step < 60; ++step) {
      const auto& who = names[pick(names.size())];
      if (ids.empty() || pick(4) == 0) {
        const auto delay = std::chrono::days(pick(2) * 7);
        ids.push_back(q.make(who, pick(2) == 0 ? "test.now" : "test.later", delay).id);
        continue;
      }
      const auto id = ids[pick(ids.size())];
      switch (pick(6)) {
        case 0:
        case 1:
          q.decide(id, who);
          break;
        case 2:
          q.decide(id, who, false);
          break;
        case 3:
          q.withdraw(id, who);
          break;
        case 4:
          for (const auto& mail : q.mails()) q.deliver(mail.copyKey);
          q.pass(std::chrono::days(pick(9)));
          break;
        default:
          if (round % 3 == 0 && step > 50 && round > 3) q.addStaff("second" + std::to_string(step));
          q.pass(std::chrono::hours(1));
      }
    }
    for (const auto id : ids) {
      const auto request = q.at(id);
      const auto count = std::count(q.executed.begin(), q.executed.end(), id);
      BOOST_TEST(count <= 1);
      if (count == 0) continue;
      BOOST_TEST(!samePerson(request.requester, request.decider));
      BOOST_TEST((request.state == "approved" || request.state == "done"));
      if (request.decider == Requests::DecidedByTime) {
        BOOST_TEST(request.lone);
        BOOST_TEST((request.decidedAt >= request.createdAt + Week));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_takes_effect_later_is_carried_out_once_in_its_minute_and_can_be_withdrawn_before) {
  Queue q;
  const auto id = q.make("olga", "test.later", Week).id;
  const auto other = q.make("olga", "test.later", Week).id;
  BOOST_TEST(q.decide(id, "pia") == "approved");
  BOOST_TEST(q.decide(other, "pia") == "approved");
  q.pass(Week - std::chrono::seconds(1));
  BOOST_TEST(q.executed.empty());
  BOOST_TEST(has(q.withdraw(other, "udo"), "only the person who asked"));
  BOOST_TEST(q.withdraw(other, "olga") == "withdrawn");
  q.pass(std::chrono::seconds(1));
  q.pass(std::chrono::minutes(1));
  BOOST_TEST(q.executed == std::vector<std::uint64_t>{id}, boost::test_tools::per_element());
  BOOST_TEST(q.at(id).state == "done");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_carried_out_any_more_has_failed_and_says_why) {
  Queue q;
  const auto id = q.make("olga", "test.broken", Week).id;
  BOOST_TEST(q.decide(id, "pia") == "approved");
  q.pass(Week);
  BOOST_TEST(q.at(id).state == "failed");
  BOOST_TEST(q.at(id).decision == "it has changed");
}

BOOST_AUTO_TEST_CASE(one_person_site_without_an_outside_address_is_refused_with_what_to_do) {
  Queue q({"olga"});
  BOOST_TEST(has(makeRefusal(q), "the site has only one"));
  q.config.outsideAddress = "not an address";
  BOOST_TEST(has(makeRefusal(q), "is not a mail address"));
  q.config.outsideAddress = "notary@outside.example";
  BOOST_TEST(has(makeRefusal(q, "test.two-only"), "only a second person"));
  BOOST_TEST(makeRefusal(q).empty());
}

BOOST_AUTO_TEST_CASE(one_person_site_waits_seven_days_after_mail_that_arrived_outside) {
  Queue q({"olga"});
  q.config.outsideAddress = "notary@outside.example";
  const auto request = q.make("olga");
  BOOST_TEST(request.lone);
  BOOST_REQUIRE(q.mails().size() == 1u);
  const auto mail = q.mails().front();
  BOOST_TEST(mail.mail.recipient == "notary@outside.example");
  BOOST_TEST(mail.mail.lines.at(2) == formatRfc3339(TestNow + Week));
  q.pass(Week);
  BOOST_TEST(q.at(request.id).state == "waiting");  // nobody outside was reached
  q.deliver(mail.copyKey);
  q.pass(std::chrono::minutes(1));
  BOOST_TEST(q.at(request.id).state == "done");
  BOOST_TEST(q.at(request.id).decider == Requests::DecidedByTime);
  BOOST_TEST(q.executed.size() == 1u);

  const auto second = q.make("olga");
  q.deliver(q.mails().front().copyKey);
  q.pass(Week - std::chrono::seconds(1));
  BOOST_TEST(q.at(second.id).state == "waiting");
}

BOOST_AUTO_TEST_CASE(one_person_site_is_stopped_through_the_link_and_through_no_other) {
  Queue q({"olga"});
  q.config.outsideAddress = "notary@outside.example";
  const auto request = q.make("olga");
  const auto token = q.token();
  const app::Actor nobody{"system", ""};
  BOOST_TEST(has(q.refusal(nobody, "request.stop", {{"token", token.substr(1)}}), "not valid"));
  auto changed = token;
  changed[12] = changed[12] == 'A' ? 'B' : 'A';
  BOOST_TEST(has(q.refusal(nobody, "request.stop", {{"token", changed}}), "not valid"));
  BOOST_TEST(q.give(nobody, "request.stop-show", {{"token", token}}).at("state") == "waiting");
  BOOST_TEST(q.give(nobody, "request.stop", {{"token", token}}).at("state") == "withdrawn");
  BOOST_TEST(has(q.refusal(nobody, "request.stop", {{"token", token}}), "does not wait any more"));
  q.deliver(q.mails().front().copyKey);
  q.pass(Week);
  BOOST_TEST(q.executed.empty());
}

BOOST_AUTO_TEST_CASE(a_second_person_who_comes_in_time_decides_instead_of_the_clock) {
  Queue q({"olga"});
  q.config.outsideAddress = "notary@outside.example";
  const auto request = q.make("olga");
  q.deliver(q.mails().front().copyKey);
  q.addStaff("pia");
  q.pass(Week);
  BOOST_TEST(q.at(request.id).state == "waiting");
  BOOST_TEST(!q.at(request.id).lone);
  BOOST_TEST(has(q.decide(request.id, "olga"), "another person"));
  BOOST_TEST(q.decide(request.id, "pia") == "done");
}

BOOST_AUTO_TEST_CASE(those_who_can_decide_are_reminded_once_a_week_and_not_of_their_own) {
  Queue q({"olga@example.org", "pia@example.org"});
  q.make("olga@example.org");
  q.pass(std::chrono::minutes(1));
  BOOST_REQUIRE(q.mails().size() == 1u);
  BOOST_TEST(q.mails().front().mail.recipient == "pia@example.org");
  BOOST_TEST(q.mails().front().mail.lines.front() == "1");
  q.pass(std::chrono::days(6));
  BOOST_TEST(q.mails().size() == 1u);
  q.pass(std::chrono::days(1));
  BOOST_TEST(q.mails().size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_queue_tells_each_person_what_they_may_decide) {
  Queue q;
  const auto id = q.make("olga").id;
  q.give(Pia, "request.ask", {{"id", id}, {"words", "why now?"}});
  const auto forPia = q.give(Pia, "request.list");
  BOOST_TEST(forPia.at("waiting") == 1);
  BOOST_TEST(forPia.at("items").front().at("mayDecide") == true);
  BOOST_TEST(forPia.at("items").front().at("words").front().at("text") == "why now?");
  const auto forOlga = q.give(Olga, "request.list");
  BOOST_TEST(forOlga.at("waiting") == 0);
  BOOST_TEST(has(forOlga.at("items").front().at("mayNot").get<std::string>(), "yourself"));
}

BOOST_AUTO_TEST_SUITE_END()
