#include "webadmin/Site.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "webadmin/Csrf.h"
#include "webadmin/Drafts.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/pages/PickupPages.h"
#include "webadmin/pages/SubscribePages.h"
#include "webadmin/Tokens.h"
#include "webadmin/Words.h"

namespace postern::webadmin {

namespace {

bool holds(app::Roles roles, const std::optional<Session>& session) {
  return roles == Anyone || (session && (roles == SignedIn || session->roles().meets(roles)));
}

constexpr std::string_view OpenApiPath = "/api/v1/openapi.json";

int statusOf(const app::OrderError& error) {
  if (error.code == "not-found") return 404;
  if (error.code == "denied") return 403;
  if (error.code == "unavailable") return 503;
  return 409;
}

// For the log: the page, never the addresses of members that stand in its path.
std::string_view pageOf(const Request& request) {
  for (const auto method : {request.method, Method::Get, Method::Post})
    if (const auto match = matchRoute(method, request.path); match.route) return match.route->path;
  return "unknown page";
}

// After sign-in people come back to the page they asked for.
std::string signInPath(const Request& request) {
  if (request.method != Method::Get || request.path == "/") return "/sign-in";
  std::string wanted = request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query.items()) {
    wanted += separator + percentEncode(name) + "=" + percentEncode(value);
    separator = '&';
  }
  return "/sign-in?next=" + percentEncode(wanted);
}

}  // namespace

Response Site::answer(const Request& request) {
  Visit visit{request, tools_, {}, std::nullopt, {}, &kept_, &drafts_};
  try {
    auto response = dispatch(request, visit);
    return visit.goOn ? answer(*visit.goOn) : response;
  } catch (const app::OrderRefused& refused) {
    const auto& error = refused.error();
    if (error.code == "step-up" && visit.session) return askAgain(visit);
    if (error.code == "signed-out" && visit.session) return signInAnew(request);
    if (error.code == "broken") {  // its text is for the log: it may name files and causes
      log::error("web", error.message, {{"page", pageOf(request)}});
      return errorPage(visit, 500);
    }
    return errorPage(visit, statusOf(error), error.message, error.hint);
  } catch (const Error& error) {
    log::error("web", error.displayText(), {{"page", pageOf(request)}});
    auto response = errorPage(visit, error.kind() == ErrorKind::Unavailable ? 503 : 500);
    drafts::keep(drafts_, request, response);
    // Who leaves while listd is away leaves this browser at least; the session ends by itself.
    if (request.method == Method::Post && request.path == "/sign-out" && csrf::isSameOrigin(request))
      response.headers.push_back(setCookie(SessionCookie, ""));
    return response;
  } catch (const std::exception& error) {
    log::error("web", error.what(), {{"page", pageOf(request)}});
    return errorPage(visit, 500);
  }
}

Response Site::signInAnew(const Request& request) const {
  auto response = Response::redirect(request.path == "/send" ? "/sign-in?done=session-ended&next=%2Fsend"
                                                             : "/sign-in?done=session-ended");
  drafts::keep(drafts_, request, response);
  return response;
}

// The page on which people prove again that it is them. Its own failure is answered like that of any page.
Response Site::askAgain(Visit& visit) const {
  try {
    return pages::askStepUp(visit);
  } catch (const std::exception& error) {
    log::error("web", error.what(), {{"page", pageOf(visit.request)}});
    return errorPage(visit, 500);
  }
}

// listd records every token that it refuses: who makes tokens up must not fill the record.
Response Site::callApi(const Request& request) {
  if (!request.authorization.starts_with("Bearer ")) return api_.answer(request);
  if (!apiLimit_.allow(request.clientAddress))
    return problem(429, "refused", "There were too many requests with tokens that are not valid.",
                   "Wait five minutes, then try with a valid one.");
  auto response = api_.answer(request);
  if (response.status != 401) apiLimit_.forgive(request.clientAddress);
  return response;
}

