#include "webadmin/Chart.h"

#include "webadmin/Words.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

namespace postern::webadmin {

using nlohmann::json;

namespace {

using Column = std::array<std::uint64_t, 5>;  // accepted, refused, delivered, deferred, failed
using Columns = std::array<Column, ChartColumns>;

struct Series {
  std::size_t index;
  const char* name;
  const char* title;
};
constexpr std::array In = {Series{0, "accepted", "Accepted"}, Series{1, "refused", "Refused"}};
constexpr std::array Out = {Series{2, "delivered", "Delivered"}, Series{3, "deferred", "Deferred"},
                            Series{4, "failed", "Failed"}};

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f", value);
  return text.data();
}

// One rectangle of a stacked column: from `below` to `below + value`, in units of the axis.
std::string rectangle(std::size_t column, std::uint64_t below, std::uint64_t value, std::uint64_t top) {
  const auto height = 100.0 * static_cast<double>(value) / static_cast<double>(top);
  const auto y = 100.0 - 100.0 * static_cast<double>(below + value) / static_cast<double>(top);
  return "M" + number(static_cast<double>(column) + 0.1) + " " + number(y) + "h0.8v" + number(height) + "h-0.8z";
}

template <std::size_t N>
json panel(const Columns& columns, const std::array<Series, N>& series) {
  std::uint64_t highest = 0;
  for (const auto& column : columns) {
    std::uint64_t sum = 0;
    for (const auto& one : series) sum += column[one.index];
    highest = std::max(highest, sum);
  }
  const auto top = axisTop(highest);
  json drawn = json::array();
  auto below = std::array<std::uint64_t, ChartColumns>{};
  for (const auto& one : series) {
    std::string path;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto value = columns[i][one.index];
      if (value) path += rectangle(i, below[i], value, top);
      below[i] += value;
      total += value;
    }
    drawn.push_back({{"name", one.name},
                     {"title", one.title},
                     {"path", path.empty() ? "M0 0" : path},
                     {"total", words::count(total)}});
  }
  return {{"top", words::count(top)}, {"half", words::count(top / 2)}, {"series", drawn}};
}

}  // namespace

std::uint64_t axisTop(std::uint64_t value) {
  for (std::uint64_t scale = 1;; scale *= 10)
    for (const std::uint64_t step : {2u, 4u, 10u})
      if (value <= step * scale) return step * scale;
}

json drawFlow(std::span<const FlowMinute> flow, TimePoint now, int minutes) {
  const auto columnLength = std::chrono::minutes(minutes / ChartColumns);
  const auto end = std::chrono::floor<std::chrono::minutes>(now) + std::chrono::minutes(1);
  const auto start = end - ChartColumns * columnLength;
  Columns columns{};
  for (const auto& minute : flow) {
    if (minute.at < start || minute.at >= end) continue;
    auto& column = columns[static_cast<std::size_t>((minute.at - start) / columnLength)];
    const Column values = {minute.accepted, minute.refused, minute.delivered, minute.deferred, minute.failed};
    for (std::size_t i = 0; i < values.size(); ++i) column[i] += values[i];
  }
  json times = json::array();
  for (const int part : {0, 1, 2, 3}) {
    const auto at = std::chrono::time_point_cast<std::chrono::microseconds>(start + part * 20 * columnLength);
    times.push_back({{"label", words::time(at).substr(11, 5)}});
  }
  json titles = json::array(), rows = json::array();
  for (const auto& one : In) titles.push_back({{"title", one.title}});
  for (const auto& one : Out) titles.push_back({{"title", one.title}});
  for (std::size_t i = columns.size(); i-- > 0;) {  // the latest first; times without mail say nothing
    if (std::ranges::all_of(columns[i], [](auto value) { return value == 0; })) continue;
    json values = json::array();
    for (const auto value : columns[i]) values.push_back({{"count", words::count(value)}});
    const auto at = std::chrono::time_point_cast<std::chrono::microseconds>(start + static_cast<int>(i) * columnLength);
    rows.push_back({{"label", words::time(at).substr(0, 16)}, {"values", values}});
  }
  const auto step = minutes / ChartColumns;
  return {{"in", panel(columns, In)},
          {"out", panel(columns, Out)},
          {"times", times},
          {"columns", titles},
          {"rows", rows},
          {"step", step == 1 ? "minute" : std::to_string(step) + " minutes"},
          {"columnMinutes", minutes / ChartColumns}};
}

