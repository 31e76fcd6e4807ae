#pragma once
#include "core/app/Roles.h"
#include "webadmin/Visit.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::webadmin {

// Who may ask for a page, besides a set of roles, one of which the account must have now. Anyone: also without a
// session. SignedIn: any session, whatever its account may do now.
inline constexpr app::Roles Anyone{};
inline constexpr app::Roles SignedIn = app::Roles::fromBits(0xffff);

// A person's act keeps the session alive; what the page's own script asks for does not.
enum class Activity : std::uint8_t { Person, Script };

using Page = Response (*)(Visit&);

// One line of the site. `{name}` in the path stands for one segment, decoded into Visit::params.
struct Route {
  Method method;
  std::string_view path;
  app::Roles roles;
  Page page;
  Activity activity = Activity::Person;
};

// The whole site in one list. Every POST in it is guarded against forgery by Site; the one exception is the way out of
// RFC 8058 (pages::isOneClick), whose proof is the token in its address.
std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;  // null: no such page, or not by this method
  std::string allowed;           // methods of the path, as in the Allow field; empty: no such page
  std::map<std::string, std::string, std::less<>> params;
};
Match matchRoute(Method method, std::string_view path);

}  // namespace postern::webadmin
