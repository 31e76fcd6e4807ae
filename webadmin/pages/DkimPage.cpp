#include "webadmin/pages/DkimPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

#include <set>

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

const char* stateWords(const std::string& state) {
  if (state == "waiting") return "waits for its record";
  if (state == "active") return "signs";
  if (state == "former") return "signs no more";
  return "retired";
}

const char* foundWords(const std::string& found) {
  if (found == "same") return "there";
  if (found == "missing") return "missing";
  if (found == "other") return "another one";
  if (found == "failed") return "could not be asked";
  return "not looked yet";
}

json keyRow(const json& key, TimePoint now) {
  const auto state = views::text(key, "state");
  const auto found = views::text(key, "found");
  const auto advice = views::text(key, "advice");
  return {{"domain", views::text(key, "domain")},
          {"selector", views::text(key, "selector")},
          {"kind", views::text(key, "kind") == "rsa" ? "RSA" : "Ed25519"},
          {"forReports", views::text(key, "service") == "tlsrpt"},
          {"state", stateWords(state)},
          {"found", foundWords(found)},
          {"checkedAt", views::time(key, "checkedAt", now)},
          {"name", views::text(key, "name")},
          {"record", views::text(key, "record")},
          {"zone", views::text(key, "zone")},
          {"advice", advice},
          {"open", state == "waiting" || found == "missing" || found == "other"}};
}

Response draw(const Visit& visit, int status, const json& refusal) {
  const auto known = visit.order("dkim.list");
  json keys = json::array();
  json domains = json::array();
  std::set<std::string> active;
  bool retired = false;
  for (const auto& key : views::part(known, "items")) {
    if (views::text(key, "state") == "active") active.insert(views::text(key, "domain"));
    if (views::text(key, "state") == "retired")
      retired = true;
    else
      keys.push_back(keyRow(key, visit.now()));
  }
  for (const auto& domain : active) domains.push_back({{"domain", domain}});
  const auto& form = visit.request.form;
  const bool mayChange = views::may(visit, Admin);
  return visit.page("dkim", {"Signing keys", "dkim", status},
                    {{"keys", keys},
                     {"hasKeys", !keys.empty()},
                     {"retired", retired},
                     {"mayAdd", mayChange},
                     {"mayCheck", mayChange && !keys.empty()},
                     {"active", domains},
                     {"mayRotate", mayChange && !domains.empty()},
                     {"domain", form.get("domain")},
                     {"ed25519", form.get("kind") == "ed25519"},
                     {"refusal", refusal}});
}

template <class Order>
Response change(Visit& visit, const char* done, Order order) {
  try {
    order();
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
  std::string to = "/dkim?done=";
  return Response::redirect(to += done);
}

}  // namespace

Response dkimKeys(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response addDkimKey(Visit& visit) {
  const auto& form = visit.request.form;
  return change(visit, "dkim-added", [&] {
    visit.order("dkim.add", {{"domain", form.get("domain")}, {"kind", form.get("kind")}});
  });
}

Response rotateDkimKeys(Visit& visit) {
  return change(visit, "dkim-added", [&] {
    visit.order("dkim.rotate", {{"domain", visit.request.form.get("domain")}});
  });
}

Response checkDkimKeys(Visit& visit) {
  return change(visit, "dkim-checked", [&] { visit.order("dkim.check"); });
}

}  // namespace postern::webadmin::pages
