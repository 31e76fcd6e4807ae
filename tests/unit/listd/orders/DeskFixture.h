#pragma once
#include "core/audit/Entry.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Totp.h"
#include "listd/orders/OrderDesk.h"
#include "tests/unit/listd/Browsers.h"
#include "tests/unit/listd/ListdFixture.h"

namespace postern::test {

using nlohmann::json;

// The desk over a site without a gateway.
struct Desk {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{TestNow};
  SiteContext context{config, clock};
  const GatewayAddress address{config.gatewaySocket().string(), Secret()};
  GatewayControl gateway{context, address};
  Troubles troubles;
  crypto::PasswordHasher passwords;
  OrderTools tools{context, gateway, troubles, passwords, TestNow};
  OrderDesk desk{tools};
  Browsers browsers;

  json give(const std::string& order, const json& args = json::object()) {
    return desk.handle(order, {"cli", "root"}, args);
  }

  json giveAs(const app::Actor& actor, const std::string& order, const json& args = json::object()) {
    return desk.handle(order, browsers.signedIn(context, actor, clock.now()), args);
  }
  std::string refusalAs(const app::Actor& actor, const std::string& order, const json& args = json::object()) {
    try {
      giveAs(actor, order, args);
    } catch (const app::OrderRefused& refused) {
      return refused.error().code + ": " + refused.error().message + " | " + refused.error().hint;
    }
    return {};
  }

  // The refusal of an order: "code: message | hint"; empty when it was done.
  std::string refusal(const std::string& order, const json& args = json::object()) {
    try {
      give(order, args);
    } catch (const app::OrderRefused& refused) {
      return refused.error().code + ": " + refused.error().message + " | " + refused.error().hint;
    }
    return {};
  }

  void board() {
    give("domain.add", {{"name", "lists.example"}});
    give("list.create", {{"address", "board@lists.example"}, {"secure", true}});
    // The tests of members and keys are about S/MIME: who has none gets nothing.
    context.site.write([](SiteTables& tables) {
      auto list = tables.lists.find("board@lists.example").value();
      list.protection.floor = app::Protection::Smime;
      tables.lists.update(list);
    });
  }

  // The audit log, newest first: "actor action object outcome reason".
  std::vector<std::string> entries() {
    return context.site.read([](SiteTables& tables) {
      AuditFilter all;
      all.limit = 1000;
      std::vector<std::string> lines;
      for (const auto& row : tables.audit.list(all)) {
        const auto entry = audit::parseEntry(row.entry).value();
        using audit::Field;
        lines.push_back(tables.audit.nameOf(entry[Field::ActorId]) + " " + std::string(entry[Field::Action]) + " " +
                        std::string(entry[Field::ObjectId]) + " " + std::string(entry[Field::Outcome]) + " " +
                        std::string(entry[Field::ReasonCode]));
      }
      return lines;
    });
  }
};

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace postern::test
