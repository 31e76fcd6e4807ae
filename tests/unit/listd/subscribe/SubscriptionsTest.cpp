// Joining and leaving a list, by everything that people and attackers send (attack 17): forged joins, floods, guessed
// and replayed tokens, tokens of another list, confirmation by another address, automatic answers.
#include "listd/expand/Intake.h"
#include "listd/expand/RoutingView.h"
#include "listd/subscribe/Bans.h"
#include "listd/subscribe/SubscribeToken.h"
#include "listd/subscribe/SubscriptionMail.h"
#include "listd/subscribe/Subscriptions.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

const std::string Ann = "ann@example.org";
const std::string Board = "board@lists.example";

struct Scene : Desk {
  List list;
  List other;
  Intake intake{context, [] {}};
  std::uint64_t taken = 0;

  explicit Scene(bool secure = false)
      : list(makeList(context, Board, secure)), other(makeList(context, "other@lists.example", false)) {}

  struct Mail {
    std::string to = "board-join@lists.example";
    std::string from = Ann;
    std::string subject = "x";
    std::string body = "";
    std::string fields = "";
    std::string proven = "yes";
    std::string envelope = "ann@example.org";
    std::string client = "192.0.2.1";
  };
  void deliver(const Mail& mail) {
    auto submission = submissionTo({mail.to}, mail.from, mail.subject, mail.body);
    submission.mailFrom = mail.envelope;
    submission.clientAddress = mail.client;
    const auto end = submission.content.find("MIME-Version");
    submission.content.insert(end, mail.fields);
    if (!mail.proven.empty()) submission.notes.emplace_back(app::SenderProvenNote, mail.proven);
    crypto::SealedBoxWriter box(context.keys.vaultKeyPair().publicKey);
    const app::AcceptedItem item{++taken, box.seal(submission.encode(), app::SubmissionContext)};
    intake.take({&item, 1});
  }
  std::vector<SiteMailRow> mails() {
    return context.site.read([](SiteTables& tables) { return tables.siteMail.newest(1000); });
  }
  std::string lastKind() { return mails().empty() ? "" : siteMailWord(mails().front().mail.kind); }
  std::string token() {
    const auto link = mails().front().mail.link;
    return link.substr(link.find("token=") + 6);
  }
  bool isMember(const std::string& who = Ann, const std::string& of = Board) {
    return context.site.read(
        [&](SiteTables& tables) { return tables.members.find(tables.lists.find(of)->id, who).has_value(); });
  }
  void rules(const std::string& joining, const std::string& leaving = "confirm") {
    give("subscription.set", {{"list", Board}, {"joining", joining}, {"leaving", leaving}});
  }
  std::string use(const std::string& token) {
    return giveAs({"system", ""}, "subscribe.use", {{"token", token}}).at("outcome");
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_subscribe_Subscriptions)

BOOST_AUTO_TEST_CASE(the_addresses_of_an_open_list_are_routed_and_confirm_takes_a_token) {
  Scene s;
  const auto view = app::RoutingView::decode(buildRoutingView(s.context).encode());
  std::set<std::string> routed;
  for (const auto& address : view.addresses)
    if (address.address.starts_with("board-")) routed.insert(address.address);
  for (const auto* suffix : {"join", "subscribe", "leave", "unsubscribe", "confirm", "request", "bounces"})
    BOOST_TEST(routed.contains("board-" + std::string(suffix) + "@lists.example"));
}

BOOST_AUTO_TEST_CASE(a_secure_list_asks_mailbox_and_owner_unless_it_says_otherwise) {
  Scene s(true);
  BOOST_TEST(s.give("subscription.show", {{"list", Board}}).at("joining") == "confirm-moderate");
  BOOST_TEST(s.give("subscription.show", {{"list", "other@lists.example"}}).at("joining") == "confirm");
  s.deliver({});
  BOOST_TEST(s.lastKind() == "join-confirm");
  const auto token = s.token();
  BOOST_TEST(s.giveAs({"system", ""}, "subscribe.show", {{"token", token}}).at("state") == "asked");
  BOOST_TEST(!s.isMember());  // looking changes nothing, however often scanners look
  BOOST_TEST(s.use(token) == "waiting");
  BOOST_TEST(!s.isMember());
  const auto waiting = s.give("subscription.list").at("items");
  BOOST_REQUIRE(waiting.size() == 1u);
  BOOST_TEST(waiting[0].at("address") == Ann);
  s.give("subscription.decide", {{"id", waiting[0].at("id")}, {"decision", "grant"}});
  BOOST_TEST(s.isMember());
  BOOST_TEST(s.lastKind() == "joined-without-key");
}

// Pain 4 of the list servers: what a member without a key is told. Nothing of the list's mail is in it.
BOOST_AUTO_TEST_CASE(who_joins_a_secure_list_without_a_key_is_told_how_to_give_one_and_gets_no_copy) {
  Scene s(true);
  s.rules("confirm");
  s.deliver({});
  const auto done = s.giveAs({"system", ""}, "subscribe.use", {{"token", s.token()}});
  BOOST_TEST(done.at("outcome") == "joined");
  BOOST_TEST(done.at("needsKey") == true);
  BOOST_TEST(s.lastKind() == "joined-without-key");
  const auto mail = s.mails().front().mail;
  BOOST_TEST(mail.lines.at(1) == "board-request@lists.example");
  const auto text = composeSiteMail(mail, "postern.lists.example", "<1@postern.lists.example>", s.clock.now());
  BOOST_TEST(has(text, "You are on a secure mailing list now"));
  const auto member = s.give("member.list", {{"list", Board}}).at("items").at(0);
  BOOST_TEST(member.at("protection") == "withheld");
}

BOOST_AUTO_TEST_CASE(an_answer_to_the_mail_confirms_it_and_so_does_the_command) {
  Scene s;
  s.deliver({});
  const auto mail = s.mails().front().mail;
  BOOST_TEST(mail.recipient == Ann);
  s.deliver({.to = mail.lines.at(1), .subject = "Re: Please confirm: a mailing list"});
  BOOST_TEST(s.isMember());
  s.clock.advance(std::chrono::hours(25));
  s.deliver({.to = "board-request@lists.example", .subject = "unsubscribe"});
  BOOST_TEST(s.lastKind() == "leave-confirm");
  const auto token = s.token();
  s.deliver({.to = "board-request@lists.example", .subject = "Re: Antw: CONFIRM " + token});
  BOOST_TEST(!s.isMember());
  BOOST_TEST(s.lastKind() == "left");
}

BOOST_AUTO_TEST_CASE(senders_that_are_not_proven_and_automatic_mail_get_no_answer) {
  Scene s;
  s.deliver({.proven = "no"});
  s.deliver({.proven = "unknown"});
  s.deliver({.fields = "Auto-Submitted: auto-replied\r\n"});
  s.deliver({.fields = "Precedence: bulk\r\n"});
  s.deliver({.fields = "List-Id: <x.example.org>\r\n"});
  s.deliver({.fields = "X-Loop: board@lists.example\r\n"});
  s.deliver({.envelope = ""});
  s.deliver({.from = "ann@example.org, bob@example.org"});
  BOOST_TEST(s.mails().empty());
  s.deliver({.proven = ""});  // a relay that the site vouches for
  BOOST_TEST(s.mails().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_vacation_responder_confirms_nothing) {
  Scene s;
  s.deliver({});
  const auto confirm = s.mails().front().mail.lines.at(1);
  s.deliver({.to = confirm, .fields = "Auto-Submitted: auto-replied (vacation)\r\n"});
  s.deliver({.to = confirm, .envelope = ""});
  s.deliver({.to = confirm, .proven = "no"});
  BOOST_TEST(!s.isMember());
}

BOOST_AUTO_TEST_CASE(a_token_counts_for_its_address_its_list_and_once) {
  Scene s;
  s.deliver({});
  const auto token = s.token();
  s.deliver({.to = "board-confirm+" + token + "@lists.example", .from = "eve@example.org"});
  BOOST_TEST(!s.isMember());
  BOOST_TEST(!s.isMember("eve@example.org"));
  s.deliver({.to = "other-confirm+" + token + "@lists.example"});
  BOOST_TEST(!s.isMember(Ann, "other@lists.example"));
  BOOST_TEST(!s.isMember());
  BOOST_TEST(s.use(token) == "joined");
  s.give("member.remove", {{"list", Board}, {"address", Ann}});
  BOOST_CHECK_THROW(s.use(token), app::OrderRefused);  // replayed
  s.deliver({.to = "board-confirm+" + token + "@lists.example"});
  BOOST_TEST(!s.isMember());
}

BOOST_AUTO_TEST_CASE(guessed_changed_and_old_tokens_lead_nowhere) {
  Scene s;
  s.deliver({});
  const auto token = s.token();
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    BOOST_CHECK_THROW(s.use(changed), app::OrderRefused);
  }
  for (const auto* guess : {"a", "aaaaaaaaaaaaaaaaaaaaaaaa", "........................"})
    BOOST_CHECK_THROW(s.use(guess), app::OrderRefused);
  // A token of another purpose for the same number.
  const auto about = s.context.site.read([&](SiteTables& tables) {
    return makeSubscribeToken(s.context.root, "about list", 1, tables.lists.find(s.list.id)->address);
  });
  BOOST_CHECK_THROW(s.use(about), app::OrderRefused);
  s.clock.advance(std::chrono::hours(73));
  BOOST_CHECK_THROW(s.use(token), app::OrderRefused);
  BOOST_TEST(!s.isMember());
}

// Pain 13 of the list servers: bots and mail bombs by sign-up.
BOOST_AUTO_TEST_CASE(a_flood_of_forged_joins_gives_one_mail_a_day_to_each_victim_and_stops_at_the_network) {
  Scene s;
  for (int i = 0; i < 20; ++i) s.deliver({});
  BOOST_TEST(s.mails().size() == 1u);
  for (int i = 0; i < 100; ++i) s.deliver({.from = "victim" + std::to_string(i) + "@example.org"});
  BOOST_TEST(s.mails().size() == RequestsOfNetworkPerHour);
  s.deliver({.from = "else@example.org", .client = "203.0.113.9"});
  BOOST_TEST(s.mails().size() == RequestsOfNetworkPerHour + 1);
  s.clock.advance(std::chrono::hours(25));
  s.deliver({});
  BOOST_TEST(s.mails().size() == RequestsOfNetworkPerHour + 2);
}

// Pain 13.
BOOST_AUTO_TEST_CASE(one_address_gets_few_mails_a_day_about_all_lists) {
  Scene s;
  for (int i = 0; i < 12; ++i) makeList(s.context, "list" + std::to_string(i) + "@lists.example", false);
  for (int i = 0; i < 12; ++i) s.deliver({.to = "list" + std::to_string(i) + "-join@lists.example"});
  BOOST_TEST(s.mails().size() == MailsToAddressPerDay);
}

// Pain 12 of the list servers: leaks through side doors.
BOOST_AUTO_TEST_CASE(members_and_others_are_answered_alike) {
  Scene s;
  addMember(s.context, s.list, Ann);
  const auto ask = [&](const std::string& action, const std::string& address) {
    return s.giveAs({"system", ""}, "subscribe.ask", {{"list", Board}, {"action", action}, {"address", address}})
        .dump();
  };
  for (const auto* action : {"join", "leave", "member"}) BOOST_TEST(ask(action, Ann) == ask(action, "bob@example.org"));
  BOOST_TEST(ask("join", "no@example.org") ==
             s.giveAs({"system", ""}, "subscribe.ask", {{"list", "none@lists.example"}, {"address", Ann}}).dump());
  // The same mail, too: what differs stands behind the token.
  Scene t;
  addMember(t.context, t.list, Ann);
  t.deliver({});
  t.deliver({.from = "bob@example.org"});
  const auto mails = t.mails();
  BOOST_REQUIRE(mails.size() == 2u);
  BOOST_CHECK(mails[0].mail.kind == mails[1].mail.kind);
}

BOOST_AUTO_TEST_CASE(closed_and_invitation_lists_take_no_requests_but_invited_people) {
  Scene s;
  s.rules("closed");
  s.deliver({});
  s.rules("invitation");
  s.deliver({});
  BOOST_TEST(s.mails().empty());
  s.give("subscription.invite", {{"list", Board}, {"address", Ann}});
  BOOST_TEST(s.lastKind() == "list-invitation");
  BOOST_TEST(s.use(s.token()) == "joined");
}

BOOST_AUTO_TEST_CASE(an_open_list_takes_proven_senders_at_once_and_asks_the_mailbox_of_others) {
  Scene s;
  s.rules("open", "open");
  s.deliver({});
  BOOST_TEST(s.isMember());
  s.giveAs({"system", ""}, "subscribe.ask", {{"list", Board}, {"address", "bob@example.org"}});
  BOOST_TEST(!s.isMember("bob@example.org"));
  BOOST_TEST(s.lastKind() == "join-confirm");
  s.deliver({.to = "board-leave@lists.example"});
  BOOST_TEST(!s.isMember());
}

BOOST_AUTO_TEST_CASE(owners_refuse_with_a_reason_and_decide_on_their_own_lists_only) {
  Scene s;
  s.rules("moderate");
  s.deliver({});
  s.deliver({.from = "bob@example.org"});
  auto items = s.give("subscription.list").at("items");
  BOOST_REQUIRE(items.size() == 2u);
  s.give("subscription.decide",
         {{"ids", {items[0].at("id"), items[1].at("id")}}, {"decision", "refuse"}, {"reason", "Only for staff."}});
  BOOST_TEST(s.lastKind() == "request-refused");
  BOOST_TEST(s.giveAs({"system", ""}, "subscribe.show", {{"token", s.token()}}).at("reason") == "Only for staff.");
  BOOST_TEST(!s.isMember());
  BOOST_TEST(!s.refusal("subscription.decide", {{"id", items[0].at("id")}, {"decision", "grant"}}).empty());
}

// Pain 7 of the list servers: one click, in every copy, without conditions and without an end.
BOOST_AUTO_TEST_CASE(one_click_takes_off_who_has_the_token_and_nobody_else) {
  Scene s;
  addMember(s.context, s.list, Ann);
  addMember(s.context, s.list, "bob@example.org");
  const auto [ann, bob] = s.context.site.read([&](SiteTables& tables) {
    return std::pair(*tables.members.find(s.list.id, Ann), *tables.members.find(s.list.id, "bob@example.org"));
  });
  const auto click = [&](const std::string& token) {
    return s.giveAs({"system", ""}, "subscribe.one-click", {{"token", token}}).at("outcome").get<std::string>();
  };
  BOOST_CHECK_THROW(click(oneClickToken(s.context.root, s.list, bob.id, Ann)), app::OrderRefused);
  BOOST_CHECK_THROW(click(oneClickToken(s.context.root, s.other, ann.id, Ann)), app::OrderRefused);
  BOOST_CHECK_THROW(click("aaaaaaaaaaaaaaaaaaaaaaaa"), app::OrderRefused);
  const auto token = oneClickToken(s.context.root, s.list, ann.id, Ann);
  BOOST_TEST(s.giveAs({"system", ""}, "subscribe.show", {{"token", token}}).at("action") == "one-click");
  BOOST_TEST(s.isMember());
  s.clock.advance(std::chrono::hours(24 * 365));
  BOOST_TEST(click(token) == "left");
  BOOST_TEST(!s.isMember());
  BOOST_TEST(s.isMember("bob@example.org"));
  s.rules("confirm", "moderate");
  BOOST_TEST(click(oneClickToken(s.context.root, s.list, bob.id, "bob@example.org")) == "waiting");
  BOOST_TEST(s.isMember("bob@example.org"));
}

BOOST_AUTO_TEST_CASE(a_change_of_address_needs_both_mailboxes_and_takes_no_key_along) {
  Scene s;
  addMember(s.context, s.list, Ann);
  s.deliver({.to = "board-request@lists.example", .subject = "set"});
  BOOST_TEST(s.lastKind() == "member-link");
  s.giveAs({"system", ""}, "subscribe.settings", {{"token", s.token()}, {"newAddress", "ann@example.net"}});
  const auto mails = s.mails();
  BOOST_TEST(mails[0].mail.recipient == "ann@example.net");
  BOOST_TEST(mails[1].mail.recipient == Ann);
  const auto tokenOf = [](const SiteMailRow& row) { return row.mail.link.substr(row.mail.link.find("token=") + 6); };
  BOOST_TEST(s.use(tokenOf(mails[0])) == "other-mailbox");
  BOOST_TEST(s.use(tokenOf(mails[0])) == "other-mailbox");  // twice the same is not both
  BOOST_TEST(s.isMember());
  BOOST_TEST(s.use(tokenOf(mails[1])) == "moved");
  BOOST_TEST(!s.isMember());
  BOOST_TEST(s.isMember("ann@example.net"));
}

BOOST_AUTO_TEST_CASE(pauses_begin_and_end_by_themselves_and_leave_out_of_the_plan) {
  Scene s;
  addMember(s.context, s.list, Ann);
  s.deliver({.to = "board-request@lists.example", .subject = "set"});
  const auto token = s.token();
  const auto from = toMicros(s.clock.now() + std::chrono::hours(1)),
             until = toMicros(s.clock.now() + std::chrono::hours(3));
  s.giveAs({"system", ""}, "subscribe.settings", {{"token", token}, {"pausedFrom", from}, {"pausedUntil", until}});
  const auto planned = [&] {
    lookAfterSubscriptions(s.context);
    return s.context.site.read([&](SiteTables& tables) {
      std::size_t members = 0;
      tables.members.forEachEnabled(s.list.id, [&](const MemberWithKeys&) { ++members; });
      return members;
    });
  };
  BOOST_TEST(planned() == 1u);
  s.clock.advance(std::chrono::hours(2));
  BOOST_TEST(planned() == 0u);
  s.clock.advance(std::chrono::hours(2));
  BOOST_TEST(planned() == 1u);
  s.give("member.set", {{"list", Board}, {"address", Ann}, {"delivery", "none"}});
  BOOST_TEST(planned() == 0u);
  BOOST_TEST(s.context.site.read([&](SiteTables& tables) { return tables.members.isEnabled(s.list.id, Ann); }));
}

BOOST_AUTO_TEST_CASE(bans_fit_addresses_domains_and_patterns) {
  BOOST_TEST(fitsBan("ann@example.org", Ann));
  BOOST_TEST(!fitsBan("ann@example.org", "joann@example.org"));
  BOOST_TEST(fitsBan("@example.org", Ann));
  BOOST_TEST(fitsBan("@example.org", "ann@mail.example.org"));
  BOOST_TEST(!fitsBan("@example.org", "ann@badexample.org"));
  BOOST_TEST(fitsBan("*spam*@*.example", "myspambox@a.example"));
  BOOST_TEST(!fitsBan("*spam*@*.example", "myham@a.example"));
  BOOST_TEST(!banPattern("*@*").has_value());
  BOOST_TEST(!banPattern("not an address").has_value());
  BOOST_TEST(!banPattern("a*\r\nX: y").has_value());
  BOOST_TEST(!fitsBan(std::string(100, '*') + "b", std::string(300, 'a')));
}

BOOST_AUTO_TEST_CASE(who_is_banned_cannot_come_in_by_any_way) {
  Scene s;
  s.give("ban.add", {{"list", Board}, {"pattern", "@example.org"}, {"reason", "spam"}});
  s.deliver({});
  BOOST_TEST(s.mails().empty());
  BOOST_TEST(has(s.refusal("member.add", {{"list", Board}, {"address", Ann}}), "banned"));
  BOOST_TEST(has(s.refusal("subscription.invite", {{"list", Board}, {"address", Ann}}), "banned"));
  const auto import =
      s.give("member.import", {{"list", Board}, {"csv", Ann + ",Ann\nbob@example.net,\"=1+1\"\nbad\n"}});
  BOOST_TEST(import.at("rows")[0].at("outcome") == "banned");
  BOOST_TEST(import.at("rows")[1].at("outcome") == "added");
  BOOST_TEST(import.at("rows")[2].at("outcome") == "bad-address");
  const auto bans = s.give("ban.list", {{"list", Board}}).at("items");
  s.give("ban.remove", {{"id", bans[0].at("id")}});
  s.deliver({});
  BOOST_TEST(s.mails().size() == 1u);
}

// Pain 9 of the list servers: members wiped by a setting or an import.
BOOST_AUTO_TEST_CASE(a_file_that_was_cut_short_empties_no_list) {
  Scene s;
  for (int i = 0; i < 10; ++i) addMember(s.context, s.list, "m" + std::to_string(i) + "@example.org");
  addMember(s.context, s.list, "guest@example.net");
  const auto members = [&] { return s.give("member.list", {{"list", Board}}).at("total").get<int>(); };
  const auto sync = [&](const std::string& csv, const nlohmann::json& more = nlohmann::json::object()) {
    nlohmann::json args{{"list", Board}, {"csv", csv}};
    args.update(more);
    return s.give("member.sync", args);
  };
  for (const auto* csv : {"", "m1@example.org\n", "\"m1@example.org\n"})
    BOOST_TEST(has(s.refusal("member.sync", {{"list", Board}, {"csv", csv}}), "more than 20 %"));
  BOOST_TEST(members() == 11);
  BOOST_TEST(sync("m1@example.org\n", {{"dryRun", true}}).at("brake") == true);
  BOOST_TEST(members() == 11);
  std::string most;
  for (int i = 1; i < 10; ++i) most += "m" + std::to_string(i) + "@example.org\n";
  const auto done = sync(most + "new@example.org\n", {{"filter", "@example.org"}});
  BOOST_TEST(done.at("added") == 1);
  BOOST_TEST(done.at("gone") == nlohmann::json::array({"m0@example.org"}));
  BOOST_TEST(members() == 11);  // the guest is not of the file's domain and stays
  BOOST_TEST(sync("m1@example.org\n", {{"confirmed", true}}).at("removed") == 10);
  BOOST_TEST(members() == 1);
}

BOOST_AUTO_TEST_CASE(names_cannot_write_headers_and_links_hold_no_address) {
  Scene s;
  s.deliver({.body = "join\r\nsubscribe nasty\r\n"});
  for (const auto& mail : s.mails()) BOOST_TEST(mail.mail.link.find("example.org") == std::string::npos);
  BOOST_TEST(
      has(s.refusal("subscribe.ask", {{"list", Board}, {"address", Ann}, {"name", "A\r\nBcc: x@y"}}), "invalid"));
}

BOOST_AUTO_TEST_CASE(owners_are_told_what_waits_and_not_too_often) {
  Scene s;
  s.rules("moderate");
  s.browsers.signedIn(s.context, {"web", "olga"}, s.clock.now());
  s.deliver({});
  lookAfterSubscriptions(s.context);
  lookAfterSubscriptions(s.context);
  std::size_t told = 0;
  for (const auto& mail : s.mails())
    if (mail.mail.kind == SiteMail::Kind::RequestsWaiting) ++told;
  BOOST_TEST(told <= 1u);
  s.clock.advance(DecideWithin + std::chrono::hours(1));
  lookAfterSubscriptions(s.context);
  BOOST_TEST(s.give("subscription.list").at("items").empty());
}

BOOST_AUTO_TEST_CASE(commands_have_the_names_of_other_list_servers) {
  using Verb = MailCommand::Verb;
  const auto verbs = [](std::string_view subject, std::string_view text) {
    std::vector<Verb> found;
    for (const auto& command : readMailCommands(subject, text)) found.push_back(command.verb);
    return found;
  };
  BOOST_CHECK(verbs("subscribe", "") == std::vector{Verb::Join});
  BOOST_CHECK(verbs("", "SIGNOFF board\r\n") == std::vector{Verb::Leave});
  BOOST_CHECK(verbs("Re: help", "") == std::vector{Verb::Help});
  BOOST_CHECK(verbs("", "help\nend\njoin\n") == std::vector{Verb::Help});
  BOOST_CHECK(verbs("", "-- \njoin\n").empty());
  BOOST_CHECK(verbs("Meeting", "please join us\n").empty());
  BOOST_CHECK(verbs("confirm", "").empty());
  BOOST_CHECK(verbs("", "set\nset\ninfo\n") == (std::vector{Verb::Set, Verb::Info}));
  BOOST_TEST(readMailCommands("join", std::string(1 << 20, '\n')).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
