#include "core/app/SessionLimits.h"
#include "core/base/Error.h"
#include "webadmin/Devices.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

std::string localOrHome(const std::string& next) {
  return isLocalPath(next) && !next.starts_with("/sign-") ? next : "/";
}

std::string nextOf(const Visit& visit) {
  return (visit.request.method == Method::Post ? visit.request.form : visit.request.query).get("next");
}

Response drawSignIn(const Visit& visit, int status, const json& refusal) {
  return visit.page("sign-in", {"Sign in", "", status},
                    {{"refusal", refusal}, {"name", visit.request.form.get("name")}, {"next", nextOf(visit)}});
}

bool offers(const json& ticket, std::string_view factor) {
  for (const auto& one : views::part(ticket, "factors"))
    if (one.is_string() && one.get<std::string>() == factor) return true;
  return false;
}

Response drawFactor(const Visit& visit, const std::string& ticket, const json& offer, int status, const json& refusal) {
  const auto& options = views::part(offer, "challenge");
  return visit.page("sign-in-factor", {"Sign in", "", status},
                    {{"refusal", refusal},
                     {"ticket", ticket},
                     {"next", nextOf(visit)},
                     {"passkey", offers(offer, "passkey") ? json(options.dump()) : json(nullptr)},
                     {"totp", offers(offer, "totp")},
                     {"recovery", offers(offer, "recovery-code")}});
}

json tooMany() {
  return views::refusal("There were too many attempts from your network address.",
                        "Wait five minutes, then try again.");
}

// Whatever session the browser came with ends here; the new one has a secret that nobody has seen before.
Response openSession(Visit& visit, const json& proven, std::string to) {
  visit.tools.signInLimit.forgive(visit.request.clientAddress);
  const auto secret = views::text(views::part(proven, "session"), "secret");
  if (secret.empty()) throw Error(ErrorKind::Malformed, "listd proved a person and gave no session");
  if (visit.session) visit.order("session.end", {{"ref", visit.session->ref}});
  auto response = Response::redirect(std::move(to));
  response.headers.push_back(setCookie(SessionCookie, secret));
  response.headers.push_back(setCookie(FormCookie, ""));
  return response;
}

}  // namespace

Response signInForm(Visit& visit) {
  if (visit.session) return Response::redirect(localOrHome(visit.request.query.get("next")));
  return drawSignIn(visit, 200, nullptr);
}

Response signIn(Visit& visit) {
  const auto& form = visit.request.form;
  if (!visit.tools.signInLimit.allow(visit.request.clientAddress)) return drawSignIn(visit, 429, tooMany());
  try {
    const auto offer = visit.order(
        "user.authenticate",
        {{"name", form.get("name")}, {"password", form.get("password")}, {"client", visit.request.clientAddress}});
    return drawFactor(visit, views::text(offer, "ticket"), offer, 200, nullptr);
  } catch (const app::OrderRefused& refused) {
    return drawSignIn(visit, 401, views::refusal(refused));
  }
}

Response signInFactor(Visit& visit) {
  const auto& form = visit.request.form;
  const auto& client = visit.request.clientAddress;
  if (!visit.tools.signInLimit.allow(client)) return drawSignIn(visit, 429, tooMany());
  json args{{"client", client}, {"agent", deviceWords(visit.request.userAgent)}};
  const auto give = [&](const char* field, const char* argument) {
    if (const auto value = form.get(field); !value.empty()) args[argument] = value;
  };
  give("ticket", "ticket");
  give("assertion", "assertion");
  if (!args.contains("assertion")) give("recovery", "recoveryCode");
  if (!args.contains("assertion") && !args.contains("recoveryCode")) give("code", "totp");
  try {
    const auto proven = visit.order("user.factor", args);
    return openSession(visit, proven, localOrHome(form.get("next")));
  } catch (const app::OrderRefused& refused) {
    const auto ticket = form.get("ticket");
    if (ticket.empty()) return drawSignIn(visit, 401, views::refusal(refused));
    // What the ticket offers was on the page before; a passkey's question is used up, so it is not asked again.
    return drawFactor(visit, ticket, {{"factors", {"totp", "recovery-code"}}}, 401, views::refusal(refused));
  }
}

Response signInPasskey(Visit& visit) {
  if (!visit.tools.signInLimit.allow(visit.request.clientAddress))
    return jsonResponse(429, {{"error", {{"code", "refused"}, {"message", "Too many attempts."}}}});
  return jsonResponse(200, visit.order("passkey.sign-in-options", {{"client", visit.request.clientAddress}}));
}

Response emergencyForm(Visit& visit) {
  return visit.page("emergency", {"Emergency access", ""}, {{"refusal", nullptr}});
}

Response emergency(Visit& visit) {
  const auto& form = visit.request.form;
  const auto draw = [&](int status, const json& refusal) {
    return visit.page("emergency", {"Emergency access", "", status},
                      {{"refusal", refusal}, {"reason", form.get("reason")}});
  };
  if (!visit.tools.signInLimit.allow(visit.request.clientAddress)) return draw(429, tooMany());
  try {
    const auto proven = visit.order("break-glass.open", {{"code", form.get("code")},
                                                         {"reason", form.get("reason")},
                                                         {"client", visit.request.clientAddress},
                                                         {"agent", deviceWords(visit.request.userAgent)}});
    return openSession(visit, proven, "/");
  } catch (const app::OrderRefused& refused) {
    return draw(401, views::refusal(refused));
  }
}

// Nothing is said to be over before listd has ended it.
Response signOut(Visit& visit) {
  visit.order("session.end", {{"ref", visit.session->ref}});
  auto response = Response::redirect("/sign-in?done=signed-out");
  response.headers.push_back(setCookie(SessionCookie, ""));
  response.headers.emplace_back("Clear-Site-Data", "\"cache\"");
  return response;
}

// The script of a page asks this when its person wants to stay; asking is the act that keeps the session.
Response keepSession(Visit& visit) {
  return jsonResponse(200, {{"account", visit.session->account}, {"idleSeconds", app::SessionIdleLimit.count()}});
}

}  // namespace postern::webadmin::pages
