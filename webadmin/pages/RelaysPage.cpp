#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

std::string removePath(const std::string& range, const std::string& domain) {
  return "/relays/remove?range=" + percentEncode(range) + "&domain=" + percentEncode(domain);
}

json relayRows(const Visit& visit) {
  json rows = json::array();
  const auto relays = visit.order("relay.list");
  for (const auto& relay : views::part(relays, "items")) {
    const auto range = views::text(relay, "range");
    const auto domain = views::text(relay, "domain");
    const auto list = views::text(relay, "list");
    rows.push_back({{"range", range},
                    {"domain", domain},
                    {"list", list},
                    {"listPath", views::listPath(list)},
                    {"removePath", removePath(range, domain)}});
  }
  return rows;
}

// Only these can be chosen: mail under an open list would go out unprotected.
json secureLists(const Visit& visit, const std::string& chosen) {
  json choices = json::array();
  const auto known = visit.order("list.list", {{"limit", views::AllLists}});
  for (const auto& list : views::part(known, "items"))
    if (views::flag(list, "secure"))
      choices.push_back(
          {{"address", views::text(list, "address")}, {"chosen", views::text(list, "address") == chosen}});
  return choices;
}

Response draw(const Visit& visit, int status, const json& refusal) {
  const auto& form = visit.request.form;
  const auto rows = relayRows(visit);
  const bool mayAdd = views::may(visit, Admin);
  const auto lists = mayAdd ? secureLists(visit, form.get("list")) : json::array();
  return visit.page("relays", {"Relays", "relays", status},
                    {{"relays", rows},
                     {"hasRelays", !rows.empty()},
                     {"mayAdd", mayAdd && !lists.empty()},
                     {"needsList", mayAdd && lists.empty()},
                     {"mayRemove", mayAdd},
                     {"lists", lists},
                     {"range", form.get("range")},
                     {"domain", form.get("domain")},
                     {"refusal", refusal}});
}

Response drawRemoval(const Visit& visit, const std::string& range, const std::string& domain, int status,
                     const json& refusal) {
  return visit.page("relay-remove", {"Remove a relay", "relays", status},
                    {{"range", range}, {"domain", domain}, {"refusal", refusal}});
}

}  // namespace

Response relays(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response addRelay(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    visit.order("relay.add",
                {{"range", form.get("range")}, {"domain", form.get("domain")}, {"list", form.get("list")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/relays?done=relay-added");
}

Response confirmRelayRemoval(Visit& visit) {
  return drawRemoval(visit, visit.request.query.get("range"), visit.request.query.get("domain"), 200, nullptr);
}

Response removeRelay(Visit& visit) {
  const auto range = visit.request.form.get("range");
  const auto domain = visit.request.form.get("domain");
  try {
    visit.order("relay.remove", {{"range", range}, {"domain", domain}});
  } catch (const app::OrderRefused& refused) {
    return drawRemoval(visit, range, domain, 422, views::refusal(refused));
  }
  return Response::redirect("/relays?done=relay-removed");
}

}  // namespace postern::webadmin::pages
