#pragma once
#include "listd/retention/Retention.h"
#include "listd/retention/WhatIfScan.h"
#include "listd/search/IndexAnswers.h"
#include "listd/search/IndexWorker.h"
#include "tests/unit/listd/matters/RecordsFixture.h"
#include "tests/unit/listd/retention/RetentionFixture.h"

namespace postern::test {

// A site as it runs, with the real index and orders; only its clock is the test's.
struct SystemSite : Site {
  SearchIndex search{config.path("index"), context.root, clock};
  IndexAnswers real{search};
  std::optional<Retention> retention;
  const GatewayAddress address{config.gatewaySocket().string(), Secret()};
  GatewayControl gateway{context, address};
  Troubles troubles;
  crypto::PasswordHasher passwords;
  OrderTools tools{context, gateway, troubles, passwords, clock.now(), nullptr, &search};

  SystemSite() {
    answers = &real;
    parts = GateParts::of(context, &real);
    member = "zoe@example.org";
    retention.emplace(context, &real);
    tools.retention = &*retention;
    context.site.write([&](SiteTables& tables) {
      for (const auto& [name, role] : {std::pair("olga", app::Role::Officer), std::pair("pia", app::Role::Approver)}) {
        Account account;
        account.name = account.userHandle = name;
        account.roles = role;
        account.createdAt = clock.now();
        tables.accounts.add(account);
      }
      Matter matter;
      matter.name = "Case 7";
      matter.createdBy = "olga";
      tables.matters.add(matter);
    });
  }

  // Ended when it returns, so that nothing comes into the index at another time.
  void indexAll() {
    IndexWorker worker(context, search);
    worker.runOnce();
  }

  std::uint64_t hold(const json& scope, bool silent = false) {
    auto read = records::Predicate::parse(scope);
    BOOST_REQUIRE_MESSAGE(read.has_value(), (read ? std::string() : read.error()));
    HoldRow row;
    row.hold.matterId = 1;
    row.hold.name = "H";
    row.hold.scope = *read;
    row.hold.silent = silent;
    row.hold.placedAt = clock.now();
    row.placedBy = "olga";
    return context.site.write([&](SiteTables& tables) {
      row.hold.id = tables.holds.add(row);
      journalPlaced(context, row, *tables.matters.find(1));
      return row.hold.id;
    });
  }
  void release(std::uint64_t id, std::chrono::days grace = records::DefaultGrace) {
    context.site.write([&](SiteTables& tables) { tables.holds.release(id, clock.now(), grace, "olga", "over"); });
  }

  json give(const app::Actor& actor, const std::string& order, const json& args = json::object()) {
    const auto* row = findOrder(order);
    if (row == nullptr) throw Error(ErrorKind::Invariant, "no order " + order);
    return row->handler(tools, {order, actor, Args(args), {}});
  }
  std::string refusal(const app::Actor& actor, const std::string& order, const json& args) {
    try {
      give(actor, order, args);
    } catch (const app::OrderRefused& refused) {
      return refused.error().code;
    }
    return {};
  }

  void kept(std::uint64_t object, const std::string& at) {
    goTo(at);
    run();
    BOOST_TEST(readable(object), object << " kept at " << at);
    BOOST_TEST(lineOf(object) == 0u);
  }
  void gone(std::uint64_t object, const std::string& at) {
    goTo(at);
    run();
    BOOST_TEST(!readable(object), object << " due at " << at);
    BOOST_TEST(!context.keys.hasObjectKey(object));
    BOOST_TEST(lineOf(object) == 1u);
    BOOST_TEST(!search.evaluableSince(object).has_value());
  }
  std::uint64_t lineOf(std::uint64_t object) {
    return context.site.read([&](SiteTables& tables) {
      const auto line = tables.retention.disposal(object);
      return line && line->done ? 1u : 0u;
    });
  }
  void noCanary() { BOOST_TEST(filesWith(folder.path(), "canary").empty()); }
};

}  // namespace postern::test
