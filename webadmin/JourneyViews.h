#pragma once
#include "core/base/Clock.h"

#include <nlohmann/json.hpp>

namespace postern::webadmin::views {

// The way of a message (hops::toJson) for a page: {"sentence", "badge", "hops": [{"number", "from", …}], "hasHops"};
// null for what is no journey.
nlohmann::json journey(const nlohmann::json& journey, TimePoint now);

// What a sender check is worth, in plain words: {"encryption", "signature", "badge", "fingerprint"}. An empty object:
// the post was neither encrypted nor signed.
nlohmann::json senderCheck(const nlohmann::json& check);

// Whether the domain in From was proven by SPF, DKIM, DMARC or ARC, in words: {"badge", "sentence", "help"}. Of mail
// that is not looked at, why not.
nlohmann::json senderDomain(const nlohmann::json& client);

}  // namespace postern::webadmin::views
