#pragma once
#include "listd/expand/PostSender.h"
#include "listd/mailout/SealedLink.h"
#include "listd/pickup/PickupContent.h"
#include "listd/pickup/PickupKeeper.h"
#include "listd/pickup/PickupLink.h"
#include "tests/unit/listd/orders/DeskFixture.h"

namespace postern::test {

inline const std::string Canary = "canary-7d1f-of-a-pickup-message";

// A site whose secure list has a post for two recipients of pick-up.
struct PickupSite : Desk {
  List list;
  std::uint64_t postId = 0;
  std::vector<LedgerRow> rows;
  std::vector<app::Copy> copies;
  std::optional<PickupContent::Tail> tail;
  const json web = json{{"client", "192.0.2.7"}, {"agent", "Firefox on Linux"}};

  PickupSite() {
    config.webUrl = "https://mail.example";
    list = makeList(context, "board@lists.example", true);
    postId = post("ann@example.org", "Subject " + Canary, "Body " + Canary);
    send({"bob@example.net", "eve@example.net"});
  }

  static std::string messageOf(const std::string& from, const std::string& subject, const std::string& body) {
    return "From: Ann <" + from + ">\r\nTo: board@lists.example\r\nSubject: " + subject +
           "\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\nMessage-ID: <a@example.org>\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>" +
           body +
           "</p><script>alert(1)</script>\r\n--b\r\nContent-Type: application/pdf; name=x.pdf\r\n"
           "Content-Disposition: attachment; filename=\"minutes.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
           crypto::base64Lines("PDF " + body) + "--b--\r\n";
  }

  std::uint64_t post(const std::string& from, const std::string& subject, const std::string& body) {
    Post post;
    post.queueId = "Q" + subject.substr(0, 20);
    post.listId = list.id;
    post.mailFrom = from;
    post.outMessageId = "<abcdefghijklmnopqrstuvwxyz@lists.example>";
    post.receivedAt = clock.now();
    post.plannedAt = clock.now();
    post.sensitivity = "moderate";
    post.client = "{}";
    post.verdict = "accepted";
    post.vaultObject = 4711;
    context.vault.put(post.vaultObject, list.id, messageOf(from, subject, body));
    return context.site.write([&](SiteTables& tables) {
      const auto id = tables.posts.add(post);
      StoredObject object;
      object.id = post.vaultObject;
      object.receivedAt = post.receivedAt;
      object.size = 100;
      object.sensitivity = "moderate";
      tables.archive.add(object, list.id, id);
      return id;
    });
  }

  Post postRow() {
    return *context.site.read([&](SiteTables& tables) { return tables.posts.find(postId); });
  }

  void send(const std::vector<std::string>& recipients) {
    rows.clear();
    copies.clear();
    context.site.write([&](SiteTables& tables) {
      for (const auto& recipient : recipients) {
        LedgerRow row;
        row.id = tables.counters.take(CounterStore::Copy);
        row.postId = postId;
        row.recipient = recipient;
        row.protection = "pickup";
        row.reason = "no-key";
        tables.ledger.add(row);
        rows.push_back(row);
      }
    });
    const auto post = postRow();
    PickupContent content(context, post, list, pickupMessage(context, post, list));
    tail = content.prepare(rows);
    for (const auto& row : rows)
      if (auto copy = content.copy(row)) copies.push_back(std::move(*copy));
  }

  static std::string tokenIn(const std::string& mail) {
    const auto at = mail.find("?token=");
    if (at == std::string::npos) return {};
    return mail.substr(at + 7, mail.find("\r\n", at) - at - 7);
  }
  std::string token(std::size_t i) { return tokenIn(copies.at(i).head); }
  PickupItem item(std::size_t i) {
    return *context.site.read([&](SiteTables& tables) { return tables.pickup.find(rows.at(i).id); });
  }
  std::string idOf(std::size_t i) { return std::to_string(item(i).contentId); }

  json with(json args) {
    for (const auto& [name, value] : web.items())
      if (!args.contains(name)) args[name] = value;
    return args;
  }
  json visit(const std::string& order, const json& args = json::object()) {
    return desk.handle(order, {"system", "webadmin"}, with(args));
  }
  std::string refused(const std::string& order, const json& args = json::object()) {
    try {
      visit(order, args);
    } catch (const app::OrderRefused& refusal) {
      return refusal.error().code;
    }
    return {};
  }
  app::Actor officer() {
    context.site.write([&](SiteTables& tables) {
      if (tables.accounts.find("olga")) return;
      Account account;
      account.name = "olga";
      account.roles = app::Role::Officer;
      account.createdAt = clock.now();
      account.userHandle = "olga";
      tables.accounts.add(account);
    });
    return {"web", "olga"};
  }
  // First visit with a password; the session's secret.
  std::string enter(std::size_t i, const std::string& password = "four words nobody says") {
    const auto opened = visit("pickup.open", {{"token", token(i)}});
    return visit("pickup.set-up", {{"session", opened["session"]}, {"password", password}})["session"];
  }
  std::string lastMailedToken() {
    const auto mails = context.site.read([](SiteTables& tables) { return tables.siteMail.newest(1); });
    return mails.empty() ? std::string() : tokenIn(openLink(context.root, mails.front().mail.link) + "\r\n");
  }
};

}  // namespace postern::test
