#include "listd/site/FlowStore.h"

namespace postern::listd {
namespace {

std::int64_t minuteOf(TimePoint time) {
  return toMicros(time) / 60'000'000;
}

Flow readFlow(const store::Statement& row) {
  return {fromMicros(row.integer(0) * 60'000'000),
          row.unsignedInteger(1),
          row.unsignedInteger(2),
          row.unsignedInteger(3),
          row.unsignedInteger(4),
          row.unsignedInteger(5),
          row.unsignedInteger(6),
          row.unsignedInteger(7)};
}

}  // namespace

void FlowStore::add(const Flow& flow) {
  database_
      .prepare(
          "INSERT INTO flow (minute, accepted, refused, posts, delivered, deferred, failed, withheld) VALUES (?, "
          "?, ?, ?, ?, ?, ?, ?) ON CONFLICT (minute) DO UPDATE SET accepted = accepted + excluded.accepted, "
          "refused = refused + excluded.refused, posts = posts + excluded.posts, delivered = delivered + "
          "excluded.delivered, deferred = deferred + excluded.deferred, failed = failed + excluded.failed, "
          "withheld = withheld + excluded.withheld")
      .bind(minuteOf(flow.at), flow.accepted, flow.refused, flow.posts, flow.delivered, flow.deferred, flow.failed,
            flow.withheld)
      .run();
}

void FlowStore::addRefusal(TimePoint at, std::string_view reason) {
  database_
      .prepare(
          "INSERT INTO refusals (minute, reason, messages) VALUES (?, ?, 1) ON CONFLICT (minute, reason) DO "
          "UPDATE SET messages = messages + 1")
      .bind(minuteOf(at), reason)
      .run();
}

void FlowStore::addDelivered(TimePoint at, std::string_view protection, std::uint64_t copies) {
  database_
      .prepare(
          "INSERT INTO deliveries (minute, protection, copies) VALUES (?, ?, ?) ON CONFLICT (minute, protection) DO "
          "UPDATE SET copies = copies + excluded.copies")
      .bind(minuteOf(at), protection, copies)
      .run();
}

std::vector<Flow> FlowStore::minutes(TimePoint from) const {
  auto select = database_.prepare(
      "SELECT minute, accepted, refused, posts, delivered, deferred, failed, withheld FROM flow WHERE minute >= ? "
      "ORDER BY minute");
  select.bind(minuteOf(from));
  std::vector<Flow> minutes;
  while (select.step()) minutes.push_back(readFlow(select));
  return minutes;
}

Flow FlowStore::sum(TimePoint from) const {
  auto select = database_.prepare(
      "SELECT coalesce(min(minute), 0), coalesce(sum(accepted), 0), coalesce(sum(refused), 0), coalesce(sum(posts), "
      "0), "
      "coalesce(sum(delivered), 0), coalesce(sum(deferred), 0), coalesce(sum(failed), 0), coalesce(sum(withheld), 0) "
      "FROM flow WHERE minute >= ?");
  select.bind(minuteOf(from)).step();
  return readFlow(select);
}

std::vector<RefusalCount> FlowStore::refusals(TimePoint from) const {
  auto select = database_.prepare(
      "SELECT reason, sum(messages) FROM refusals WHERE minute >= ? GROUP BY reason ORDER BY sum(messages) DESC, "
      "reason LIMIT 100");
  select.bind(minuteOf(from));
  std::vector<RefusalCount> counts;
  while (select.step()) counts.push_back({select.text(0), select.unsignedInteger(1)});
  return counts;
}

std::vector<DeliveryCount> FlowStore::delivered(TimePoint from) const {
  auto select =
      database_.prepare("SELECT protection, sum(copies) FROM deliveries WHERE minute >= ? GROUP BY protection");
  select.bind(minuteOf(from));
  std::vector<DeliveryCount> counts;
  while (select.step()) counts.push_back({select.text(0), select.unsignedInteger(1)});
  return counts;
}

}  // namespace postern::listd
