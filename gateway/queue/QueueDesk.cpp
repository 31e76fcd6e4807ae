#include "gateway/queue/QueueDesk.h"

#include "core/base/Error.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace postern::gateway {

using nlohmann::json;

namespace {

using Action = QueueOrder::Action;

constexpr std::size_t MostShown = 10'000;
constexpr std::size_t MostIds = 1000;
constexpr std::size_t Batch = 10'000;  // copies that are changed with one sync

json parsed(std::string_view request) {
  auto read = json::parse(request, nullptr, false);
  if (!read.is_object()) throw Error(ErrorKind::Malformed, "a request about the queue is no JSON object");
  return read;
}

std::string textOf(const json& request, const char* name) {
  const auto found = request.find(name);
  return found != request.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t numberOf(const json& request, const char* name, std::uint64_t fallback) {
  const auto found = request.find(name);
  return found != request.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : fallback;
}

QueueFilter filterOf(const json& request) {
  QueueFilter filter;
  filter.destination = textOf(request, "destination");
  filter.trace = textOf(request, "trace");
  const auto state = textOf(request, "state");
  if (state == "held" || state == "waiting") filter.held = state == "held";
  if (const auto before = request.find("before"); before != request.end() && before->is_number_integer())
    filter.queuedBefore = fromMicros(before->get<std::int64_t>());
  return filter;
}

// "QUEUED.KEY", as `next` of an answer had it.
QueuePlace placeOf(const std::string& text) {
  if (text.empty()) return {};
  const auto dot = text.find('.');
  const auto digits = [&](std::string_view part) {
    return !part.empty() && part.size() < 19 && part.find_first_not_of("0123456789") == part.npos;
  };
  const std::string_view whole(text);
  if (dot == text.npos || !digits(whole.substr(0, dot)) || whole.size() - dot > 21 ||
      whole.substr(dot + 1).find_first_not_of("0123456789") != whole.npos || dot + 1 == whole.size())
    throw Error(ErrorKind::Malformed, "\"after\" is no place in the queue");
  return {std::stoll(text.substr(0, dot)), std::stoull(text.substr(dot + 1))};
}

const char* kindWord(app::Copy::Kind kind) {
  if (kind == app::Copy::Kind::Content) return "content";
  return kind == app::Copy::Kind::Notice ? "notice" : "report";
}

json viewOf(const QueueRow& row, const Scheduler::Look& look, bool paused) {
  const auto& copy = row.copy;
  return {{"id", copy.key},
          {"destination", copy.destination},
          {"state", copy.held  ? "held"
                    : look.out ? "active"
                               : "waiting"},
          {"paused", paused && copy.via.empty()},
          {"priority", look.priority},
          {"kind", kindWord(copy.kind)},
          {"protection", app::protectionName(copy.protection)},
          {"floor", app::protectionName(copy.floor)},
          {"attempts", copy.attempts},
          {"queuedAt", toMicros(copy.queuedAt)},
          {"nextAttemptAt", toMicros(copy.notBefore)},
          {"expiresAt", toMicros(copy.expiresAt)},
          {"via", copy.via},
          {"lastReply", row.lastReply}};
}

json itemsOf(const QueueStore& queue, const Deliverer& deliverer, const std::vector<std::uint64_t>& keys) {
  const auto rows = queue.rows(keys);
  std::vector<std::uint64_t> known;
  for (const auto& row : rows) known.push_back(row.copy.key);
  const auto looks = deliverer.look(known);
  std::map<std::string, bool> paused;
  auto items = json::array();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& domain = rows[i].copy.destination;
    const auto [state, isNew] = paused.try_emplace(domain);
    if (isNew) state->second = deliverer.lookAt(domain).look.shape.paused;
    items.push_back(viewOf(rows[i], looks[i], state->second));
  }
  return items;
}

json list(const QueueStore& queue, const Deliverer& deliverer, const json& request) {
  const auto limit = std::clamp<std::uint64_t>(numberOf(request, "limit", 100), 1, MostShown);
  const auto filter = filterOf(request);
  auto after = placeOf(textOf(request, "after"));
  const auto underWay = deliverer.underWay();
  const auto state = textOf(request, "state");
  std::vector<std::uint64_t> keys;
  const auto end = queue.walk(filter, after, [&](const CopySummary& copy) {
    const bool active = std::binary_search(underWay.begin(), underWay.end(), copy.key);
    if ((state == "active" && !active) || (state == "waiting" && active)) return true;
    keys.push_back(copy.key);
    return keys.size() < limit;
  });
  std::string next;
  if (end) next = std::to_string(end->queuedAt) + "." + std::to_string(end->key);
  return {{"items", itemsOf(queue, deliverer, keys)}, {"next", next}};
}

json show(const QueueStore& queue, const Deliverer& deliverer, const json& request) {
  const auto items = itemsOf(queue, deliverer, {numberOf(request, "id", 0)});
  return items.empty() ? json::object() : items.front();
}

struct Sum {
  std::uint64_t waiting = 0, held = 0, active = 0;
  TimePoint oldest, next;
  std::uint64_t lastTried = 0;  // a copy that has a reply
};

std::map<std::string, Sum> sumsOf(const QueueStore& queue, const Deliverer& deliverer) {
  const auto underWay = deliverer.underWay();
  std::map<std::string, Sum> sums;
  queue.walk({}, {}, [&](const CopySummary& copy) {
    auto& sum = sums[copy.destination];
    const bool out = std::binary_search(underWay.begin(), underWay.end(), copy.key);
    ++(copy.held ? sum.held : out ? sum.active : sum.waiting);
    if (sum.oldest == TimePoint() || copy.queuedAt < sum.oldest) sum.oldest = copy.queuedAt;
    if (!copy.held && (sum.next == TimePoint() || copy.notBefore < sum.next)) sum.next = copy.notBefore;
    if (copy.attempts > 0) sum.lastTried = copy.key;
    return true;
  });
  return sums;
}

json viewOf(const QueueStore& queue, const Deliverer& deliverer, const std::string& domain, const Sum& sum) {
  const auto state = deliverer.lookAt(domain);
  auto retry = json::array();
  for (const auto pause : state.look.shape.retry)
    retry.push_back(std::chrono::duration_cast<std::chrono::seconds>(pause).count());
  json view{{"destination", domain},
            {"waiting", sum.waiting},
            {"active", sum.active},
            {"held", sum.held},
            {"oldestAt", toMicros(sum.oldest)},
            {"nextAttemptAt", toMicros(sum.next)},
            {"connections", state.look.connections},
            {"backOffUntil", toMicros(state.look.restsUntil)},
            {"paused", state.look.shape.paused},
            {"maxConnections", state.look.shape.connections},
            {"perMinute", state.look.shape.perMinute},
            {"retry", std::move(retry)}};
  if (const auto& last = state.lastAnswer) {
    view.update({{"lastOutcome", last->outcome},
                 {"lastAt", toMicros(last->at)},
                 {"lastHost", last->host},
                 {"lastReply", last->text}});
  } else if (sum.lastTried != 0) {  // before the gateway started
    const auto rows = queue.rows({sum.lastTried});
    if (!rows.empty()) view.update({{"lastOutcome", "deferred"}, {"lastReply", rows.front().lastReply}});
  }
  return view;
}

json destinations(const QueueStore& queue, const Deliverer& deliverer, const json& request) {
  const auto limit = std::clamp<std::uint64_t>(numberOf(request, "limit", 100), 1, MostShown);
  const auto one = textOf(request, "destination");
  const auto sums = sumsOf(queue, deliverer);
  std::vector<std::pair<std::string, Sum>> sorted;
  for (const auto& [domain, sum] : sums)
    if (one.empty() || domain == one) sorted.emplace_back(domain, sum);
  const auto copies = [](const Sum& sum) { return sum.waiting + sum.active + sum.held; };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const auto& a, const auto& b) { return copies(a.second) > copies(b.second); });
  auto items = json::array();
  for (const auto& [domain, sum] : sorted) {
    if (items.size() == limit) break;
    items.push_back(viewOf(queue, deliverer, domain, sum));
  }
  return {{"items", std::move(items)}, {"total", sorted.size()}};
}

