#include "listd/site/CounterStore.h"

#include "core/base/Error.h"

namespace postern::listd {

std::uint64_t CounterStore::get(std::string_view name) const {
  auto select = database_.prepare("SELECT value FROM counters WHERE name = ?");
  if (!select.bind(name).step()) throw Error(ErrorKind::Store, "site.db has no counter " + std::string(name));
  return select.unsignedInteger(0);
}

void CounterStore::set(std::string_view name, std::uint64_t value) {
  database_.prepare("UPDATE counters SET value = ? WHERE name = ?").bind(value, name).run();
}

std::uint64_t CounterStore::take(std::string_view name, std::uint64_t count) {
  const auto first = get(name);
  set(name, first + count);
  return first;
}

void CounterStore::skipAhead(TimePoint now) {
  // 10,000 a second, for ever: more than any site sends in the long run, and below 2^53 for readers of JSON.
  const auto seconds = toMicros(now) / 1'000'000;
  if (seconds <= 0) return;
  const auto floor = static_cast<std::uint64_t>(seconds) * 10'000;
  for (const auto name : {Copy, Tail})
    if (get(name) < floor) set(name, floor);
}

}  // namespace postern::listd
