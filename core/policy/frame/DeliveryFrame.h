#pragma once
#include "core/policy/DeliveryFacts.h"
#include "core/policy/frame/PolicyFrame.h"

#include <string>
#include <string_view>

// The questions of the hooks `attempt`, `expire` and `route`, as bytes. As PolicyFrame.h.
namespace postern::policy::frame {

struct DeliveryRequest {
  Hook hook = Hook::Attempt;
  DeliveryFacts facts;
};

std::string encodeDelivery(const DeliveryRequest& request);
DeliveryRequest decodeDelivery(std::string_view frame);
std::string encodeRoute(const RouteFacts& facts);
RouteFacts decodeRoute(std::string_view frame);

}  // namespace postern::policy::frame
