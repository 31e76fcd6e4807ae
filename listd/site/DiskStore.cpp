#include "listd/site/DiskStore.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::chrono::days Kept{400};
constexpr std::chrono::days Learning{7};
constexpr double Horizon = 3652;  // days

std::int64_t dayOf(TimePoint time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

TimePoint startOf(std::int64_t day) {
  return TimePoint(std::chrono::days(day));
}

// Bytes a day.
double slopeOf(std::span<const DiskDay> days) {
  double meanX = 0, meanY = 0;
  for (const auto& day : days) {
    meanX += static_cast<double>(dayOf(day.at)) / static_cast<double>(days.size());
    meanY += static_cast<double>(day.used) / static_cast<double>(days.size());
  }
  double both = 0, squares = 0;
  for (const auto& day : days) {
    const auto x = static_cast<double>(dayOf(day.at)) - meanX;
    both += x * (static_cast<double>(day.used) - meanY);
    squares += x * x;
  }
  return squares > 0 ? both / squares : 0;
}

}  // namespace

void DiskStore::note(TimePoint now, std::uint64_t used, std::uint64_t free) {
  database_
      .prepare(
          "INSERT INTO disk_days (day, used, free, stored) SELECT ?, ?, ?, stored FROM archive_totals WHERE true "
          "ON CONFLICT (day) DO UPDATE SET used = excluded.used, free = excluded.free, stored = excluded.stored")
      .bind(dayOf(now), used, free)
      .run();
  database_.prepare("DELETE FROM disk_days WHERE day < ?").bind(dayOf(now - Kept)).run();
}

std::vector<DiskDay> DiskStore::days(TimePoint from) const {
  auto select = database_.prepare("SELECT day, used, free, stored FROM disk_days WHERE day >= ? ORDER BY day");
  select.bind(dayOf(from));
  std::vector<DiskDay> days;
  while (select.step())
    days.push_back(
        {startOf(select.integer(0)), select.unsignedInteger(1), select.unsignedInteger(2), select.unsignedInteger(3)});
  return days;
}

DiskForecast forecastOf(std::span<const DiskDay> days, TimePoint now, std::uint64_t reserve) {
  if (days.empty() || days.back().at - days.front().at < Learning) return {};
  const auto slope = slopeOf(days);
  DiskForecast forecast{true, static_cast<std::int64_t>(slope), std::nullopt};
  const auto free = days.back().free;
  const auto room = free > reserve ? static_cast<double>(free - reserve) : 0.0;
  if (room == 0) forecast.fullAt = now;
  if (slope < 1 || room == 0) return forecast;
  if (const auto left = room / slope; left < Horizon)
    forecast.fullAt = now + std::chrono::hours(static_cast<std::int64_t>(left * 24));
  return forecast;
}

}  // namespace postern::listd