Response Site::dispatch(const Request& request, Visit& visit) {
  if (isApi(request.path) && request.path != OpenApiPath) return callApi(request);
  auto match = matchRoute(request.method, request.path);
  if (match.route) visit.params = std::move(match.params);
  // The pages of recipients know nothing of a session of the staff in the same browser.
  const bool pickup = request.path == "/pickup" || request.path.starts_with("/pickup/");
  const bool pickupSession = pickup && request.cookies.get(pages::PickupCookie).size() >= 40;
  const bool byPerson = match.route && match.route->activity == Activity::Person;
  if (!pickup && !pages::isOneClick(request)) findSession(visit, match.route);
  auto formSecret = request.cookies.get(visit.session   ? SessionCookie
                                        : pickupSession ? pages::PickupCookie
                                                        : FormCookie);
  if (request.method == Method::Post && !pages::isOneClick(request) &&
      (!csrf::isSameOrigin(request) || !csrf::matches(formSecret, request.form.get("csrf")))) {
    if (!match.route) return errorPage(visit, match.allowed.empty() ? 404 : 405);
    // A form that outlived its session is no attack: the person signs in and does it again.
    if (match.route->roles != Anyone && !visit.session && csrf::isSameOrigin(request)) return signInAnew(request);
    log::warning("web", "a form was refused as forged", {{"page", pageOf(request)}, {"client", request.clientAddress}});
    return errorPage(visit, 403, "This form did not come from this page, or it is too old.",
                     "Nothing was changed. Open the page again and repeat what you did.");
  }
  const bool needsFormCookie = !visit.session && byPerson && formSecret.size() < 40;
  if (needsFormCookie) formSecret = tokens::random();
  visit.csrf = csrf::token(formSecret);
  if (!match.route) {
    auto response = errorPage(visit, match.allowed.empty() ? 404 : 405);
    if (!match.allowed.empty()) response.headers.emplace_back("Allow", match.allowed);
    return response;
  }
  auto response = obey(*match.route, visit);
  if (needsFormCookie && match.route->roles == Anyone) response.headers.push_back(setCookie(FormCookie, formSecret));
  return response;
}

// Who sends the request. What is the same for everybody and asked for by no form needs no answer to that.
void Site::findSession(Visit& visit, const Route* route) const {
  const auto secret = visit.request.cookies.get(SessionCookie);
  if (secret.empty() || (route != nullptr && route->roles == Anyone && route->activity == Activity::Script)) return;
  const bool byPerson = route != nullptr && route->activity == Activity::Person;
  try {
    visit.session = sessionOf(tools_.orders, secret, visit.request.clientAddress, byPerson);
  } catch (const Error& error) {
    // Pages for everybody are there also while listd is away.
    if (error.kind() != ErrorKind::Unavailable || (route != nullptr && route->roles != Anyone)) throw;
  }
}

Response Site::obey(const Route& route, Visit& visit) {
  if (holds(route.roles, visit.session)) return route.page(visit);
  const bool forScripts = route.path.starts_with("/live/");
  if (!visit.session && forScripts)
    return jsonResponse(401, {{"error", {{"code", "signed-out"}, {"message", "Sign in first."}}}});
  if (!visit.session) return Response::redirect(signInPath(visit.request));
  return errorPage(visit, 403, "Your account may not open this page.", "Ask an administrator if you need it.");
}

Response Site::errorPage(const Visit& visit, int status, std::string_view message, std::string_view hint) const {
  auto words = words::errorPage(status);
  // listd answers and says itself which other part is missing.
  if (status == 503 && !message.empty()) words.title = "A part of Postern does not answer";
  if (isApi(visit.request.path)) return problem(status, words.code, message.empty() ? words.text : message, hint);
  if (visit.request.path.starts_with("/live/"))
    return jsonResponse(status,
                        {{"error", {{"code", words.code}, {"message", message.empty() ? words.text : message}}}});
  try {
    return visit.page("error", {std::string(words.title), "", status},
                      {{"status", status},
                       {"outside", visit.request.path.starts_with("/pickup/")},
                       {"heading", words.title},
                       {"text", message.empty() ? std::string(words.text) : words::sentence(message)},
                       {"hint", message.empty() ? std::string(words.hint) : words::sentence(hint)}});
  } catch (const std::exception& error) {  // the page that cannot be drawn is the error page itself
    log::error("web", error.what(), {{"page", pageOf(visit.request)}});
    Response response;
    response.status = 500;
    response.contentType = "text/plain; charset=utf-8";
    response.body = "Postern could not draw this page. See the log of postern-webadmin.\n";
    return response;
  }
}

Response Site::refusal(int status) const {
  const Request none;
  return errorPage(Visit{none, tools_, {}, std::nullopt, {}}, status);
}

}  // namespace postern::webadmin
