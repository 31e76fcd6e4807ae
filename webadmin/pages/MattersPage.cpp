#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

json matterRow(const json& matter, TimePoint now) {
  const auto state = views::text(matter, "state");
  std::uint64_t open = 0;
  for (const auto& hold : views::part(matter, "holds")) open += views::moment(hold, "releasedAt", now).is_null();
  return {{"id", views::text(matter, "id")},
          {"path", views::matterPath(views::text(matter, "id"))},
          {"name", views::text(matter, "name")},
          {"description", views::text(matter, "description")},
          {"badge", {{"text", words::recordState(state)}, {"tone", words::recordTone(state)}}},
          {"closed", state == "closed"},
          {"createdAt", views::moment(matter, "createdAt", now)},
          {"createdBy", views::text(matter, "createdBy")},
          {"holds", words::count(open)},
          {"openHolds", open > 0},
          {"custodians", words::count(matter.contains("custodians") && matter["custodians"].is_number()
                                          ? views::number(matter, "custodians")
                                          : views::part(matter, "custodians").size())}};
}

json custodianRow(const std::string& path, const json& custodian, TimePoint now) {
  const auto state = views::text(custodian, "state");
  const auto address = views::text(custodian, "address");
  return {{"address", address},
          {"removePath", path + "/custodians/" + percentEncode(address) + "/remove"},
          {"badge", {{"text", words::recordState(state)}, {"tone", words::recordTone(state)}}},
          {"noticedAt", views::moment(custodian, "noticedAt", now)},
          {"acknowledgedAt", views::moment(custodian, "acknowledgedAt", now)},
          {"remindedAt", views::moment(custodian, "remindedAt", now)}};
}

json exportRow(const json& one, TimePoint now) {
  const auto state = views::text(one, "state");
  return {{"path", views::exportPath(views::text(one, "id"))},
          {"id", views::text(one, "id")},
          {"format", views::text(one, "format")},
          {"createdAt", views::moment(one, "createdAt", now)},
          {"badge", {{"text", words::recordState(state)}, {"tone", words::recordTone(state)}}}};
}

// {"at", "by", "text"} of a note or a line of the log; a line may be a sentence alone.
json spoken(const json& line, TimePoint now) {
  auto text = line.is_string() ? line.get<std::string>() : views::text(line, "text");
  if (const auto act = views::text(line, "act"); text.empty() && !act.empty())
    text = words::matterAct(act) + (views::text(line, "words").empty() ? "" : ": " + views::text(line, "words"));
  return {{"at", views::moment(line, "at", now)},
          {"by", views::text(line, "by")},
          {"text", text.empty() ? views::text(line, "sentence") : text}};
}

Response drawNew(const Visit& visit, int status, const json& refusal) {
  return visit.page("matter-new", {"New matter", "matters", status},
                    {{"name", visit.request.form.get("name")},
                     {"description", visit.request.form.get("description")},
                     {"refusal", refusal}});
}

Response drawMatter(const Visit& visit, int status, const json& refusal) {
  const auto now = visit.now();
  auto shown = visit.order("matter.show", {{"id", visit.param("matter")}});
  auto view = matterRow(shown, now);
  const auto path = views::matterPath(visit.param("matter"));
  // Who only watches may not see what was searched for.
  if (views::may(visit, app::Role::Officer))
    shown["searches"] = visit.order("search.list", {{"matter", visit.param("matter")}})["items"];
  shown["exports"] = visit.order("export.list", {{"matter", visit.param("matter")}})["items"];
  const auto each = [&](const char* field, auto&& row) {
    json rows = json::array();
    for (const auto& one : views::part(shown, field)) rows.push_back(row(one));
    return rows;
  };
  view["custodianRows"] = each("custodians", [&](const json& one) { return custodianRow(path, one, now); });
  view["holdRows"] = each("holds", [&](const json& one) { return views::holdRow(one, now); });
  view["exportRows"] = each("exports", [&](const json& one) { return exportRow(one, now); });
  view["notes"] = each("notes", [&](const json& one) { return spoken(one, now); });
  view["log"] = each("log", [&](const json& one) { return spoken(one, now); });
  view["team"] = each("team", [](const json& one) {
    return json{{"name", one.is_string() ? one.get<std::string>() : views::text(one, "name")}};
  });
  view["searchRows"] = each("searches", [&](const json& one) {
    return json{{"name", views::text(one, "name")},
                {"query", views::text(one, "query")},
                {"path", "/search?matter=" + percentEncode(visit.param("matter")) +
                             "&q=" + percentEncode(views::text(one, "query"))}};
  });
  for (const auto* field : {"custodianRows", "holdRows", "exportRows", "notes", "searchRows", "log"})
    view[std::string("no-") + field] = view[field].empty();
  view["roles"] = views::rolesOf(visit);
  view["address"] = visit.request.form.get("address");
  view["note"] = visit.request.form.get("text");
  view["refusal"] = refusal;
  return visit.page("matter", {views::text(shown, "name"), "matters", status}, std::move(view));
}

}  // namespace

Response matters(Visit& visit) {
  json rows = json::array();
  const auto listed = visit.order("matter.list");
  for (const auto& matter : views::part(listed, "items")) rows.push_back(matterRow(matter, visit.now()));
  const bool empty = rows.empty();
  return visit.page("matters", {"Matters", "matters"},
                    {{"rows", rows}, {"empty", empty}, {"roles", views::rolesOf(visit)}});
}

Response newMatter(Visit& visit) {
  return drawNew(visit, 200, nullptr);
}

Response createMatter(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    const auto made =
        visit.order("matter.create", {{"name", form.get("name")}, {"description", form.get("description")}});
    return Response::redirect(views::matterPath(views::text(made, "id")) + "?done=matter-created");
  } catch (const app::OrderRefused& refused) {
    return drawNew(visit, 422, views::refusal(refused));
  }
}

Response matter(Visit& visit) {
  return drawMatter(visit, 200, nullptr);
}

Response addNote(Visit& visit) {
  try {
    visit.order("matter.note", {{"id", visit.param("matter")}, {"text", visit.request.form.get("text")}});
  } catch (const app::OrderRefused& refused) {
    return drawMatter(visit, 422, views::refusal(refused));
  }
  return Response::redirect(views::matterPath(visit.param("matter")) + "?done=note-added");
}

Response addCustodian(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    visit.order("custodian.add",
                {{"matter", visit.param("matter")}, {"address", form.get("address")}, {"name", form.get("name")}});
  } catch (const app::OrderRefused& refused) {
    return drawMatter(visit, 422, views::refusal(refused));
  }
  return Response::redirect(views::matterPath(visit.param("matter")) + "?done=custodian-added");
}

}  // namespace postern::webadmin::pages
