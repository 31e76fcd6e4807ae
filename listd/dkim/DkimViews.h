#pragma once
#include "listd/dkim/DkimStore.h"

#include <nlohmann/json.hpp>
#include <string>

namespace postern::listd {

// One key as orders show it, with its record ready to paste and what is to be done about it.
nlohmann::json dkimView(const DkimKey& key);

// The line of a zone file: the text in strings of at most 255 octets (RFC 1035 §3.3), which resolvers join again.
std::string zoneLine(const DkimKey& key);

// What to do next, a plain sentence; empty: nothing.
std::string dkimAdvice(const DkimKey& key);

}  // namespace postern::listd
