#include "webadmin/pages/PickupPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

#include <algorithm>
#include <cstdlib>

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

std::string settingsPath(std::string_view list) {
  return views::listPath(list) + "/pickup";
}

// "up to 1 MB", of what `postern pickup domain` may have set to any number.
std::string upTo(std::uint64_t bytes) {
  return "up to " + words::size(bytes);
}

json limitOptions(const std::string& chosen) {
  return views::options(chosen, {{"0", "A link only"},
                                 {"250000", "Link and file, for messages up to 250 kB"},
                                 {"1000000", "Link and file, for messages up to 1 MB"},
                                 {"5000000", "Link and file, for messages up to 5 MB"},
                                 {"10000000", "Link and file, for messages up to 10 MB"},
                                 {"20000000", "Link and file, for messages up to 20 MB"}});
}

json domainRows(const json& domains) {
  json rows = json::array();
  for (const auto& domain : domains) {
    const auto name = views::text(domain, "domain");
    rows.push_back({{"domain", name},
                    {"upTo", upTo(views::number(domain, "limit"))},
                    {"editPath", "/waiting/domains?domain=" + percentEncode(name)}});
  }
  return rows;
}

// What was typed and refused, or what is stored.
bool switchOf(const Visit& visit, const std::string& field, const json& stored) {
  if (visit.request.form.has("days")) return visit.request.form.get(field) == "yes";
  return views::flag(stored, field);
}

Response drawSettings(const Visit& visit, int status, const json& refusal) {
  const auto& address = visit.param("list");
  const auto list = visit.order("list.show", {{"address", address}});
  const auto stored = visit.order("pickup.settings", {{"list", address}});
  const auto domains = domainRows(views::part(stored, "domains"));
  const auto days = views::number(stored, "days");
  return visit.page("pickup-settings", {"Pick-up of " + address, "lists", status},
                    {{"address", address},
                     {"path", views::listPath(address)},
                     {"action", settingsPath(address)},
                     {"waitingPath", "/waiting?list=" + percentEncode(address)},
                     {"secure", views::flag(list, "secure")},
                     {"daysNow", words::plural(days, "day", "days")},
                     {"neutralNow", views::flag(stored, "neutral")},
                     {"replyNow", views::flag(stored, "replyToList")},
                     {"questionNow", views::flag(stored, "question")},
                     {"days", visit.request.form.get("days", std::to_string(days))},
                     {"neutral", switchOf(visit, "neutral", stored)},
                     {"replyToList", switchOf(visit, "replyToList", stored)},
                     {"question", switchOf(visit, "question", stored)},
                     {"warning", views::text(stored, "warning")},
                     {"domains", domains},
                     {"anyDomain", !domains.empty()},
                     {"maySeeDomains", views::may(visit, Admin | Officer | Auditor | Helpdesk)},
                     {"mayChange", views::may(visit, Admin | Owner)},
                     {"refusal", refusal}});
}

Response drawDomains(const Visit& visit, int status, const json& refusal) {
  const auto& form = visit.request.form;
  const auto stored = visit.order("pickup.domains");
  const auto domain = form.get("domain", visit.request.query.get("domain"));
  std::string limit = form.get("limit");
  for (const auto& row : views::part(stored, "items"))
    if (limit.empty() && views::text(row, "domain") == domain) limit = views::text(row, "limit");
  auto choices = limitOptions(limit);
  const auto known =
      std::any_of(choices.begin(), choices.end(), [](const json& choice) { return choice.at("chosen"); });
  if (!limit.empty() && !known)
    choices.push_back({{"value", limit},
                       {"label", "Link and file, for messages " + upTo(std::strtoull(limit.c_str(), nullptr, 10))},
                       {"chosen", true}});
  const auto rows = domainRows(views::part(stored, "items"));
  return visit.page("pickup-domains", {"How domains get pick-up mail", "waiting", status},
                    {{"domains", rows},
                     {"anyDomain", !rows.empty()},
                     {"domain", domain},
                     {"limits", choices},
                     {"mayChange", views::may(visit, Admin)},
                     {"refusal", refusal}});
}

}  // namespace

Response pickupSettings(Visit& visit) {
  return drawSettings(visit, 200, nullptr);
}

Response setPickupSettings(Visit& visit) {
  const auto& form = visit.request.form;
  json args{{"list", visit.param("list")}, {"days", form.get("days")}};
  for (const auto* field : {"neutral", "replyToList", "question"}) args[field] = form.get(field) == "yes";
  try {
    visit.order("pickup.set", args);
  } catch (const app::OrderRefused& refused) {
    return drawSettings(visit, 422, views::refusal(refused));
  }
  return Response::redirect(settingsPath(visit.param("list")) + "?done=pickup-saved");
}

Response pickupDomains(Visit& visit) {
  return drawDomains(visit, 200, nullptr);
}

Response setPickupDomain(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    visit.order("pickup.domain", {{"domain", form.get("domain")}, {"limit", form.get("limit")}});
  } catch (const app::OrderRefused& refused) {
    return drawDomains(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/waiting/domains?done=pickup-saved");
}

}  // namespace postern::webadmin::pages
