#include "core/mail/Message.h"
#include "listd/expand/Outbox.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::listd;
using namespace postern::test;

namespace {

constexpr auto Key = "0123456789abcdef";

struct Compose : Desk {
  int planned = 0;
  Intake intake{context, [this] { ++planned; }};
  app::Judgement judgement{true, false, {}, {}, {}, {}};
  std::vector<app::Submission> judged;
  Outbox outbox{context, intake, [this](const app::Submission& submission) {
                  judged.push_back(submission);
                  return judgement;
                }};
  const app::Actor ann{"web", "ann"};

  Compose() {
    tools.outbox = &outbox;
    board();
    give("relay.add", {{"range", "192.0.2.0/24"}, {"domain", "example.org"}, {"list", "board@lists.example"}});
    account("ann", "ann@example.org");
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
  json form(const std::string& key = Key) {
    return {
        {"key", key}, {"to", {"sam@smime.example", "Nora@nothing.example"}}, {"subject", "Grüße"}, {"text", "Hallo"}};
  }
  json with(const std::string& field, const json& value) {
    auto changed = form();
    changed[field] = value;
    return changed;
  }
  json raw(const std::string& header) {
    return {{"key", Key}, {"to", {"sam@smime.example"}}, {"message", crypto::base64(header + "\r\nHallo\r\n")}};
  }
  std::vector<Post> posts() {
    return context.site.read([](SiteTables& tables) { return tables.posts.page(0, 0, 100); });
  }
  std::string content(const Post& post) { return context.vault.get(post.vaultObject).value(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_orders_SendOrders, Compose)

BOOST_AUTO_TEST_CASE(what_is_sent_is_a_post_of_kind_domain_from_the_accounts_own_address) {
  const auto sent = giveAs(ann, "mail.send", form());
  BOOST_TEST(sent.at("from") == "ann@example.org");
  BOOST_TEST(!sent.at("again").get<bool>());
  const auto all = posts();
  BOOST_REQUIRE_EQUAL(all.size(), 1u);
  BOOST_TEST(all.front().domainMail);
  BOOST_TEST(all.front().mailFrom == "ann@example.org");
  BOOST_TEST(all.front().counts.recipients == 2u);
  const auto message = mail::Message::parse(content(all.front())).value();
  BOOST_TEST(message.subject() == "Grüße");
  BOOST_TEST(message.from().mailboxes.front().address->text() == "ann@example.org");
  BOOST_TEST(planned == 1);
  BOOST_TEST(has(entries().front(), "ann mail.send " + std::to_string(all.front().id)));
}

BOOST_AUTO_TEST_CASE(a_double_click_sends_once_and_a_changed_form_is_not_taken_for_it) {
  const auto first = giveAs(ann, "mail.send", form());
  const auto second = giveAs(ann, "mail.send", form());
  BOOST_TEST(second.at("id") == first.at("id"));
  BOOST_TEST(second.at("again").get<bool>());
  BOOST_TEST(refusalAs(ann, "mail.send", with("text", "Anders")).starts_with("exists"));
  BOOST_TEST(posts().size() == 1u);
  giveAs(ann, "mail.send", form("another key of a form"));
  account("bob", "bob@example.org");
  giveAs({"web", "bob"}, "mail.send", form());  // the key of another is no key of his
  const auto all = posts();
  BOOST_REQUIRE_EQUAL(all.size(), 3u);
  BOOST_TEST(all[0].vaultObject != all[1].vaultObject);
  BOOST_TEST(all[1].vaultObject != all[2].vaultObject);
}

BOOST_AUTO_TEST_CASE(the_policies_are_asked_before_anything_is_taken_and_once) {
  judgement = {false, false, "<sam@smime.example>: no projects outside", "projects", "projects", {}};
  const auto refused = refusalAs(ann, "mail.send", form());
  BOOST_TEST(has(refused, "a policy of this site refuses this message: <sam@smime.example>: no projects outside"));
  judgement = {false, false, "a\r\n\x1b[31mb", "x", "x", {}};
  BOOST_TEST(has(refusalAs(ann, "mail.send", form()), ": a   [31mb"));
  judgement = {false, true, "try again later", "policy-broken", {}, {}};
  BOOST_TEST(has(refusalAs(ann, "mail.send", form()), "does not let this message out now"));
  BOOST_TEST(posts().empty());
  BOOST_TEST(planned == 0);
  BOOST_REQUIRE_EQUAL(judged.size(), 3u);
  BOOST_TEST(judged[0].mailFrom == "ann@example.org");
  BOOST_TEST(judged[0].recipients == (std::vector<std::string>{"nora@nothing.example", "sam@smime.example"}));
  BOOST_TEST(has(judged[0].content, "Subject: "));
  judgement = {true, false, {}, {}, {}, {}};
  giveAs(ann, "mail.send", form());
  judgement = {false, false, "too late", "late", "late", {}};
  BOOST_TEST(giveAs(ann, "mail.send", form()).at("again").get<bool>());  // it went out already
  BOOST_TEST(judged.size() == 4u);
}

BOOST_AUTO_TEST_CASE(what_the_policies_would_say_is_told_before_sending_and_nothing_is_taken) {
  auto draft = form();
  draft.erase("key");
  judgement = {false, false, "projects\x1b stay inside", "projects", "projects", {}};
  auto plan = giveAs(ann, "mail.preview", draft);
  BOOST_TEST(!plan.at("verdict").at("passed").get<bool>());
  BOOST_TEST(plan.at("verdict").at("text") == "projects  stay inside");
  BOOST_TEST(plan.at("items").size() == 2u);
  BOOST_REQUIRE_EQUAL(judged.size(), 1u);
  const auto isTrial = [](const auto& note) { return note.first == app::TrialNote; };
  BOOST_TEST(std::count_if(judged[0].notes.begin(), judged[0].notes.end(), isTrial) == 1);
  BOOST_TEST(has(judged[0].content, "Subject: "));
  judgement = {true, false, {}, {}, {}, {{"protect", "smime"}}};
  plan = giveAs(ann, "mail.preview", draft);
  BOOST_TEST(plan.at("verdict").at("passed").get<bool>());
  for (const auto& item : plan.at("items")) BOOST_TEST(item.at("protection") != "pickup");  // as it would be sent
  BOOST_TEST(giveAs(ann, "mail.preview", {{"to", {"sam@smime.example"}}}).at("verdict").is_null());
  BOOST_TEST(judged.size() == 2u);
  draft["subject"] = "a\r\nBcc: eve@evil.example";
  BOOST_TEST(!refusalAs(ann, "mail.preview", draft).empty());
  BOOST_TEST(posts().empty());
  giveAs(ann, "mail.send", form());
  BOOST_TEST(std::count_if(judged.back().notes.begin(), judged.back().notes.end(), isTrial) == 0);
}

BOOST_AUTO_TEST_CASE(a_person_who_came_by_https_is_told_to_the_policies_so_and_nobody_else_is) {
  auto byHttps = ann;
  byHttps.client = "192.0.2.9";
  byHttps.https = {"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256};
  giveAs(byHttps, "mail.send", form());
  BOOST_REQUIRE_EQUAL(judged.size(), 1u);
  BOOST_TEST(judged[0].tls.version == "TLSv1.3");
  BOOST_TEST(judged[0].tls.cipher == "TLS_AES_256_GCM_SHA384");
  BOOST_TEST(judged[0].tls.verification == "none");
  giveAs(ann, "mail.send", form("another key of a form"));
  BOOST_TEST(judged[1].tls.version.empty());
}

BOOST_AUTO_TEST_CASE(without_the_gateway_nothing_is_judged_and_so_nothing_taken) {
  const GatewayAddress nowhere{"/nonexistent/gateway.sock", Secret(std::string(32, 'k'))};
  const auto judge = judgeByGateway(nowhere);
  try {
    judge({});
    BOOST_ERROR("a judgement came from nowhere");
  } catch (const app::OrderRefused& refused) {
    BOOST_TEST(refused.error().code == "unavailable");
  }
}

BOOST_AUTO_TEST_CASE(a_note_of_a_policy_strengthens_and_none_changes_whose_message_it_is) {
  judgement.notes = {{"protect", "smime"}, {"outbound", "other@lists.example"}, {"account", "eve"}};
  const auto id = giveAs(ann, "mail.send", form()).at("id");
  const auto all = posts();
  BOOST_REQUIRE_EQUAL(all.size(), 1u);
  BOOST_TEST(giveAs(ann, "mail.sent", {{"id", id}}).at("post").at("list") == "board@lists.example");
  account("eve", "eve@example.org");
  BOOST_TEST(refusalAs({"web", "eve"}, "mail.sent", {{"id", id}}).starts_with("not-found"));
}

BOOST_AUTO_TEST_CASE(the_plan_is_shown_before_and_nothing_is_kept_of_it) {
  const auto plan = giveAs(ann, "mail.preview", {{"to", {"sam@smime.example"}}});
  BOOST_TEST(plan.at("from") == "ann@example.org");
  BOOST_REQUIRE_EQUAL(plan.at("items").size(), 1u);
  BOOST_TEST(plan.at("items").at(0).at("protection") == "withheld");  // S/MIME alone, and no key
  BOOST_TEST(posts().empty());
}

BOOST_AUTO_TEST_CASE(nobody_writes_by_an_address_that_is_not_theirs_alone) {
  account("carl", "");
  account("dora", "dora@other.example");
  account("eve", "ANN@example.org");
  BOOST_TEST(has(refusalAs({"web", "carl"}, "mail.send", form()), "no mail address"));
  BOOST_TEST(has(refusalAs({"web", "dora"}, "mail.send", form()), "is not protected here"));
  BOOST_TEST(has(refusalAs({"web", "eve"}, "mail.send", form()), "another account"));
  BOOST_TEST(has(refusalAs(ann, "mail.send", form()), "another account"));
  give("account.disable", {{"name", "eve"}});
  BOOST_TEST(refusalAs(ann, "mail.send", with("account", "dora")).starts_with("denied"));
  giveAs(ann, "mail.send", form());
  BOOST_TEST(posts().size() == 1u);
}

BOOST_AUTO_TEST_CASE(no_field_takes_a_line_end_and_no_address_but_a_plain_one) {
  for (const auto* subject : {"x\r\nBcc: eve@evil.example", "x\nBcc: eve@evil.example", "x\rBcc: eve@evil.example"})
    BOOST_TEST(!refusalAs(ann, "mail.send", with("subject", subject)).empty());
  for (const auto* to : {"sam@smime.example\r\nBcc: eve@evil.example", "sam@smime.example, eve@evil.example",
                         "Sam <sam@smime.example>", "user%other.example@smime.example", "other!user@smime.example",
                         "\"a b\"@smime.example", "user@[192.0.2.1]", "board@lists.example", "user@localhost", ""})
    BOOST_TEST(!refusalAs(ann, "mail.send", with("to", json::array({to}))).empty(), to);
  for (const auto* name : {"a\r\nBcc: eve@evil.example", "a\nb"})
    BOOST_TEST(!refusalAs(ann, "mail.send", with("files", {{{"name", name}, {"content", ""}}})).empty());
  BOOST_TEST(posts().empty());
}

BOOST_AUTO_TEST_CASE(sizes_numbers_and_rates_have_limits) {
  BOOST_TEST(!refusalAs(ann, "mail.send", with("to", json::array())).empty());
  BOOST_TEST(!refusalAs(ann, "mail.send", with("text", "")).empty());
  BOOST_TEST(!refusalAs(ann, "mail.send", with("key", "short")).empty());
  auto many = json::array();
  for (int i = 0; i < 101; ++i) many.push_back("p" + std::to_string(i) + "@many.example");
  BOOST_TEST(has(refusalAs(ann, "mail.send", with("to", many)), "too many recipients"));
  const json big{{{"name", "big"}, {"content", crypto::base64(std::string((10u << 20) + 1, 'x'))}}};
  BOOST_TEST(has(refusalAs(ann, "mail.send", with("files", big)), "too large"));
  many.erase(100);
  for (int i = 0; i < 10; ++i)
    giveAs(ann, "mail.send", [&] {
      auto form = with("to", many);
      form["key"] = "many recipients " + std::to_string(i);
      return form;
    }());
  BOOST_TEST(has(refusalAs(ann, "mail.send", form()), "within one hour"));
}

BOOST_AUTO_TEST_CASE(a_whole_message_must_be_the_accounts_own) {
  for (const auto* header :
       {"From: ceo@example.org\r\n", "From: ann@example.org, ceo@example.org\r\n", "Subject: x\r\n",
        "From: ann@example.org\r\nFrom: ceo@example.org\r\n", "From: ann@example.org\r\nSender: ceo@example.org\r\n",
        "From: ann@example.org\r\nResent-From: ceo@example.org\r\n", "From: ann@example.org\nSubject: x\r\n",
        "From: ann@example.org\r\nReceived: from bank.example by mx.example.org; Thu, 1 Jan 2026 00:00:00 +0000\r\n"})
    BOOST_TEST(!refusalAs(ann, "mail.send", raw(header)).empty(), header);
  BOOST_TEST(posts().empty());
  giveAs(ann, "mail.send", raw("From: Ann <Ann@example.org>\r\nTo: sam@smime.example\r\nSubject: x\r\n"));
  BOOST_TEST(posts().size() == 1u);
}

BOOST_AUTO_TEST_CASE(everybody_sees_what_became_of_their_own_and_of_nobody_elses) {
  const auto id = giveAs(ann, "mail.send", form()).at("id");
  const auto shown = giveAs(ann, "mail.sent", {{"id", id}});
  BOOST_TEST(shown.at("recipients").size() == 2u);
  BOOST_TEST(giveAs(ann, "mail.sent").at("items").size() == 1u);
  account("bob", "bob@example.org");
  BOOST_TEST(refusalAs({"web", "bob"}, "mail.sent", {{"id", id}}).starts_with("not-found"));
  // Not even who gets the address later.
  give("account.disable", {{"name", "ann"}});
  give("account.set", {{"name", "bob"}, {"mail", "ann@example.org"}});
  BOOST_TEST(refusalAs({"web", "bob"}, "mail.sent", {{"id", id}}).starts_with("not-found"));
  BOOST_TEST(giveAs({"web", "bob"}, "mail.sent").at("items").empty());
  BOOST_TEST(refusal("mail.sent").starts_with("usage"));
  BOOST_TEST(give("mail.sent", {{"id", id}, {"account", "ann"}}).at("recipients").size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
