#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr int Limit = 200;

json copyView(const json& copy, TimePoint now) {
  const auto id = views::text(copy, "id");
  const auto state = views::text(copy, "state");
  return {{"id", id},
          {"list", views::text(copy, "list")},
          {"listPath", views::listPath(views::text(copy, "list"))},
          {"recipient", views::text(copy, "recipient")},
          {"destination", views::text(copy, "destination")},
          {"badge", views::badge(state)},
          {"held", state == "held"},
          {"attempts", views::text(copy, "attempts")},
          {"queuedAt", views::time(copy, "queuedAt", now)},
          {"nextAttempt", state == "held" ? json(nullptr) : views::time(copy, "nextAttemptAt", now)},
          {"lastReply", views::text(copy, "lastReply")},
          {"dropPath", "/queue/" + percentEncode(id) + "/drop"}};
}

Response drawDrop(const Visit& visit, int status, const json& refusal) {
  const auto& id = visit.param("copy");
  auto view = copyView(visit.order("queue.show", {{"id", id}}), visit.now());
  view["refusal"] = refusal;
  return visit.page("queue-drop", {"Drop a copy", "queue", status}, std::move(view));
}

}  // namespace

Response queue(Visit& visit) {
  const auto answer = visit.order("queue.list", {{"limit", Limit}});
  const auto state = visit.request.query.get("state");
  json rows = json::array();
  std::size_t all = 0;
  for (const auto& copy : views::part(answer, "items")) {
    ++all;
    if (state.empty() || views::text(copy, "state") == state) rows.push_back(copyView(copy, visit.now()));
  }
  json states = json::array();
  for (const auto& [value, label] :
       {std::pair{"", "All"}, {"waiting", "Waiting"}, {"active", "Being sent"}, {"held", "Held"}})
    states.push_back({{"path", *value ? std::string("/queue?state=") + value : std::string("/queue")},
                      {"label", label},
                      {"chosen", state == value}});
  return visit.page("queue", {"Queue", "queue"},
                    {{"rows", rows},
                     {"empty", all == 0},
                     {"noneFit", all > 0 && rows.empty()},
                     {"states", states},
                     {"mayAct", views::may(visit, app::Role::Admin)},
                     {"limited", all >= Limit},
                     {"limit", Limit}});
}

Response actOnQueue(Visit& visit) {
  const auto action = visit.request.form.get("action");
  if (action != "retry" && action != "hold" && action != "release")
    throw app::OrderRefused({"usage", "There is no such act on the queue.", "Open the queue again."});
  visit.order("queue." + action, {{"id", visit.request.form.get("id")}});
  return Response::redirect("/queue?done=queue-" + action);
}

Response confirmDrop(Visit& visit) {
  return drawDrop(visit, 200, nullptr);
}

Response dropCopy(Visit& visit) {
  if (visit.request.form.get("confirm") != visit.param("copy"))
    return drawDrop(visit, 422,
                    views::refusal("The number did not match.", "Type " + visit.param("copy") + " to drop the copy."));
  visit.order("queue.drop", {{"id", visit.param("copy")}});
  return Response::redirect("/queue?done=queue-drop");
}

}  // namespace postern::webadmin::pages
