#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr int PageSize = 50;

// The box and the fields beside it become one query in the language of the box.
std::string queryOf(const Fields& form) {
  auto query = form.get("q");
  const auto add = [&](std::string_view word, const std::string& value) {
    if (value.empty()) return;
    const bool several = value.find(' ') != std::string::npos && value.find('"') == std::string::npos;
    query += (query.empty() ? "" : " ") + std::string(word) + ":" + (several ? "\"" + value + "\"" : value);
  };
  for (const auto* field : {"subject", "from", "to", "list", "attachment", "after", "before"})
    add(field, form.get(field));
  return query;
}

std::string pathOf(const Fields& form, std::initializer_list<std::pair<std::string_view, std::string>> more) {
  std::string path = "/search?q=" + percentEncode(queryOf(form));
  if (const auto matter = form.get("matter"); !matter.empty()) path += "&matter=" + percentEncode(matter);
  for (const auto& [name, value] : more) path += "&" + std::string(name) + "=" + percentEncode(value);
  return path;
}

json matterOptions(const Visit& visit, const std::string& chosen) {
  json options = json::array();
  const auto listed = visit.order("matter.list");
  for (const auto& matter : views::part(listed, "items")) {
    const auto id = views::text(matter, "id");
    if (views::text(matter, "state") != "closed")
      options.push_back({{"id", id}, {"name", views::text(matter, "name")}, {"chosen", id == chosen}});
  }
  return options;
}

json hitRow(const json& hit, TimePoint now) {
  std::string lists;
  for (const auto& list : views::part(hit, "lists"))
    if (list.is_string()) lists += (lists.empty() ? "" : ", ") + list.get<std::string>();
  const auto object = views::text(hit, "object");
  return {{"object", object},
          {"path", views::messagePath(object)},
          {"subject", views::text(hit, "subject")},
          {"from", views::text(hit, "from")},
          {"lists", lists},
          {"receivedAt", views::moment(hit, "receivedAt", now)},
          {"size", words::size(views::number(hit, "size"))},
          {"attachments", views::number(hit, "attachments") ? views::text(hit, "attachments") : ""},
          {"held", views::flag(hit, "held")}};
}

// Counts first; the messages themselves only when they are asked for.
void addHits(const Visit& visit, const std::string& query, json& view) {
  const auto& asked = visit.request.query;
  const bool shown = asked.get("show") == "messages";
  json args = {{"query", query}};
  if (const auto matter = asked.get("matter"); !matter.empty()) args["matter"] = matter;
  if (shown) {
    args["limit"] = PageSize;
    if (const auto after = asked.get("after_id"); !after.empty()) args["after"] = after;
    args["sort"] = asked.get("sort", "newest");
  } else {
    args["count"] = true;
  }
  const auto found = visit.order("search", args);
  const auto hits = views::number(found, "hits");
  const auto unknown = views::number(found, "notEvaluable");
  view["counted"] = {
      {"hits", (views::flag(found, "moreThan") ? "More than " : "") + words::plural(hits, "message", "messages")},
      {"none", hits == 0},
      {"unknown", unknown ? words::count(unknown) : std::string()}};
  view["shown"] = shown;
  view["showPath"] = pathOf(asked, {{"show", "messages"}});
  if (!shown) return;
  json rows = json::array();
  for (const auto& hit : views::part(found, "items")) rows.push_back(hitRow(hit, visit.now()));
  view["rows"] = rows;
  if (const auto next = views::text(found, "next"); !next.empty())
    view["pager"] = {{"next", pathOf(asked, {{"show", "messages"}, {"after_id", next}})}};
}

}  // namespace

Response search(Visit& visit) {
  const auto& asked = visit.request.query;
  const auto query = queryOf(asked);
  const auto matter = asked.get("matter");
  json view = {{"q", query}, {"matter", matter}, {"matters", matterOptions(visit, matter)}, {"asked", !query.empty()}};
  int status = 200;
  if (!query.empty()) {
    const auto checked = visit.order("search.check", {{"query", query}});
    if (views::flag(checked, "ok")) {
      view["normalised"] = views::text(checked, "normalised");
      view["exportPath"] = "/new-export?query=" + percentEncode(query) + "&matter=" + percentEncode(matter);
      addHits(visit, query, view);
    } else {
      status = 422;
      view["asked"] = false;
      view["refusal"] =
          views::refusal(views::text(checked, "error"), "The help beside the box shows how it is written.");
    }
  }
  return visit.page("search", {"Search", "search", status}, std::move(view));
}

Response saveSearch(Visit& visit) {
  const auto& form = visit.request.form;
  visit.order("search.save",
              {{"matter", form.get("matter")}, {"name", form.get("name")}, {"query", form.get("query")}});
  return Response::redirect(views::matterPath(form.get("matter")) + "?done=search-saved");
}

}  // namespace postern::webadmin::pages
