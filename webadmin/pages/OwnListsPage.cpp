#include "webadmin/pages/SubscribePages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

// Lists of who is signed in. Each button leads to the page that a mailed link would lead to.
namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

std::string copiesText(const json& row) {
  if (views::text(row, "delivery") == "none") return "No messages, as you wanted";
  if (views::flag(row, "paused")) return "None for now: paused";
  if (views::text(row, "protection") == "withheld") return "None: " + words::reason(views::text(row, "reason"));
  return "Each message";
}

Response draw(const Visit& visit, int status, const json& refusal) {
  json rows = json::array();
  json problem = refusal;
  std::string address;
  try {
    const auto answer = visit.order("subscription.mine");
    address = views::text(answer, "address");
    for (const auto& row : views::part(answer, "items")) {
      const auto name = views::text(row, "displayName"), list = views::text(row, "list");
      rows.push_back({{"list", list},
                      {"name", name.empty() ? list : name},
                      {"named", !name.empty()},
                      {"member", views::flag(row, "member")},
                      {"mayLeave", views::text(row, "leaving") != "closed"},
                      {"copies", copiesText(row)}});
    }
  } catch (const app::OrderRefused& refused) {
    if (problem.is_null()) problem = views::refusal(refused);
  }
  const bool any = !rows.empty();
  return visit.page(
      "own-lists", {"Your lists", "account", status},
      {{"rows", rows}, {"any", any}, {"none", !any && problem.is_null()}, {"address", address}, {"refusal", problem}});
}

}  // namespace

Response ownLists(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response askOwnList(Visit& visit) {
  const auto& form = visit.request.form;
  const auto action = form.get("action", "member");
  try {
    const auto answer = visit.order("subscription.mine-ask", {{"list", form.get("list")}, {"action", action}});
    const auto* page = action == "member" ? "/lists/membership?token=" : "/lists/confirm?token=";
    return Response::redirect(page + views::text(answer, "token"));
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
}

}  // namespace postern::webadmin::pages
