#include "listd/site/DestinationStore.h"

#include "core/base/Error.h"

#include <charconv>
#include <string>

namespace postern::listd {

namespace {

std::string textOf(const std::vector<std::uint32_t>& retry) {
  std::string text;
  for (const auto seconds : retry) text += (text.empty() ? "" : ",") + std::to_string(seconds);
  return text;
}

std::vector<std::uint32_t> retryOf(std::string_view text) {
  std::vector<std::uint32_t> retry;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    std::uint32_t seconds = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), seconds);
    if (read.ec != std::errc() || read.ptr != part.data() + part.size())
      throw Error(ErrorKind::Store, "the pauses of a destination do not parse");
    retry.push_back(seconds);
    text.remove_prefix(std::min(part.size() + 1, text.size()));
  }
  return retry;
}

DestinationRow rowAt(const store::Statement& select) {
  return {{select.text(0), static_cast<std::uint32_t>(select.integer(1)), static_cast<std::uint32_t>(select.integer(2)),
           retryOf(select.view(3)), select.integer(4) != 0},
          fromMicros(select.integer(5))};
}

}  // namespace

void DestinationStore::set(const DestinationRow& row) {
  const auto& shape = row.shape;
  if (shape.connections == 0 && shape.perMinute == 0 && shape.retry.empty() && !shape.paused) {
    remove(shape.destination);
    return;
  }
  database_
      .prepare(
          "INSERT INTO destinations (name, connections, per_minute, retry, paused, paused_at) VALUES (?, ?, ?, ?, ?, "
          "?) "
          "ON CONFLICT (name) DO UPDATE SET connections = excluded.connections, per_minute = excluded.per_minute, "
          "retry = excluded.retry, paused = excluded.paused, paused_at = excluded.paused_at")
      .bind(shape.destination, shape.connections, shape.perMinute, textOf(shape.retry), shape.paused ? 1 : 0,
            toMicros(row.pausedAt))
      .run();
}

std::optional<DestinationRow> DestinationStore::find(std::string_view name) const {
  auto select = database_.prepare(
      "SELECT name, connections, per_minute, retry, paused, paused_at FROM destinations WHERE name = ?");
  if (!select.bind(name).step()) return std::nullopt;
  return rowAt(select);
}

std::vector<DestinationRow> DestinationStore::all() const {
  auto select = database_.prepare(
      "SELECT name, connections, per_minute, retry, paused, paused_at FROM destinations ORDER BY name");
  select.bind();
  std::vector<DestinationRow> rows;
  while (select.step()) rows.push_back(rowAt(select));
  return rows;
}

bool DestinationStore::remove(std::string_view name) {
  database_.prepare("DELETE FROM destinations WHERE name = ?").bind(name).run();
  return database_.changes() > 0;
}

}  // namespace postern::listd
