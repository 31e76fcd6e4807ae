#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

bool fits(const json& list, const std::string& wanted, const std::string& kind) {
  if (kind == "secure" && !views::flag(list, "secure")) return false;
  if (kind == "open" && views::flag(list, "secure")) return false;
  if (kind == "withheld" &&
      (!views::flag(list, "secure") || views::number(views::part(list, "readiness"), "withheld") == 0))
    return false;
  return wanted.empty() || lower(views::text(list, "address")).find(wanted) != std::string::npos ||
         lower(views::text(list, "description")).find(wanted) != std::string::npos;
}

void sortLists(std::vector<json>& lists, const std::string& by) {
  std::stable_sort(lists.begin(), lists.end(), [&](const json& a, const json& b) {
    if (by == "members") return views::number(a, "members") > views::number(b, "members");
    if (by == "withheld")
      return views::number(views::part(a, "readiness"), "withheld") >
             views::number(views::part(b, "readiness"), "withheld");
    return views::text(a, "address") < views::text(b, "address");
  });
}

std::vector<json> chosenLists(const Visit& visit, bool& any) {
  const auto answer = visit.order("list.list", {{"limit", views::AllLists}});
  const auto& query = visit.request.query;
  std::vector<json> chosen;
  for (const auto& list : views::part(answer, "items"))
    if (fits(list, lower(query.get("q")), query.get("kind"))) chosen.push_back(list);
  any = !views::part(answer, "items").empty();
  sortLists(chosen, query.get("sort"));
  return chosen;
}

Response drawNewList(const Visit& visit, int status, const json& refusal) {
  const auto& form = visit.request.form;
  json domains = json::array();
  const auto answer = visit.order("domain.list");
  for (const auto& domain : views::part(answer, "items"))
    domains.push_back(
        {{"name", views::text(domain, "name")}, {"chosen", form.get("domain") == views::text(domain, "name")}});
  return visit.page("list-new", {"New list", "lists", status},
                    {{"refusal", refusal},
                     {"domains", domains},
                     {"noDomains", domains.empty()},
                     {"name", form.get("name")},
                     {"description", form.get("description")},
                     {"open", form.get("kind") == "open"},
                     {"classes", views::classOptions(form.get("class", "high"))}});
}

}  // namespace

Response lists(Visit& visit) {
  bool any = false;
  const auto chosen = chosenLists(visit, any);
  json rows = json::array();
  for (const auto& list : chosen) rows.push_back(views::listSummary(list, visit.now()));
  const auto& query = visit.request.query;
  return visit.page(
      "lists", {"Lists", "lists"},
      {{"lists", rows},
       {"empty", !any},
       {"admin", visit.session->roles().has(app::Role::Admin)},
       {"noneFit", any && rows.empty()},
       {"count", words::count(rows.size())},
       {"one", rows.size() == 1},
       {"q", query.get("q")},
       {"kinds", views::options(query.get("kind"), {{"", "All lists"},
                                                    {"secure", "Secure lists"},
                                                    {"open", "Open lists"},
                                                    {"withheld", "With members withheld"}})},
       {"sorts", views::options(query.get("sort"),
                                {{"", "Address"}, {"members", "Most members"}, {"withheld", "Most withheld"}})}});
}

Response listsCsv(Visit& visit) {
  bool any = false;
  Response response;
  response.contentType = "text/csv; charset=utf-8";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"lists.csv\"");
  response.body = views::csvLine({"address", "kind", "state", "members", "ready", "withheld", "description"});
  for (const auto& list : chosenLists(visit, any)) {
    const auto& readiness = views::part(list, "readiness");
    response.body +=
        views::csvLine({views::text(list, "address"), views::flag(list, "secure") ? "secure" : "open",
                        views::text(list, "state"), views::text(list, "members"), views::text(readiness, "ready"),
                        views::text(readiness, "withheld"), views::text(list, "description")});
  }
  return response;
}

Response newList(Visit& visit) {
  return drawNewList(visit, 200, nullptr);
}

Response createList(Visit& visit) {
  const auto& form = visit.request.form;
  const auto address = form.get("name") + "@" + form.get("domain");
  try {
    const auto made = visit.order("list.create", {{"address", address},
                                                  {"secure", form.get("kind") != "open"},
                                                  {"description", form.get("description")},
                                                  {"class", form.get("class", "high")}});
    const auto stored = views::text(made, "address");
    return Response::redirect(views::listPath(stored.empty() ? address : stored) + "?done=list-created");
  } catch (const app::OrderRefused& refused) {
    return drawNewList(visit, 422, views::refusal(refused));
  }
}

}  // namespace postern::webadmin::pages
