#pragma once
#include "core/hops/Journey.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace postern::hops {

// The journey for machines: "verdict", "sentence", and "hops" in the order of travel with "from", "fromAddress", "by",
// "state", "inside", "protocol", "software", "version", "cipher", "bits", "verification", "why" and "at"
// (microseconds).
nlohmann::json toJson(const Journey& journey);

// The same for keeping: what is empty is left out. Always valid UTF-8.
std::string compactJson(const Journey& journey);
// What compactJson() wrote, in the form of toJson(); null for what is no such text.
nlohmann::json expandJson(std::string_view compact);

}  // namespace postern::hops