json drawMonths(const json& items, const std::vector<std::pair<std::string, std::string>>& series) {
  const auto valueOf = [](const json& item, const std::string& name) {
    const auto found = item.find(name);
    return found == item.end() || !found->is_number_unsigned() ? std::uint64_t{0} : found->get<std::uint64_t>();
  };
  std::uint64_t highest = 0, all = 0;
  json labels = json::array(), rows = json::array();
  for (const auto& item : items) {
    json values = json::array();
    std::uint64_t sum = 0;
    for (const auto& [name, title] : series) {
      sum += valueOf(item, name);
      values.push_back({{"count", words::count(valueOf(item, name))}});
    }
    highest = std::max(highest, sum);
    all += sum;
    const auto month = item.value("month", "");
    labels.push_back({{"label", labels.size() % 3 == 0 ? month : std::string()}});
    rows.push_back({{"month", month}, {"values", values}});
  }
  const auto top = axisTop(highest);
  std::vector<std::uint64_t> below(items.size());
  json drawn = json::array();
  for (const auto& [name, title] : series) {
    std::string path;
    std::uint64_t total = 0;
    std::size_t column = 0;
    for (const auto& item : items) {
      const auto value = valueOf(item, name);
      if (value) path += rectangle(column, below[column], value, top);
      below[column++] += value;
      total += value;
    }
    drawn.push_back(
        {{"name", name}, {"title", title}, {"path", path.empty() ? "M0 0" : path}, {"total", words::count(total)}});
  }
  return {{"columns", items.size()}, {"top", words::count(top)}, {"half", words::count(top / 2)},
          {"series", drawn},         {"labels", labels},         {"rows", rows},
          {"empty", all == 0}};
}

json drawDisk(const DiskLooks& disk) {
  const auto dayOf = [](TimePoint at) { return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count(); };
  const auto first = dayOf(disk.used.front().first);
  const auto today = dayOf(disk.used.back().first);
  const auto total = static_cast<double>(std::max<std::uint64_t>(disk.total, 1));
  auto until = today + std::max<std::int64_t>(30, today - first);
  const auto taken = disk.used.back().second + disk.reserve;
  const auto room = disk.total > taken ? disk.total - taken : 0;
  if (disk.growthPerDay > 0 && room / disk.growthPerDay < 365)  // the end is shown when it is in sight
    until = std::max(until, today + static_cast<std::int64_t>(room / disk.growthPerDay) + 1);
  const auto x = [&](double day) {
    return 100.0 * (day - static_cast<double>(first)) / static_cast<double>(until - first);
  };
  const auto y = [&](double bytes) { return 100.0 - 100.0 * std::min(bytes / total, 1.0); };
  std::string past = "M";
  for (const auto& [at, used] : disk.used)
    past += (past.size() > 1 ? "L" : "") + number(x(static_cast<double>(dayOf(at)))) + " " +
            number(y(static_cast<double>(used)));
  const auto now = static_cast<double>(disk.used.back().second);
  const auto growth = static_cast<double>(disk.growthPerDay);
  auto end = static_cast<double>(until);
  if (growth > 0) end = std::min(end, static_cast<double>(today) + std::max(total - now, 0.0) / growth);
  const auto ahead = "M" + number(x(static_cast<double>(today))) + " " + number(y(now)) + "L" + number(x(end)) + " " +
                     number(y(now + growth * (end - static_cast<double>(today))));
  const auto dayText = [](std::int64_t day) { return words::day(TimePoint(std::chrono::days(day))); };
  return {{"past", past},
          {"ahead", ahead},
          {"limit", number(y(total - static_cast<double>(disk.reserve)))},
          {"top", words::size(disk.total)},
          {"half", words::size(disk.total / 2)},
          {"from", dayText(first)},
          {"today", dayText(today)},
          {"until", dayText(until)}};
}

std::vector<BarPart> layBar(std::span<const std::uint64_t> counts) {
  constexpr double Smallest = 1.5;  // percent
  const auto total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  std::vector<BarPart> parts(counts.size());
  if (total == 0) return parts;
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    parts[i].width = std::max(Smallest, 100.0 * static_cast<double>(counts[i]) / static_cast<double>(total));
    sum += parts[i].width;
  }
  double x = 0;
  for (auto& part : parts) {
    part.width *= 100.0 / sum;
    part.x = x;
    x += part.width;
  }
  return parts;
}

}  // namespace postern::webadmin
