#pragma once
#include "core/app/Roles.h"
#include "webadmin/Orders.h"

#include <optional>
#include <string>

namespace postern::webadmin {

// Who is signed in, as listd said for one request. The cookie of the browser is the secret that listd issued; it goes
// with each order and is kept nowhere here, and so is what listd answers: an account that was disabled, or a session
// that somebody ended, is out with the next request (docs/decisions/0020). A value.
struct Session {
  std::string account;
  std::string ref;  // names the session to its person; opens nothing
  app::Roles held;

  app::Roles roles() const { return held; }
};

// The order session.show. `byPerson`: the person did something, which holds off the idle limit.
// Errors: Error(Unavailable) when listd does not answer: without it nobody is signed in.
std::optional<Session> sessionOf(Orders& orders, const std::string& secret, const std::string& client, bool byPerson);

// How a person who is signed in gives orders.
app::Actor actorOf(const std::string& secret, const std::string& client, const app::HttpsFacts& https = {});

}  // namespace postern::webadmin
