#include "webadmin/pages/Pages.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr int RowsOfAPage = 100;

json accessRow(const json& one, TimePoint now) {
  const auto action = views::text(one, "action");
  const auto objects = views::number(one, "objects");
  const std::string what =
      action == "read"       ? "Read message " + views::text(one, "object")
      : action == "exported" ? "Exported " + words::plural(objects, "message", "messages")
                             : "Downloaded an export with " + words::plural(objects, "message", "messages") + " of it";
  return {{"by", views::text(one, "by")},
          {"role", views::text(one, "role")},
          {"what", what},
          {"at", views::time(one, "at", now)}};
}

}  // namespace

// Which of the staff saw content of the list: who is read learns of it (architecture: owner-visible access).
Response listAccess(Visit& visit) {
  const auto& address = visit.param("list");
  json args = {{"list", address}, {"limit", RowsOfAPage}};
  const auto after = visit.request.query.get("after");
  if (!after.empty()) args["after"] = after;
  const auto seen = visit.order("list.content-access", args);
  json rows = json::array();
  for (const auto& one : views::part(seen, "items")) rows.push_back(accessRow(one, visit.now()));
  const auto next = views::text(seen, "next");
  json view = {{"address", address},
               {"path", views::listPath(address)},
               {"rows", rows},
               {"empty", rows.empty() && after.empty()},
               {"any", !rows.empty()},
               {"older", next.empty() ? json() : json(views::listPath(address) + "/access?after=" + next)},
               {"newest", !after.empty()}};
  return visit.page("list-access", {"Who read mail of " + address, "lists"}, std::move(view));
}

}  // namespace postern::webadmin::pages
