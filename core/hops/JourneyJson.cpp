#include "core/hops/JourneyJson.h"

#include <iterator>
#include <nlohmann/json.hpp>

namespace postern::hops {

nlohmann::json toJson(const Journey& journey) {
  auto hops = nlohmann::json::array();
  for (const auto& hop : journey.hops) {
    hops.push_back({{"from", hop.from},
                    {"fromAddress", hop.fromAddress},
                    {"by", hop.by},
                    {"state", hopStateWord(hop.state)},
                    {"inside", hop.inside},
                    {"protocol", hop.protocol},
                    {"software", hop.software},
                    {"version", hop.tls.version},
                    {"cipher", hop.tls.cipher},
                    {"bits", hop.tls.bits},
                    {"verification", hop.tls.verification},
                    {"why", hop.why}});
    if (hop.at) hops.back()["at"] = toMicros(*hop.at);
  }
  return {{"verdict", verdictWord(journey.verdict)}, {"sentence", journey.sentence}, {"hops", std::move(hops)}};
}

std::string compactJson(const Journey& journey) {
  auto whole = toJson(journey);
  for (auto& hop : whole["hops"])
    for (auto member = hop.begin(); member != hop.end();)
      member = *member == "" || *member == 0 || *member == false ? hop.erase(member) : std::next(member);
  return whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::json expandJson(std::string_view compact) {
  auto whole = nlohmann::json::parse(compact, nullptr, false);
  if (!whole.is_object() || !whole.contains("hops") || !whole["hops"].is_array()) return nullptr;
  Journey one;
  one.hops.emplace_back();
  const auto empty = toJson(one)["hops"][0];
  for (auto& hop : whole["hops"]) {
    if (!hop.is_object()) return nullptr;
    for (const auto& [name, value] : empty.items())
      if (!hop.contains(name)) hop[name] = value;
  }
  return whole;
}

}  // namespace postern::hops
