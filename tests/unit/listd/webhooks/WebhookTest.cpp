#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/webhooks/WebhookCall.h"
#include "listd/webhooks/WebhookWorker.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::listd;
using namespace postern::test;

namespace {

using Outcome = app::FetchedDocument::Outcome;

// An account "shop" and its posts, whose ledger the test writes.
struct Hooks : Desk {
  Outcome outcome = Outcome::Got;
  std::vector<app::DocumentRequest> calls;
  std::map<std::uint64_t, std::uint64_t> posts;  // by the copy

  json add(const std::string& url = "https://shop.example/events") {
    context.site.write([](SiteTables& tables) {
      if (tables.accounts.find("shop")) return;
      Account account;
      account.name = "shop";
      account.userHandle = "shop";
      tables.accounts.add(account);
    });
    return give("webhook.add", {{"account", "shop"}, {"url", url}});
  }

  // A message of the account with one recipient, whose copy has this id; posts count from 1.
  void send(std::uint64_t copy, const std::string& account = "shop", bool domainMail = true) {
    context.site.write([&](SiteTables& tables) {
      Post post;
      post.verdict = "accepted";
      post.listId = tables.lists.find("board@lists.example")->id;
      post.queueId = "trace" + std::to_string(copy);
      post.client = json{{"account", account}}.dump();
      post.domainMail = domainMail;
      post.receivedAt = clock.now();
      posts[copy] = tables.posts.add(post);
      LedgerRow row;
      row.id = copy;
      row.postId = posts[copy];
      row.kind = app::Copy::Kind::Content;
      row.recipient = "ann@customer.example";
      row.protection = "smime";
      row.reason = "valid-certificate";
      tables.ledger.add(row);
    });
  }
  void became(std::uint64_t copy, CopyState state) {
    context.site.write([&](SiteTables& tables) {
      tables.ledger.setState(copy, state, 1, {});
      tables.webhooks.noteChanges(posts[copy]);
    });
  }
  std::size_t run() {
    return callWebhooks(context, [this](const app::DocumentRequest& call) {
      calls.push_back(call);
      return app::FetchedDocument{{}, outcome == Outcome::Got ? "" : "shop.example answers 500", outcome};
    });
  }
  json lastBody() const { return json::parse(calls.back().question); }
  json shown() { return give("webhook.list").at("items").at(0); }

  Hooks() { board(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_webhooks_Webhook, Hooks)

BOOST_AUTO_TEST_CASE(each_outcome_is_told_once_signed_and_without_what_the_message_says) {
  const auto made = add();
  send(41);
  became(41, CopyState::Deferred);
  BOOST_TEST(run() == 0u);
  became(41, CopyState::Delivered);
  became(41, CopyState::Delivered);
  BOOST_TEST(run() == 1u);
  BOOST_TEST(run() == 0u);
  BOOST_REQUIRE(calls.size() == 1u);
  const auto& call = calls.front();
  BOOST_TEST(call.url == "https://shop.example/events");
  BOOST_TEST((call.secureOnly && call.webhook));
  const auto body = lastBody();
  BOOST_TEST(body.at("type") == "message.delivered");
  BOOST_TEST(body.at("data") ==
             (json{{"id", "1"}, {"trace", "trace41"}, {"recipient", "ann@customer.example"}, {"protection", "smime"}}));
  const auto secret = made.at("secret").get<std::string>();
  BOOST_REQUIRE(secret.starts_with("whsec_"));
  const auto key = crypto::fromBase64(secret.substr(6));
  BOOST_REQUIRE(key.has_value());
  const auto valueOf = [&](std::size_t i) { return call.fields.at(i).substr(call.fields.at(i).find(": ") + 2); };
  const auto wanted = crypto::base64(crypto::hmacSha256(*key, valueOf(0) + "." + valueOf(1) + "." + call.question));
  BOOST_TEST(valueOf(2) == "v1," + wanted);
  BOOST_TEST(shown().at("lastAnswer") == "taken");
}

BOOST_AUTO_TEST_CASE(mail_of_others_and_posts_to_lists_are_not_told) {
  add();
  send(1, "other");
  send(2, "shop", false);
  became(1, CopyState::Delivered);
  became(2, CopyState::Delivered);
  BOOST_TEST(run() == 0u);
  BOOST_TEST(calls.empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_taken_comes_again_in_order_and_is_given_up_after_three_days) {
  add();
  send(1);
  send(2);
  became(1, CopyState::Delivered);
  became(2, CopyState::Expired);
  outcome = Outcome::Failed;
  run();
  run();  // it rests
  BOOST_TEST(calls.size() == 1u);
  BOOST_TEST(shown().at("lastAnswer") == "shop.example answers 500");
  BOOST_TEST(shown().at("waiting") == 2);
  clock.advance(std::chrono::seconds(6));
  run();
  BOOST_TEST(calls.size() == 2u);
  BOOST_TEST(lastBody().at("data").at("id") == "1");
  clock.advance(std::chrono::hours(73));
  run();  // the last try of the first
  outcome = Outcome::Got;
  clock.advance(std::chrono::hours(4));
  BOOST_TEST(run() == 1u);
  BOOST_TEST(lastBody().at("data").at("id") == "2");
  BOOST_TEST(lastBody().at("type") == "message.expired");
  BOOST_TEST(shown().at("waiting") == 0);
  BOOST_TEST(shown().at("failingSince") == 0);
}

BOOST_AUTO_TEST_CASE(a_webhook_that_is_off_or_removed_is_not_called) {
  const auto id = add().at("id").get<std::uint64_t>();
  send(1);
  give("webhook.set", {{"id", id}, {"state", "off"}});
  became(1, CopyState::Delivered);
  BOOST_TEST(run() == 0u);
  give("webhook.set", {{"id", id}, {"state", "on"}});
  became(1, CopyState::Failed);
  give("webhook.remove", {{"id", id}});
  BOOST_TEST(run() == 0u);
  BOOST_TEST(calls.empty());
}

BOOST_AUTO_TEST_CASE(only_https_addresses_that_are_addresses_are_taken) {
  add();
  for (const auto* url : {"http://shop.example/", "https://", "https://me:secret@shop.example/", "https://a b/",
                          "https://shop.example/\r\nX: y", "file:///etc/passwd", ""})
    BOOST_CHECK_THROW(add(url), app::OrderRefused);
  BOOST_CHECK_THROW(add(), app::OrderRefused);  // it is there already
}

BOOST_AUTO_TEST_SUITE_END()
