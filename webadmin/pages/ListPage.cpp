#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

void addReadiness(json& view, const json& readiness) {
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  for (const auto& item : views::part(readiness, "items"))
    counts.emplace_back(views::text(item, "protection"), views::number(item, "count"));
  json reasons = json::array();
  std::uint64_t withheld = 0;
  for (const auto& item : views::part(readiness, "withheld")) {
    withheld += views::number(item, "count");
    reasons.push_back({{"reason", words::reason(views::text(item, "reason"))},
                       {"count", words::count(views::number(item, "count"))}});
  }
  const bool counted = std::any_of(counts.begin(), counts.end(), [](const auto& c) { return c.first == "withheld"; });
  if (!counted) counts.emplace_back("withheld", withheld);
  view["readiness"] = views::protectionBar(counts);
  view["withheldReasons"] = reasons;
  view["anyWithheld"] = withheld > 0;
}

// The form of the settings: what is stored, or what was typed and refused.
json settings(const Visit& visit, const json& stored) {
  const auto& form = visit.request.form;
  const auto value = [&](std::string_view field) { return form.get(field, views::text(stored, field)); };
  return {{"displayName", value("displayName")},
          {"description", value("description")},
          {"classes", views::classOptions(value("class"))},
          {"postings", views::options(value("posting"),
                                      {{"members", words::posting("members")}, {"anyone", words::posting("anyone")}})}};
}

Response drawList(const Visit& visit, int status, const json& refusal) {
  const auto& address = visit.param("list");
  const auto stored = visit.order("list.show", {{"address", address}});
  const auto recent = visit.order("post.list", {{"list", address}, {"limit", 20}});
  json posts = json::array();
  for (const auto& post : views::part(recent, "items")) posts.push_back(views::postRow(post, visit.now()));
  auto view = views::listSummary(stored, visit.now());
  addReadiness(view, visit.order("list.readiness", {{"address", address}}));
  view["refusal"] = refusal;
  view["settings"] = settings(visit, stored);
  view["posts"] = posts;
  view["noPosts"] = posts.empty();
  return visit.page("list", {address, "lists", status}, std::move(view));
}

Response drawClose(const Visit& visit, int status, const json& refusal) {
  auto view = views::listSummary(visit.order("list.show", {{"address", visit.param("list")}}), visit.now());
  view["refusal"] = refusal;
  return visit.page("list-close", {"Close a list", "lists", status}, std::move(view));
}

}  // namespace

Response list(Visit& visit) {
  return drawList(visit, 200, nullptr);
}

Response setList(Visit& visit) {
  const auto& form = visit.request.form;
  json args = {{"address", visit.param("list")}};
  for (const auto* field : {"displayName", "description", "class", "posting"})
    if (form.has(field)) args[field] = form.get(field);
  try {
    visit.order("list.set", args);
  } catch (const app::OrderRefused& refused) {
    return drawList(visit, 422, views::refusal(refused));
  }
  return Response::redirect(views::listPath(visit.param("list")) + "?done=list-saved");
}

Response confirmClose(Visit& visit) {
  return drawClose(visit, 200, nullptr);
}

Response closeList(Visit& visit) {
  const auto& address = visit.param("list");
  if (visit.request.form.get("confirm") != address)
    return drawClose(visit, 422,
                     views::refusal("The address did not match.", "Type " + address + " to close the list."));
  visit.order("list.close", {{"address", address}});
  return Response::redirect(views::listPath(address) + "?done=list-closed");
}

}  // namespace postern::webadmin::pages
