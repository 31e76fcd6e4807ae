#include "webadmin/Csrf.h"

#include "webadmin/Tokens.h"

namespace postern::webadmin::csrf {

std::string token(std::string_view secretCookie) {
  return tokens::derive(secretCookie, "postern form token");
}

bool matches(std::string_view secretCookie, std::string_view given) {
  return !secretCookie.empty() && tokens::equal(token(secretCookie), given);
}

bool isSameOrigin(const Request& request) {
  const bool sameSite = request.fetchSite == "same-origin";
  if (!request.fetchSite.empty() && !sameSite) return false;
  if (request.origin.empty()) return true;
  if (request.origin == "null") return sameSite;
  return request.origin == "https://" + request.host;
}

}  // namespace postern::webadmin::csrf
