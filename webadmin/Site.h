#pragma once
#include "webadmin/api/Api.h"
#include "webadmin/ClientLimit.h"
#include "webadmin/Routes.h"
#include "webadmin/Visit.h"

namespace postern::webadmin {

// The whole site without sockets: finds the route, the session and the role, guards POSTs against forgery, calls the
// page and turns what it throws into an error page. This is the boundary "HTTP request": each cause is logged once and
// answered fail-closed, never shown. Threads: safe for all. Errors: throws nothing.
class Site {
public:
  explicit Site(Tools tools) : tools_(tools), api_(tools_.orders) {}

  Response answer(const Request& request);

  // A page for what the transport refuses before there is a request: 400, 405, 411, 413, 500.
  Response refusal(int status) const;

private:
  Response callApi(const Request& request);
  Response dispatch(const Request& request, Visit& visit);
  Response askAgain(Visit& visit) const;
  Response signInAnew(const Request& request) const;
  void findSession(Visit& visit, const Route* route) const;
  Response obey(const Route& route, Visit& visit);
  Response errorPage(const Visit& visit, int status, std::string_view message = {}, std::string_view hint = {}) const;
  mutable Tools tools_;
  mutable KeptForms kept_{tools_.clock};
  mutable KeptForms drafts_{tools_.clock};
  Api api_;
  ClientLimit apiLimit_{tools_.clock, 100, std::chrono::minutes(5)};
};

}  // namespace postern::webadmin
