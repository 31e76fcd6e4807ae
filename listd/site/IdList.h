#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace postern::listd {

// Ids as SQLite reads them from one parameter: `… WHERE id IN (SELECT value FROM json_each(?))`. One statement for many
// rows costs a fraction of one for each.
inline std::string idList(std::span<const std::uint64_t> ids) {
  std::string list = "[";
  for (const auto id : ids) {
    if (list.size() > 1) list += ',';
    list += std::to_string(static_cast<std::int64_t>(id));
  }
  return list + "]";
}

}  // namespace postern::listd
