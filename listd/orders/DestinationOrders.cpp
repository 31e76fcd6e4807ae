#include "core/mail/Text.h"
#include "core/net/IpRange.h"
#include "listd/orders/Durations.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/QueueOrders.h"
#include "listd/orders/Views.h"

namespace postern::listd {

using nlohmann::json;

namespace {

using Shape = app::DestinationShape;

constexpr const char* Everywhere = "*";

json viewOf(const DestinationRow& row) {
  auto retry = json::array();
  for (const auto seconds : row.shape.retry) retry.push_back(durationText(seconds));
  return {{"name", row.shape.destination},    {"connections", row.shape.connections},
          {"perMinute", row.shape.perMinute}, {"retry", std::move(retry)},
          {"paused", row.shape.paused},       {"pausedAt", toMicros(row.pausedAt)}};
}

// A domain, the name or address of a host, or "*".
std::string nameOf(const Args& args) {
  const auto text = mail::lowerAscii(args.text("name", 300));
  if (text == Everywhere || net::IpRange::parse(text)) return text;
  return args.domain("name").text();
}

std::vector<std::uint32_t> retryOf(const Args& args) {
  const auto text = args.textOr("retry", "", 300);
  if (text.empty() || text == "default") return {};
  auto retry = parseDurations(text);
  if (retry.size() > Shape::MostRetries)
    refuse("invalid", "these are too many pauses",
           "give " + std::to_string(Shape::MostRetries) + " at most: the last one is taken again and again");
  for (const auto seconds : retry)
    if (seconds > Shape::LongestRetry)
      refuse("invalid", durationText(seconds) + " is too long a pause", "give seven days at most");
  return retry;
}

DestinationRow rowOf(SiteTables& tables, const std::string& name) {
  auto row = tables.destinations.find(name).value_or(DestinationRow());
  row.shape.destination = name;
  return row;
}

void noteObject(const OrderCall& call, const std::string& name) {
  call.note.objectType = "destination";
  call.note.objectId = name;
}

json setDestination(OrderTools& tools, const OrderCall& call) {
  const auto name = nameOf(call.args);
  const auto connections = call.args.number("connections", 0, 0, Shape::MostConnections);
  const auto perMinute = call.args.number("perMinute", 0, 0, Shape::MostPerMinute);
  const auto retry = retryOf(call.args);
  if (!call.args.has("connections") && !call.args.has("perMinute") && !call.args.has("retry"))
    refuse("usage", "nothing is set",
           "give --connections, --per-minute or --retry; 0 and \"default\" take a setting away");
  noteObject(call, name);
  return change(tools, call, [&](SiteTables& tables) {
    auto row = rowOf(tables, name);
    if (call.args.has("connections")) row.shape.connections = static_cast<std::uint32_t>(connections);
    if (call.args.has("perMinute")) row.shape.perMinute = static_cast<std::uint32_t>(perMinute);
    if (call.args.has("retry")) row.shape.retry = retry;
    tables.destinations.set(row);
    tables.counters.take(CounterStore::Routing);
    return viewOf(row);
  });
}

json listDestinations(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    for (const auto& row : tables.destinations.all()) items.push_back(viewOf(row));
    const auto& config = tools.context.config;
    auto page = pageOf(std::move(items), {});
    page["default"] = {{"connections", config.connectionsPerDestination},
                       {"firstRetry", durationText(static_cast<std::uint32_t>(config.firstRetry.count()))},
                       {"maxRetry", durationText(static_cast<std::uint32_t>(config.maxRetry.count()))}};
    return page;
  });
}

json resetDestination(OrderTools& tools, const OrderCall& call) {
  const auto name = nameOf(call.args);
  noteObject(call, name);
  return change(tools, call, [&](SiteTables& tables) {
    auto row = tables.destinations.find(name);
    if (!row) refuse("not-found", "nothing is set for " + name, "see: postern destination list");
    row->shape.connections = row->shape.perMinute = 0;
    row->shape.retry.clear();
    tables.destinations.set(*row);  // a pause stays: it ends by its own order
    tables.counters.take(CounterStore::Routing);
    return json::object();
  });
}

json setPaused(OrderTools& tools, const OrderCall& call, bool paused) {
  const auto name = call.args.has("name") ? nameOf(call.args) : std::string(Everywhere);
  noteObject(call, name);
  return change(tools, call, [&](SiteTables& tables) {
    auto row = rowOf(tables, name);
    if (!paused && !row.shape.paused)
      refuse("not-found", (name == Everywhere ? "the queue" : name) + " is not paused",
             "see what is: postern destination list");
    if (paused && !row.shape.paused) row.pausedAt = tools.now();
    if (!paused) row.pausedAt = {};
    row.shape.paused = paused;
    tables.destinations.set(row);
    tables.counters.take(CounterStore::Routing);
    return viewOf(row);
  });
}

json pauseQueue(OrderTools& tools, const OrderCall& call) {
  return setPaused(tools, call, true);
}
json resumeQueue(OrderTools& tools, const OrderCall& call) {
  return setPaused(tools, call, false);
}

using app::Role;
constexpr Access Watchers{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk};

constexpr OrderRow Table[] = {
    {"destination.set", OrderKind::ChangesRouting, setDestination},
    {"destination.list", OrderKind::Reads, listDestinations, Watchers},
    {"destination.reset", OrderKind::ChangesRouting, resetDestination},
    {"queue.pause", OrderKind::ChangesRouting, pauseQueue},
    {"queue.resume", OrderKind::ChangesRouting, resumeQueue},
};

}  // namespace

std::span<const OrderRow> destinationOrders() {
  return Table;
}

}  // namespace postern::listd
