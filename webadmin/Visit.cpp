#include "webadmin/Visit.h"

#include "core/app/SessionLimits.h"
#include "webadmin/Navigation.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Template.h"
#include "webadmin/Words.h"

namespace postern::webadmin {

using nlohmann::json;

json Visit::order(std::string_view name, const json& args) const {
  if (session)
    return tools.orders.give(name, actorOf(request.cookies.get(SessionCookie), request.clientAddress, request.https),
                             args);
  app::Actor visitor{"system", "webadmin"};
  visitor.client = request.clientAddress;
  return tools.orders.give(name, visitor, args);
}

Response Visit::page(std::string_view name, const Frame& frame, json view) const {
  view["csrf"] = csrf;
  json outer = {{"title", frame.title},
                {"csrf", csrf},
                {"noScript", name == "help" || name == "pickup-guide" ||
                                 name.starts_with("notice")},  // pages for strangers who sign in nowhere
                {"hostName", tools.config.hostName},
                {"notice", words::notice(request.query.get("done"))},
                {"now", words::time(now())}};
  if (session) {
    outer["signedIn"] = {{"account", session->account}, {"roleWords", words::roles(session->roles())}};
    outer["administrator"] = session->roles().has(app::Role::Admin);
    outer["idleSeconds"] = app::SessionIdleLimit.count();
    outer["navigation"] = navigation(*this, frame.section);
  }
  Response response;
  response.status = frame.status;
  response.body = drawPage(name, view, std::move(outer));
  return response;
}

Response jsonResponse(int status, const json& body) {
  Response response;
  response.status = status;
  response.contentType = "application/json";
  response.body = body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return response;
}

std::pair<std::string, std::string> setCookie(std::string_view name, std::string_view value) {
  auto cookie = std::string(name) + "=" + std::string(value) + "; Path=/; Secure; HttpOnly; SameSite=Strict";
  if (value.empty()) cookie += "; Max-Age=0";
  return {"Set-Cookie", std::move(cookie)};
}

}  // namespace postern::webadmin
