#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

std::string localOrHome(const std::string& next) {
  return isLocalPath(next) && !next.starts_with("/sign-") ? next : "/";
}

Response drawSignIn(const Visit& visit, int status, const json& refusal) {
  const auto& source = visit.request.method == Method::Post ? visit.request.form : visit.request.query;
  return visit.page("sign-in", {"Sign in", "", status},
                    {{"refusal", refusal}, {"name", visit.request.form.get("name")}, {"next", source.get("next")}});
}

}  // namespace

Response signInForm(Visit& visit) {
  if (visit.session) return Response::redirect(localOrHome(visit.request.query.get("next")));
  return drawSignIn(visit, 200, nullptr);
}

Response signIn(Visit& visit) {
  const auto& form = visit.request.form;
  const auto& client = visit.request.clientAddress;
  if (!visit.tools.signInLimit.allow(client))
    return drawSignIn(visit, 429,
                      views::refusal("There were too many attempts from your network address.",
                                     "Wait five minutes, then try again."));
  json account;
  try {
    account = visit.order("user.authenticate", {{"name", form.get("name")},
                                                {"password", form.get("password")},
                                                {"totp", form.get("code")},
                                                {"client", client}});
  } catch (const app::OrderRefused& refused) {
    return drawSignIn(visit, 401, views::refusal(refused));
  }
  visit.tools.signInLimit.forgive(client);
  // Whatever session the browser came with ends here; the new one has a token that nobody has seen before.
  if (const auto old = visit.request.cookies.get(SessionCookie); !old.empty()) visit.tools.sessions.close(old);
  const auto token = visit.tools.sessions.open(views::text(account, "name"), views::text(account, "role"), client);
  auto response = Response::redirect(localOrHome(form.get("next")));
  response.headers.push_back(setCookie(SessionCookie, token));
  response.headers.push_back(setCookie(FormCookie, ""));
  return response;
}

Response signOut(Visit& visit) {
  visit.tools.sessions.close(visit.request.cookies.get(SessionCookie));
  auto response = Response::redirect("/sign-in?done=signed-out");
  response.headers.push_back(setCookie(SessionCookie, ""));
  response.headers.emplace_back("Clear-Site-Data", "\"cache\"");
  return response;
}

// The script of a page asks this when its person wants to stay; asking is the act that keeps the session.
Response keepSession(Visit& visit) {
  return jsonResponse(200, {{"account", visit.session->account}, {"idleSeconds", SessionStore::IdleLimit.count()}});
}

}  // namespace postern::webadmin::pages
