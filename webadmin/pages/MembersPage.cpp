#include "webadmin/MemberTable.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// What the member set, or an owner for them; empty: copies come.
std::string pauseWords(const json& member, TimePoint now) {
  if (views::text(member, "delivery") == "none") return "Gets no copies by own choice";
  const auto until = views::time(member, "pausedUntil", now);
  const bool begun = views::number(member, "pausedFrom") <= static_cast<std::uint64_t>(toMicros(now));
  return until.is_null() || !begun ? std::string() : "Paused until " + views::text(until, "absolute");
}

json memberRow(const json& member, const std::string& list, bool secure, TimePoint now) {
  const auto protection = views::text(member, "protection");
  const auto state = views::text(member, "state");
  const auto& key = views::part(member, "key");
  const bool disabled = state == "disabled";
  const bool withheld = protection == "withheld";
  return {{"address", views::text(member, "address")},
          {"name", views::text(member, "name")},
          {"role", views::text(member, "role")},
          {"path", views::memberPath(list, views::text(member, "address"))},
          {"protection", words::protection(protection)},
          {"tone", disabled   ? "quiet"
                   : withheld ? "wait"
                   : secure   ? "good"
                              : "quiet"},
          {"disabled", disabled},
          {"paused", pauseWords(member, now)},
          {"reason", disabled || withheld ? words::reason(disabled ? "member-disabled" : views::text(member, "reason"))
                                          : std::string()},
          {"fingerprint", words::fingerprint(views::text(key, "fingerprint").substr(0, 16))},
          {"expiry", views::time(key, "notAfterAt", now)},
          {"joinedAt", views::time(member, "joinedAt", now)}};
}

// The address of this table with one thing changed.
std::string tablePath(const Visit& visit, std::string_view name, const std::string& value) {
  std::string path = views::listPath(visit.param("list")) + "/members";
  char separator = '?';
  const auto add = [&](std::string_view key, const std::string& text) {
    if (text.empty()) return;
    path += separator + std::string(key) + "=" + percentEncode(text);
    separator = '&';
  };
  for (const auto* key : {"q", "show", "sort"})
    if (key != name) add(key, visit.request.query.get(key));
  add(name, value);
  return path;
}

json headings(const Visit& visit, bool sortable) {
  json row = json::array();
  for (const auto& [key, label] :
       {std::pair{"", "Member"}, {"protection", "Protection"}, {"expiry", "Key"}, {"joined", "Joined"}}) {
    const bool chosen = visit.request.query.get("sort") == key;
    row.push_back(
        {{"label", label}, {"path", sortable ? tablePath(visit, "sort", key) : ""}, {"chosen", chosen && sortable}});
  }
  return row;
}

json pager(const Visit& visit, const MemberTable& table) {
  json links;
  if (table.tooLongToSort()) {
    if (!table.nextCursor().empty()) links["next"] = tablePath(visit, "after", table.nextCursor());
    if (!visit.request.query.get("after").empty()) links["first"] = tablePath(visit, "after", "");
    return links;
  }
  const auto number = table.pageNumber();
  if (table.pageCount() > 1)
    links["position"] = "Page " + std::to_string(number) + " of " + std::to_string(table.pageCount());
  if (number > 1) links["previous"] = tablePath(visit, "page", std::to_string(number - 1));
  if (number < table.pageCount()) links["next"] = tablePath(visit, "page", std::to_string(number + 1));
  return links;
}

json showOptions(const std::string& chosen) {
  json list = json::array();
  for (const auto& [value, label] :
       {std::pair{"", "All members"}, {"ready", "Ready"}, {"withheld", "Withheld"}, {"disabled", "Switched off"}})
    list.push_back({{"value", value}, {"label", label}, {"chosen", chosen == value}});
  return list;
}

Response drawMembers(const Visit& visit, int status, const json& refusal) {
  const auto& address = visit.param("list");
  const auto list = visit.order("list.show", {{"address", address}});
  const MemberTable table(visit, address);
  json rows = json::array();
  for (const auto& member : table.page())
    rows.push_back(memberRow(member, address, views::flag(list, "secure"), visit.now()));
  const auto& query = visit.request.query;
  auto view = views::listSummary(list, visit.now());
  view.update({{"refusal", refusal},
               {"roles", views::rolesOf(visit)},
               {"mayChange", views::may(visit, app::Role::Admin | app::Role::Owner)},
               {"rows", rows},
               {"empty", views::number(list, "members") == 0},
               {"noneFit", views::number(list, "members") > 0 && rows.empty()},
               {"shownCount", words::count(table.tooLongToSort() ? table.total() : table.rows().size())},
               {"tooLong", table.tooLongToSort()},
               {"headings", headings(visit, !table.tooLongToSort())},
               {"pager", pager(visit, table)},
               {"q", query.get("q")},
               {"sort", query.get("sort")},
               {"shows", showOptions(query.get("show"))},
               {"newAddress", visit.request.form.get("address")},
               {"newName", visit.request.form.get("name")}});
  return visit.page("members", {"Members of " + address, "lists", status}, std::move(view));
}

}  // namespace

Response members(Visit& visit) {
  return drawMembers(visit, 200, nullptr);
}

Response membersCsv(Visit& visit) {
  const MemberTable table(visit, visit.param("list"));
  if (table.tooLongToSort())
    throw app::OrderRefused({"refused", "This list has too many members for a download here.",
                             "Run `postern member export` on the server."});
  Response response;
  response.contentType = "text/csv; charset=utf-8";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"members.csv\"");
  response.body = views::csvLine({"address", "name", "role", "state", "protection", "reason", "key", "key_ends"});
  for (const auto& member : table.rows()) {
    const auto& key = views::part(member, "key");
    const auto ends = views::time(key, "notAfterAt", visit.now());
    response.body +=
        views::csvLine({views::text(member, "address"), views::text(member, "name"), views::text(member, "role"),
                        views::text(member, "state"), views::text(member, "protection"), views::text(member, "reason"),
                        views::text(key, "fingerprint"), ends.is_null() ? "" : views::text(ends, "iso")});
  }
  return response;
}

Response addMember(Visit& visit) {
  const auto& list = visit.param("list");
  const auto& form = visit.request.form;
  try {
    const auto added =
        visit.order("member.add", {{"list", list}, {"address", form.get("address")}, {"name", form.get("name")}});
    const auto address = views::text(added, "address");
    return Response::redirect(views::memberPath(list, address.empty() ? form.get("address") : address) +
                              "?done=member-added");
  } catch (const app::OrderRefused& refused) {
    return drawMembers(visit, 422, views::refusal(refused));
  }
}

}  // namespace postern::webadmin::pages