QueueOrder orderOf(const json& request) {
  static const std::map<std::string, Action> actions = {{"retry", Action::Retry},
                                                        {"hold", Action::Hold},
                                                        {"release", Action::Release},
                                                        {"drop", Action::Drop},
                                                        {"reroute", Action::Reroute}};
  const auto action = actions.find(textOf(request, "action"));
  if (action == actions.end()) throw Error(ErrorKind::Malformed, "the queue does not know this action");
  return {action->second, {}, textOf(request, "reason"), textOf(request, "via")};
}

std::vector<std::uint64_t> keysOf(const QueueStore& queue, const json& request) {
  std::vector<std::uint64_t> keys;
  if (const auto ids = request.find("ids"); ids != request.end() && ids->is_array()) {
    for (const auto& id : *ids)
      if (id.is_number_unsigned()) keys.push_back(id.get<std::uint64_t>());
    return keys;
  }
  const auto filter = filterOf(request);
  const auto all = request.find("all");
  const bool everything = all != request.end() && all->is_boolean() && all->get<bool>();
  if (filter.destination.empty() && filter.trace.empty() && !everything)
    throw Error(ErrorKind::Malformed, "an order for the queue does not say which copies");
  queue.walk(filter, {}, [&](const CopySummary& copy) {
    keys.push_back(copy.key);
    return true;
  });
  return keys;
}

