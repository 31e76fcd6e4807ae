#pragma once
#include "webadmin/Visit.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::webadmin {

// Who may ask for a page. Anyone: also without a session. SignedIn: any session, whatever its account may do now.
// Admin: a session of an account that has the role "admin" now.
enum class Role : std::uint8_t { Anyone, SignedIn, Admin };

// A person's act keeps the session alive; what the page's own script asks for does not.
enum class Activity : std::uint8_t { Person, Script };

using Page = Response (*)(Visit&);

// One line of the site. `{name}` in the path stands for one segment, decoded into Visit::params.
struct Route {
  Method method;
  std::string_view path;
  Role role;
  Page page;
  Activity activity = Activity::Person;
};

// The whole site in one list. Every POST in it is guarded against forgery by Site, without exception.
std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;  // null: no such page, or not by this method
  std::string allowed;           // methods of the path, as in the Allow field; empty: no such page
  std::map<std::string, std::string, std::less<>> params;
};
Match matchRoute(Method method, std::string_view path);

}  // namespace postern::webadmin
