#include "webadmin/pages/Pages.h"
#include "webadmin/QueueViews.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr int PageSize = 100;
constexpr const char* Filters[] = {"destination", "list", "state", "olderThan"};

std::string pathOf(const Fields& query, const std::string& after) {
  std::string path = "/queue";
  char mark = '?';
  const auto add = [&](const std::string& name, const std::string& value) {
    if (value.empty()) return;
    path += mark + name + "=" + percentEncode(value);
    mark = '&';
  };
  for (const auto* filter : Filters) add(filter, query.get(filter));
  add("after", after);
  return path;
}

// Since when all mail is paused; null: it is not.
json pauseOf(const Visit& visit) {
  const auto set = visit.order("destination.list");
  for (const auto& item : views::part(set, "items"))
    if (views::text(item, "name") == "*" && views::flag(item, "paused"))
      return {{"since", views::time(item, "pausedAt", visit.now())}};
  return nullptr;
}

}  // namespace

Response queue(Visit& visit) {
  const auto& query = visit.request.query;
  json args = {{"limit", PageSize}};
  bool narrowed = !query.get("after").empty();
  for (const auto* filter : Filters) {
    const auto value = query.get(filter);
    if (value.empty()) continue;
    args[filter] = value;
    narrowed = true;
  }
  if (!query.get("after").empty()) args["after"] = query.get("after");
  json rows = json::array();
  json refusal;
  std::string next;
  try {
    const auto answer = visit.order("queue.list", args);
    for (const auto& copy : views::part(answer, "items")) rows.push_back(views::queuedCopy(copy, visit.now()));
    next = views::text(answer, "next");
  } catch (const app::OrderRefused& refused) {
    refusal = views::refusal(refused);
  }
  return visit.page(
      "queue", {"Queue", "queue", refusal.is_null() ? 200 : 422},
      {{"rows", rows},
       {"hasRows", !rows.empty()},
       {"empty", rows.empty() && !narrowed && refusal.is_null()},
       {"noneFit", rows.empty() && narrowed && refusal.is_null()},
       {"states", views::options(query.get("state"),
                                 {{"", "All"}, {"waiting", "Waiting"}, {"active", "Being sent"}, {"held", "Held"}})},
       {"ages",
        views::options(
            query.get("olderThan"),
            {{"", "Any"}, {"1h", "More than an hour"}, {"4h", "More than four hours"}, {"1d", "More than a day"}})},
       {"destination", query.get("destination")},
       {"list", query.get("list")},
       {"refusal", refusal},
       {"paused", pauseOf(visit)},
       {"mayAct", views::may(visit, app::Role::Admin)},
       {"next", next.empty() ? std::string() : pathOf(query, next)},
       {"first", query.get("after").empty() ? std::string() : pathOf(query, {})}});
}

Response actOnQueue(Visit& visit) {
  const bool pause = visit.request.form.get("action") == "pause";
  visit.order(pause ? "queue.pause" : "queue.resume");
  return Response::redirect(pause ? "/queue?done=queue-paused" : "/queue?done=queue-resumed");
}

}  // namespace postern::webadmin::pages
