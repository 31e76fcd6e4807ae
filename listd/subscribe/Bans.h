#pragma once
#include "listd/site/SiteStore.h"

#include <optional>
#include <string>
#include <string_view>

namespace postern::listd {

// A pattern as it is kept: in lower case; nothing when it is none of the forms of Ban::pattern, or would fit everybody.
std::optional<std::string> banPattern(std::string_view text);

// Whether the pattern fits the address, which is in lower case. Linear for one '*' after another: no backtracking that
// grows.
bool fitsBan(std::string_view pattern, std::string_view address);

// The ban that shuts the address out of the list, if any.
std::optional<Ban> banOf(const SiteTables& tables, std::uint64_t listId, std::string_view address);

}  // namespace postern::listd
