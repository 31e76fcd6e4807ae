#pragma once
#include "core/vault/RootKey.h"
#include "listd/requests/Requests.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::listd {

// The token of the link by which somebody outside stops a request of a one-person site; bound to the request.
std::string stopToken(const vault::RootKey& root, std::uint64_t requestId);
std::optional<std::uint64_t> requestOfStopToken(const vault::RootKey& root, std::string_view token);

// Mail to each approver for whom requests wait, once a week at most. Outside of a transaction.
void remindOfRequests(OrderTools& tools, TimePoint now);

}  // namespace postern::listd
