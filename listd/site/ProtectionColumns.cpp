#include "listd/site/ProtectionColumns.h"

#include "core/base/Error.h"

#include <string>

namespace postern::listd {

const char* floorWord(std::optional<app::Protection> floor) {
  return floor ? app::protectionName(*floor) : "";
}

std::optional<app::Protection> readFloor(std::string_view word) {
  if (word.empty()) return std::nullopt;
  const auto floor = parseProtection(word);
  if (!floor) throw Error(ErrorKind::Store, "unknown protection in the database: " + std::string(word));
  return floor;
}

std::vector<app::Protection> readRungs(std::string_view words) {
  auto rungs = parseRungs(words);
  if (!rungs) throw Error(ErrorKind::Store, "unknown ladder in the database: " + std::string(words));
  return std::move(*rungs);
}

std::int64_t minutesOf(std::optional<std::chrono::minutes> time) {
  return time ? time->count() : -1;
}

std::optional<std::chrono::minutes> readMinutes(std::int64_t minutes) {
  if (minutes < 0) return std::nullopt;
  return std::chrono::minutes(minutes);
}

}  // namespace postern::listd
