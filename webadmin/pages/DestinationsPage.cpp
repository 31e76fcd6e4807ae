#include "webadmin/pages/QueuePages.h"
#include "webadmin/QueueViews.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

#include <map>

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr int MostShown = 200;

std::string joined(const json& texts) {
  std::string all;
  if (!texts.is_array()) return all;
  for (const auto& text : texts)
    if (text.is_string()) all += (all.empty() ? "" : ", ") + text.get<std::string>();
  return all;
}

std::string editPath(const std::string& name) {
  return "/destinations?name=" + percentEncode(name) + "#set";
}

json queueRow(const json& item, TimePoint now) {
  const auto name = views::text(item, "destination");
  const bool paused = views::flag(item, "paused");
  const auto held = views::number(item, "held");
  const auto resting = views::number(item, "backOffUntil") > static_cast<std::uint64_t>(toMicros(now));
  return {{"name", name},
          {"queuePath", "/queue?destination=" + percentEncode(name)},
          {"editPath", editPath(name)},
          {"waiting", views::number(item, "waiting") + views::number(item, "active")},
          {"held", held == 0 ? json(nullptr) : json(held)},
          {"hasHeld", held > 0},
          {"paused", paused},
          {"goes", !paused},
          {"oldestAt", views::time(item, "oldestAt", now)},
          {"connections", views::number(item, "connections")},
          {"backOffUntil", resting ? views::time(item, "backOffUntil", now) : json(nullptr)},
          {"badge", paused ? views::badge("paused") : json(nullptr)},
          {"lastAt", views::time(item, "lastAt", now)},
          {"lastReply", views::text(item, "lastReply")}};
}

json setRow(const json& item, TimePoint now) {
  const auto name = views::text(item, "name");
  const auto connections = views::number(item, "connections");
  const auto perMinute = views::number(item, "perMinute");
  return {{"name", name},
          {"label", name == "*" ? std::string("All others (*)") : name},
          {"editPath", editPath(name)},
          {"connections", connections == 0 ? std::string("as usual") : std::to_string(connections)},
          {"perMinute", perMinute == 0 ? std::string("no limit") : std::to_string(perMinute)},
          {"retry", views::part(item, "retry").empty() ? std::string("as usual") : joined(views::part(item, "retry"))},
          {"hasShape", connections + perMinute > 0 || !views::part(item, "retry").empty()},
          {"paused", views::flag(item, "paused")},
          {"pausedAt", views::time(item, "pausedAt", now)}};
}

// The fields of the form: as typed, else as they are set for the destination that was chosen.
json formOf(const Visit& visit, const json& set) {
  const auto& form = visit.request.form;
  if (!form.get("name").empty())
    return {{"name", form.get("name")},
            {"connections", form.get("connections")},
            {"perMinute", form.get("perMinute")},
            {"retry", form.get("retry")}};
  const auto name = visit.request.query.get("name");
  json fields{{"name", name}, {"connections", ""}, {"perMinute", ""}, {"retry", ""}};
  for (const auto& item : views::part(set, "items")) {
    if (views::text(item, "name") != name) continue;
    if (views::number(item, "connections") > 0) fields["connections"] = views::text(item, "connections");
    if (views::number(item, "perMinute") > 0) fields["perMinute"] = views::text(item, "perMinute");
    fields["retry"] = joined(views::part(item, "retry"));
  }
  return fields;
}

Response draw(const Visit& visit, int status, const json& refusal) {
  const auto now = visit.now();
  json waiting = json::array();
  const auto answer = visit.order("queue.destinations", {{"limit", MostShown}});
  for (const auto& item : views::part(answer, "items")) waiting.push_back(queueRow(item, now));
  json rows = json::array();
  const auto set = visit.order("destination.list");
  for (const auto& item : views::part(set, "items")) rows.push_back(setRow(item, now));
  const auto& usual = views::part(set, "default");
  const bool more = views::number(answer, "total") > waiting.size();
  return visit.page("destinations", {"Destinations", "queue", status},
                    {{"waiting", waiting},
                     {"hasWaiting", !waiting.empty()},
                     {"more", more ? json(views::number(answer, "total")) : json(nullptr)},
                     {"shown", waiting.size()},
                     {"set", rows},
                     {"hasSet", !rows.empty()},
                     {"form", formOf(visit, set)},
                     {"usualConnections", views::text(usual, "connections")},
                     {"usualFirst", views::text(usual, "firstRetry")},
                     {"usualMost", views::text(usual, "maxRetry")},
                     {"refusal", refusal},
                     {"mayAct", views::may(visit, app::Role::Admin)}});
}

void setShape(const Visit& visit, const std::string& name) {
  const auto& form = visit.request.form;
  std::string retry;
  for (const char c : form.get("retry"))
    if (c != ' ') retry += c;
  const auto numberOr0 = [&](const char* field) {
    const auto text = form.get(field);
    return text.empty() ? std::string("0") : text;
  };
  visit.order("destination.set", {{"name", name},
                                  {"connections", numberOr0("connections")},
                                  {"perMinute", numberOr0("perMinute")},
                                  {"retry", retry.empty() ? "default" : retry}});
}

}  // namespace

Response destinations(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response actOnDestination(Visit& visit) {
  const auto name = visit.request.form.get("name");
  const auto action = visit.request.form.get("action");
  static const std::map<std::string, std::string> simple = {
      {"pause", "queue.pause"}, {"resume", "queue.resume"}, {"reset", "destination.reset"}};
  try {
    if (action == "set")
      setShape(visit, name);
    else if (const auto order = simple.find(action); order != simple.end())
      visit.order(order->second, {{"name", name}});
    else if (action == "retry" || action == "hold" || action == "release")
      visit.order("queue." + action, {{"destination", name}});
    else
      throw app::OrderRefused({"usage", "There is no such act on a destination.", "Open the page again."});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/destinations?done=destination-" + action);
}

}  // namespace postern::webadmin::pages
