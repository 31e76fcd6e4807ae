#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

std::string removePath(const json& relay) {
  std::string path = "/relays/remove?range=" + percentEncode(views::text(relay, "range")) +
                     "&domain=" + percentEncode(views::text(relay, "domain"));
  for (const char* field : {"fingerprint", "name"})
    if (const auto value = views::text(relay, field); !value.empty())
      path += "&" + std::string(field) + "=" + percentEncode(value);
  return path;
}

// What the clients must show besides their address, in words; empty: nothing.
std::string certificateWords(const json& relay) {
  if (const auto fingerprint = views::text(relay, "fingerprint"); !fingerprint.empty()) return "SHA-256 " + fingerprint;
  const auto name = views::text(relay, "name");
  return name.empty() ? name : "for " + name + ", issued by " + views::text(relay, "issuer");
}

json relayRows(const Visit& visit) {
  json rows = json::array();
  const auto relays = visit.order("relay.list");
  for (const auto& relay : views::part(relays, "items")) {
    const auto range = views::text(relay, "range");
    const auto domain = views::text(relay, "domain");
    const auto list = views::text(relay, "list");
    rows.push_back({{"range", range == "any" ? "any address" : range},
                    {"domain", domain},
                    {"list", list},
                    {"listPath", views::listPath(list)},
                    {"certificate", certificateWords(relay)},
                    {"removePath", removePath(relay)}});
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
                     {"certificate", form.get("certificate")},
                     {"issuer", form.get("issuer")},
                     {"name", form.get("name")},
                     {"certificateOpen", !(form.get("certificate") + form.get("issuer") + form.get("name")).empty()},
                     {"refusal", refusal}});
}

template <class Fields>
json relayOf(const Fields& fields) {
  json relay;
  for (const char* field : {"range", "domain", "fingerprint", "name"}) relay[field] = fields.get(field);
  return relay;
}

Response drawRemoval(const Visit& visit, json relay, int status, const json& refusal) {
  relay["certificate"] = certificateWords(relay);
  relay["refusal"] = refusal;
  return visit.page("relay-remove", {"Remove a relay", "relays", status}, relay);
}

// The field takes the certificate or its fingerprint, whichever somebody has.
json certificateOf(const std::string& text) {
  if (text.find("CERTIFICATE-----") != std::string::npos) return {{"certificate", text}};
  return {{"fingerprint", text}};
}

}  // namespace

Response relays(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response addRelay(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    json args{{"range", form.get("range")},
              {"domain", form.get("domain")},
              {"list", form.get("list")},
              {"issuer", form.get("issuer")},
              {"name", form.get("name")}};
    args.merge_patch(certificateOf(form.get("certificate")));
    visit.order("relay.add", args);
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/relays?done=relay-added");
}

Response confirmRelayRemoval(Visit& visit) {
  return drawRemoval(visit, relayOf(visit.request.query), 200, nullptr);
}

Response removeRelay(Visit& visit) {
  const auto relay = relayOf(visit.request.form);
  try {
    visit.order("relay.remove", relay);
  } catch (const app::OrderRefused& refused) {
    return drawRemoval(visit, relay, 422, views::refusal(refused));
  }
  return Response::redirect("/relays?done=relay-removed");
}

}  // namespace postern::webadmin::pages
