#include "webadmin/pages/HostnamePages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

json nameRow(const json& name, TimePoint now) {
  const auto state = views::text(name, "state");
  const auto retires = views::text(name, "retires");
  std::string words = "in use";
  if (state == "retiring")
    words = "will be retired on " + retires;
  else if (state == "retired")
    words = "retired since " + retires + "; mail over it is taken and counted";
  else if (state == "refused")
    words = "retired since " + retires + "; mail over it is refused";
  std::string addresses;
  for (const auto& address : views::part(name, "addresses"))
    addresses += (addresses.empty() ? "" : ", ") + address.get<std::string>();
  const auto lastUse = views::time(name, "lastUseAt", now);
  return {{"name", views::text(name, "name")},
          {"path", "/hostnames/" + percentEncode(views::text(name, "name"))},
          {"state", words},
          {"addresses", addresses},
          {"hasCertificate", views::flag(name, "hasCertificate")},
          {"certificateEnds", views::time(name, "certificateEndsAt", now)},
          {"certificateProblem", views::text(name, "certificateProblem")},
          {"lastUse", lastUse},
          {"unused", lastUse.is_null()},
          {"sessions", views::number(name, "sessions")},
          {"messages", views::number(name, "messages")},
          {"refused", views::number(name, "refused")}};
}

}  // namespace

Response hostnames(Visit& visit) {
  json rows = json::array();
  const auto names = visit.order("hostname.list");
  for (const auto& name : views::part(names, "items")) rows.push_back(nameRow(name, visit.now()));
  return visit.page("hostnames", {"Server names", "hostnames", 200}, {{"names", rows}, {"hasNames", !rows.empty()}});
}

Response hostname(Visit& visit) {
  const auto name = visit.order("hostname.show", {{"name", visit.param("name")}});
  json networks = json::array();
  for (const auto& one : views::part(name, "networks"))
    networks.push_back({{"network", views::text(one, "network")},
                        {"lastUse", views::time(one, "lastUseAt", visit.now())},
                        {"sessions", views::number(one, "sessions")},
                        {"messages", views::number(one, "messages")}});
  json days = json::array();
  for (const auto& one : views::part(name, "days"))
    days.push_back({{"day", views::text(one, "day")},
                    {"sessions", views::number(one, "sessions")},
                    {"messages", views::number(one, "messages")},
                    {"refused", views::number(one, "refused")}});
  auto view = nameRow(name, visit.now());
  view["networks"] = networks;
  view["days"] = days;
  view["hasUse"] = !networks.empty();
  return visit.page("hostname", {views::text(name, "name"), "hostnames", 200}, view);
}

}  // namespace postern::webadmin::pages
