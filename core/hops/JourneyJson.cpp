#include "core/hops/JourneyJson.h"

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

}  // namespace postern::hops
