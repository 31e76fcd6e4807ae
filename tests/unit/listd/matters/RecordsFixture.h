#pragma once
#include "listd/matters/HoldJournal.h"
#include "listd/matters/MatterOrders.h"
#include "listd/orders/OrderDesk.h"
#include "listd/requests/RequestOrders.h"
#include "listd/retention/Retention.h"
#include "tests/unit/listd/ListdFixture.h"

// Orders on records, given straight to their handlers by persons whose roles are known.
namespace postern::test {

using nlohmann::json;

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline app::Actor person(const std::string& name, app::Roles roles) {
  app::Actor actor{"web", name};
  actor.roles = roles;
  return actor;
}
inline const app::Actor Olga = person("olga", app::Role::Officer);
inline const app::Actor Pia = person("pia", app::Role::Approver);
inline const app::Actor Udo = person("udo", app::Role::Auditor);

struct RecordsDesk {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{TestNow};
  SiteContext context{config, clock};
  const GatewayAddress address{config.gatewaySocket().string(), Secret()};
  GatewayControl gateway{context, address};
  Troubles troubles;
  crypto::PasswordHasher passwords;
  Retention retention{context, nullptr};
  OrderTools tools{context, gateway, troubles, passwords, TestNow, nullptr, nullptr, nullptr, &retention};

  explicit RecordsDesk(std::vector<std::string> staff = {"olga", "pia", "udo"}) {
    for (const auto& name : staff) addStaff(name);
  }

  void addStaff(const std::string& name) {
    context.site.write([&](SiteTables& tables) {
      Account account;
      account.name = name;
      account.mail = has(name, "@") ? name : std::string();
      account.userHandle = name;
      account.roles = has(name, "olga")  ? app::Role::Officer
                      : has(name, "udo") ? app::Role::Auditor
                                         : app::Role::Approver;
      account.createdAt = clock.now();
      tables.accounts.add(account);
    });
  }

  json give(const app::Actor& actor, const std::string& order, const json& args = json::object()) {
    const auto* row = findOrder(order);
    if (row == nullptr) throw Error(ErrorKind::Invariant, "no order " + order);
    return row->handler(tools, {order, actor, Args(args), {}});
  }
  std::string refusal(const app::Actor& actor, const std::string& order, const json& args = json::object()) {
    try {
      give(actor, order, args);
    } catch (const app::OrderRefused& refused) {
      return refused.error().code + ": " + refused.error().message;
    }
    return {};
  }

  std::uint64_t matter(const std::string& name = "Case 7") {
    return give(Olga, "matter.create", {{"name", name}}).at("id");
  }
  json hold(std::uint64_t matterId, const json& scope, bool silent = false, const std::string& notice = {}) {
    json args{{"matter", matterId}, {"name", "H"}, {"scope", scope}, {"silent", silent}};
    if (!notice.empty()) args["notice"] = notice;
    return give(Olga, "hold.place", args);
  }

  // What a release of the hold must name.
  json releaseOf(const json& hold, const std::string& reason, std::uint64_t grace = 30) {
    const auto asked = give(Olga, "what-if.run", {{"releaseHold", hold}, {"graceDays", grace}});
    return {{"id", hold}, {"reason", reason}, {"graceDays", grace}, {"whatIf", asked.at("id")}};
  }

  // A message on lists, as the archive keeps it.
  void object(std::uint64_t id, TimePoint receivedAt, const std::vector<List>& lists,
              std::optional<TimePoint> headerDate = std::nullopt) {
    context.site.write([&](SiteTables& tables) {
      StoredObject stored;
      stored.id = id;
      stored.receivedAt = receivedAt;
      stored.headerDate = headerDate;
      stored.size = 1000;
      stored.sensitivity = "moderate";
      for (const auto& list : lists) tables.archive.add(stored, list.id, 0);
    });
  }

  template <class Work>
  auto read(Work work) {
    return context.site.read(work);
  }
  std::vector<SiteMailRow> mails() {
    return read([](SiteTables& tables) { return tables.siteMail.newest(100); });
  }
  // The newest mail's token.
  std::string token() {
    const auto link = mails().front().mail.link;
    return link.substr(link.find("token=") + 6);
  }
  void deliver(std::uint64_t copyKey) {
    context.site.write([&](SiteTables& tables) {
      app::DeliveryEvent event;
      event.copyKey = copyKey;
      event.at = clock.now();
      event.attempt = 1;
      event.replyCode = 250;
      tables.siteMail.record(event);
    });
  }
};

}  // namespace postern::test
