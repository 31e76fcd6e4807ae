#pragma once
#include "core/base/Clock.h"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace postern::webadmin {

// What happened at the door and at the way out in one minute.
struct FlowMinute {
  TimePoint at;  // start of the minute
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t delivered = 0;
  std::uint64_t deferred = 0;
  std::uint64_t failed = 0;
};

inline constexpr int ChartColumns = 60;

// The geometry of the mail-flow chart: two panels ("in": accepted, refused; "out": delivered, deferred, failed) of 60
// stacked columns, the last of which holds `now`. Each series is one SVG path in a box of 60 by 100 units, so the page
// and its script draw the same picture from the same numbers, and sizes are left to the style sheet.
//   {"in": {"top": "10", "half": "5", "series": [{"name", "title", "path", "total"}]}, "out": …, "times": [{"label"}],
//    "columns": [{"title"}], "rows": [{"label", "values": [{"count"}]}], "step": "minute", "columnMinutes": 1}
// The rows are the same numbers as a table, latest first, without the times in which nothing happened.
// REQUIRES: minutes is a multiple of 60. Minutes outside the span are left out, missing ones count as 0.
nlohmann::json drawFlow(std::span<const FlowMinute> flow, TimePoint now, int minutes);

// Columns by month, stacked, in a box of `columns` by 100 units. `items`: [{"month": "2027-01", <series>: n}] in order;
// each series is {field, title}. Gives {"columns", "top", "half", "series": [{"name", "title", "path", "total"}],
// "labels": [{"label"}], "rows": [{"month", "values": [{"count"}]}], "empty"}. Only every third month is labelled.
nlohmann::json drawMonths(const nlohmann::json& items, const std::vector<std::pair<std::string, std::string>>& series);

// How full a disk was and will be, as a line in a box of 100 by 100 units: the days known, and on from the last of them
// by `growthPerDay` until the disk is full, if that is within a year, else as long again as is known (30 days at
// least).
//   {"past": path, "ahead": path, "limit": y of the reserve, "top": "500.0 GB", "half", "from", "today", "until"}
struct DiskLooks {
  std::vector<std::pair<TimePoint, std::uint64_t>> used;  // by day, oldest first; not empty
  std::uint64_t total = 0;
  std::uint64_t reserve = 0;
  std::uint64_t growthPerDay = 0;
};
nlohmann::json drawDisk(const DiskLooks& disk);

// The smallest of 2, 4, 10, 20, 40, 100, … that is not below the value: the top of an axis whose half is a whole
// number.
std::uint64_t axisTop(std::uint64_t value);

// A bar of parts, as in {"x", "width"} in percent of the whole; small parts stay visible.
struct BarPart {
  double x = 0;
  double width = 0;
};
std::vector<BarPart> layBar(std::span<const std::uint64_t> counts);

}  // namespace postern::webadmin
