#include "webadmin/pages/Pages.h"
#include "webadmin/pages/QueuePages.h"
#include "webadmin/QueueViews.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

json copiesOf(const json& answer, TimePoint now) {
  json rows = json::array();
  for (const auto& copy : views::part(answer, "copies")) rows.push_back(views::queuedCopy(copy, now));
  return rows;
}

// The view of a copy; of a message with `isMessage` and its copies.
json viewOf(const Visit& visit, const std::string& id) {
  const auto answer = visit.order("queue.show", {{"id", id}});
  if (!answer.contains("copies")) {
    auto view = views::queuedCopy(answer, visit.now());
    view["attemptRows"] = views::attemptsOf(answer, visit.now());
    view["hasAttempts"] = !view["attemptRows"].empty();
    view["isMessage"] = false;
    return view;
  }
  auto copies = copiesOf(answer, visit.now());
  const auto count = copies.size();
  bool needsTls = false;
  for (const auto& copy : copies) needsTls = needsTls || copy.at("needsTls").get<bool>();
  return {{"id", id},
          {"path", views::queuePath(id)},
          {"dropPath", views::queuePath(id) + "/drop"},
          {"isMessage", true},
          {"hasCopies", count > 0},
          {"count", count},
          {"more", !views::text(answer, "next").empty()},
          {"needsTls", needsTls},
          {"copies", std::move(copies)}};
}

Response draw(const Visit& visit, int status, const json& refusal) {
  auto view = viewOf(visit, visit.param("copy"));
  view["refusal"] = refusal;
  view["host"] = visit.request.form.get("host");
  view["mayAct"] = views::may(visit, app::Role::Admin);
  const bool message = view.at("isMessage").get<bool>();
  return visit.page(message ? "queue-message" : "queue-copy",
                    {message ? "A message in the queue" : "A copy in the queue", "queue", status}, std::move(view));
}

Response drawDrop(const Visit& visit, int status, const json& refusal) {
  auto view = viewOf(visit, visit.param("copy"));
  view["refusal"] = refusal;
  view["reason"] = visit.request.form.get("reason");
  // A trace id is too long to be typed: its beginning says enough.
  view["proof"] = visit.param("copy").substr(0, 8);
  return visit.page("queue-drop", {"Drop from the queue", "queue", status}, std::move(view));
}

// What is done to a copy that leaves the queue by it would show no page any more.
std::string pathAfter(const std::string& action, const std::string& id) {
  return action == "hold" || action == "release" || action == "reroute" ? views::queuePath(id) + "?done=queue-" + action
                                                                        : "/queue?done=queue-" + action;
}

}  // namespace

Response queuedCopy(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response actOnQueued(Visit& visit) {
  const auto& id = visit.param("copy");
  const auto action = visit.request.form.get("action");
  json args = {{"id", id}};
  if (action == "reroute") {
    args["host"] = visit.request.form.get("host");
  } else if (action == "back") {
    args["back"] = true;
  } else if (action != "retry" && action != "hold" && action != "release") {
    throw app::OrderRefused({"usage", "There is no such act on the queue.", "Open the queue again."});
  }
  try {
    visit.order(action == "back" ? "queue.reroute" : "queue." + action, args);
  } catch (const app::OrderRefused& refused) {
    const auto shown = views::refusal(refused);
    if (refused.error().code == "not-found") throw;
    return draw(visit, 422, shown);
  }
  const auto from = visit.request.form.get("from");
  if (from == "queue") return Response::redirect("/queue?done=queue-" + action);
  return Response::redirect(pathAfter(action == "back" ? "reroute" : action, id));
}

Response confirmDrop(Visit& visit) {
  return drawDrop(visit, 200, nullptr);
}

Response dropCopy(Visit& visit) {
  const auto proof = visit.param("copy").substr(0, 8);
  if (visit.request.form.get("confirm") != proof)
    return drawDrop(visit, 422, views::refusal("The number did not match.", "Type " + proof + " to drop it."));
  try {
    visit.order("queue.drop", {{"id", visit.param("copy")}, {"reason", visit.request.form.get("reason")}});
  } catch (const app::OrderRefused& refused) {
    const auto shown = views::refusal(refused);
    if (refused.error().code == "not-found") throw;
    return drawDrop(visit, 422, shown);
  }
  return Response::redirect("/queue?done=queue-drop");
}

}  // namespace postern::webadmin::pages
