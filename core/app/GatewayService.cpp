// What a gateway answers that has no part for a question.
#include "core/app/GatewayLink.h"
#include "core/base/Error.h"

namespace postern::app {

std::string GatewayService::askPolicies(std::string_view, std::string_view, std::string_view) {
  throw Error(ErrorKind::Unavailable, "no policies can be asked from here");
}

std::string GatewayService::askQueue(std::string_view, std::string_view) {
  throw Error(ErrorKind::Unavailable, "no queue can be asked from here");
}

}  // namespace postern::app