// How many of them nothing but verified TLS protects.
std::uint64_t needTls(const QueueStore& queue, const std::vector<std::uint64_t>& keys) {
  const auto rows = queue.rows(keys);
  return static_cast<std::uint64_t>(std::count_if(rows.begin(), rows.end(), [](const QueueRow& row) {
    const auto need = tlsNeedOf(row.copy);
    return need == TlsNeed::Protection || need == TlsNeed::Asked;
  }));
}

json act(QueueStore& queue, const Deliverer& deliverer, const json& request) {
  auto order = orderOf(request);
  const auto keys = keysOf(queue, request);
  auto ids = json::array();
  std::uint64_t changed = 0;
  std::uint64_t onTheWay = 0;
  std::uint64_t strict = 0;
  const bool stops = order.action != Action::Retry && order.action != Action::Release;
  for (std::size_t from = 0; from < keys.size(); from += Batch) {
    const auto to = std::min(from + Batch, keys.size());
    order.keys.assign(keys.begin() + static_cast<std::ptrdiff_t>(from), keys.begin() + static_cast<std::ptrdiff_t>(to));
    const auto underWay = stops ? deliverer.underWay() : std::vector<std::uint64_t>();
    const auto done = queue.act(order);
    if (order.action == Action::Reroute && !order.via.empty()) strict += needTls(queue, done);
    for (const auto key : done) {
      ++changed;
      if (std::binary_search(underWay.begin(), underWay.end(), key)) ++onTheWay;
      if (ids.size() < MostIds) ids.push_back(key);
    }
  }
  return {{"changed", changed}, {"ids", std::move(ids)}, {"onTheWay", onTheWay}, {"needTls", strict}};
}

}  // namespace

std::string QueueDesk::answer(std::string_view action, std::string_view request) {
  const auto asked = parsed(request);
  if (action == "list") return list(queue_, deliverer_, asked).dump();
  if (action == "show") return show(queue_, deliverer_, asked).dump();
  if (action == "destinations") return destinations(queue_, deliverer_, asked).dump();
  if (action == "act") return act(queue_, deliverer_, asked).dump();
  throw Error(ErrorKind::Malformed, "the queue does not know the question \"" + std::string(action) + "\"");
}

}  // namespace postern::gateway
