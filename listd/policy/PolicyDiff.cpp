#include "listd/policy/PolicyViews.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <vector>

namespace postern::listd {

using nlohmann::json;

namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t MaxCells = 4'000'000;  // of the table below; larger changes are shown as one block
constexpr std::size_t Context = 3;           // lines shown around a change

Lines linesOf(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct Change {
  char mark;  // ' ' '+' '-'
  std::string_view text;
};

// The longest common lines, by the usual table.
void addMiddle(const Lines& a, const Lines& b, std::vector<Change>& changes) {
  const auto rows = a.size(), columns = b.size();
  if (rows * columns > MaxCells) {
    for (const auto& line : a) changes.push_back({'-', line});
    for (const auto& line : b) changes.push_back({'+', line});
    return;
  }
  std::vector<std::uint32_t> common((rows + 1) * (columns + 1), 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& { return common[i * (columns + 1) + j]; };
  for (auto i = rows; i-- > 0;)
    for (auto j = columns; j-- > 0;)
      at(i, j) = a[i] == b[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
  std::size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[i] == b[j]) {
      changes.push_back({' ', a[i]});
      ++i, ++j;
    } else if (j == columns || (i < rows && at(i + 1, j) >= at(i, j + 1))) {
      changes.push_back({'-', a[i++]});
    } else {
      changes.push_back({'+', b[j++]});
    }
  }
}

std::vector<Change> changesOf(std::string_view before, std::string_view after) {
  auto a = linesOf(before), b = linesOf(after);
  std::size_t head = 0, tail = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::vector<Change> changes;
  for (std::size_t i = 0; i < head; ++i) changes.push_back({' ', a[i]});
  const auto middle = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(head), lines.end() - static_cast<std::ptrdiff_t>(tail));
  };
  addMiddle(middle(a), middle(b), changes);
  for (auto i = a.size() - tail; i < a.size(); ++i) changes.push_back({' ', a[i]});
  return changes;
}

// Only what is near a change; "…" stands for the rest.
json shown(const std::vector<Change>& changes) {
  std::vector<bool> near(changes.size(), false);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].mark == ' ') continue;
    const auto first = i > Context ? i - Context : 0;
    for (auto j = first; j <= std::min(i + Context, changes.size() - 1); ++j) near[j] = true;
  }
  auto lines = json::array();
  bool skipped = false;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (!near[i]) {
      skipped = true;
      continue;
    }
    if (skipped) lines.push_back({{"mark", "…"}, {"text", ""}});
    skipped = false;
    lines.push_back({{"mark", std::string(1, changes[i].mark)}, {"text", std::string(changes[i].text)}});
  }
  return lines;
}

}  // namespace

json differenceOf(const json& before, const json& after) {
  std::set<std::string> paths;
  for (const auto& [path, text] : before.items()) paths.insert(path);
  for (const auto& [path, text] : after.items()) paths.insert(path);
  auto files = json::array();
  for (const auto& path : paths) {
    const auto a = before.value(path, std::string()), b = after.value(path, std::string());
    if (a == b && before.contains(path) == after.contains(path)) continue;
    files.push_back({{"path", path},
                     {"change", !before.contains(path)  ? "added"
                                : !after.contains(path) ? "removed"
                                                        : "changed"},
                     {"lines", shown(changesOf(a, b))}});
  }
  return files;
}

}  // namespace postern::listd
