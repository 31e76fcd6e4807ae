#include "webadmin/Devices.h"
#include "webadmin/pages/PickupPages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

Response drawHome(const Visit& visit, int status, const json& refusal) {
  return pickupPage(visit, "pickup-home", "Secure mail", status,
                    {{"refusal", refusal},
                     {"address", visit.request.form.get("address", visit.request.query.get("address"))},
                     {"next", visit.request.query.get("next")},
                     {"asked", visit.request.query.get("asked") == "yes"},
                     {"signedOut", visit.request.query.get("done") == "left"},
                     {"ended", visit.request.query.get("done") == "ended"},
                     {"deleted", visit.request.query.get("done") == "deleted"}});
}

json tooMany() {
  return views::refusal("There were too many attempts from your network address.",
                        "Wait five minutes, then try again.");
}

Response gone(const Visit& visit) {
  return pickupPage(visit, "pickup-gone", "Link", 410, json::object());
}

Response drawSetUp(const Visit& visit, const json& who, int status, const json& refusal) {
  return pickupPage(visit, "pickup-set-up", "How you sign in", status,
                    {{"refusal", refusal},
                     {"address", views::text(who, "address")},
                     {"reset", views::flag(who, "reset")},
                     {"passkeys", views::flag(who, "passkeys")},
                     {"shortest", views::number(who, "shortestPassword")}});
}

Response enter(const json& answer, std::string to) {
  auto response = Response::redirect(std::move(to));
  response.headers.push_back(pickupCookie(views::text(answer, "session")));
  return response;
}

// Where the browser goes after signing in: the message that it asked for, or the inbox.
std::string targetOf(const std::string& next) {
  const bool own = isLocalPath(next) && next.starts_with("/pickup/") && next.find("..") == next.npos;
  return own ? next : "/pickup/messages";
}

}  // namespace

json pickupOrder(const Visit& visit, std::string_view order, json args) {
  if (!args.contains("session")) args["session"] = visit.request.cookies.get(PickupCookie);
  args["client"] = visit.request.clientAddress;
  args["agent"] = deviceWords(visit.request.userAgent);
  return visit.order(order, args);
}

Response pickupPage(const Visit& visit, std::string_view name, const std::string& title, int status, json view) {
  return visit.page(name, {title, "", status}, std::move(view));
}

// Lax, so that a link in a mail finds a session that is open; it moves nothing: every act is a form of ours.
std::pair<std::string, std::string> pickupCookie(std::string_view secret) {
  std::string cookie(PickupCookie);
  cookie.append("=").append(secret).append("; Path=/; Secure; HttpOnly; SameSite=Lax");
  if (secret.empty()) cookie += "; Max-Age=0";
  return {"Set-Cookie", std::move(cookie)};
}

Response pickupRefused(const Visit& visit, const app::OrderRefused& refused) {
  const auto& error = refused.error();
  if (error.code == "broken" || error.code == "unavailable") throw refused;
  if (error.code == "signed-out") {
    const bool had = !visit.request.cookies.get(PickupCookie).empty();
    std::string to = "/pickup/?";
    if (had) to += "done=ended&";
    if (visit.request.method == Method::Get) to += "next=" + percentEncode(visit.request.path);
    auto response = Response::redirect(to);
    response.headers.push_back(pickupCookie(""));
    return response;
  }
  const int status = error.code == "not-found" ? 404 : error.code == "denied" ? 403 : error.code == "gone" ? 410 : 422;
  return pickupPage(visit, "pickup-refused", "Secure mail", status,
                    {{"message", words::sentence(error.message)}, {"hint", words::sentence(error.hint)}});
}

Response pickupHome(Visit& visit) {
  if (visit.request.cookies.get(PickupCookie).empty()) return drawHome(visit, 200, nullptr);
  try {
    const auto who = pickupOrder(visit, "pickup.who");
    if (views::flag(who, "signedIn")) return Response::redirect(targetOf(visit.request.query.get("next")));
    return Response::redirect("/pickup/set-up");
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "signed-out") throw;
    auto response = drawHome(visit, 200, nullptr);
    response.headers.push_back(pickupCookie(""));
    return response;
  }
}

Response pickupSignIn(Visit& visit) {
  const auto& form = visit.request.form;
  if (!visit.tools.signInLimit.allow(visit.request.clientAddress)) return drawHome(visit, 429, tooMany());
  json args{{"session", ""}};
  if (const auto assertion = form.get("assertion"); !assertion.empty()) {
    args["assertion"] = assertion;
  } else {
    args["address"] = form.get("address");
    args["password"] = form.get("password");
  }
  try {
    const auto answer = pickupOrder(visit, "pickup.sign-in", args);
    visit.tools.signInLimit.forgive(visit.request.clientAddress);
    return enter(answer, targetOf(form.get("next")));
  } catch (const app::OrderRefused& refused) {
    return drawHome(visit, 401, views::refusal(refused));
  }
}

Response pickupPasskey(Visit& visit) {
  if (!visit.tools.signInLimit.allow(visit.request.clientAddress))
    return jsonResponse(429, {{"error", {{"code", "refused"}, {"message", "Too many attempts."}}}});
  return jsonResponse(200, pickupOrder(visit, "pickup.sign-in-options"));
}

Response pickupAsk(Visit& visit) {
  if (!visit.tools.signInLimit.allow(visit.request.clientAddress)) return drawHome(visit, 429, tooMany());
  try {
    pickupOrder(visit, "pickup.ask", {{"address", visit.request.form.get("address")}});
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code == "broken" || refused.error().code == "unavailable") throw;
  }
  return Response::redirect("/pickup/?asked=yes");
}

// Looking at the link uses nothing up: mail scanners come here first.
Response pickupLink(Visit& visit) {
  const auto token = visit.request.query.get("token");
  try {
    const auto shown = pickupOrder(visit, "pickup.link", {{"token", token}});
    return pickupPage(visit, "pickup-link", "A secure message waits for you", 200,
                      {{"token", token},
                       {"list", views::text(shown, "list")},
                       {"expiresAt", views::time(shown, "expiresAt", visit.now())}});
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "refused") throw;
    return gone(visit);
  }
}

Response pickupOpen(Visit& visit) {
  if (!visit.tools.signInLimit.allow(visit.request.clientAddress)) return drawHome(visit, 429, tooMany());
  try {
    const auto answer =
        pickupOrder(visit, "pickup.open", {{"token", visit.request.form.get("token")}, {"session", ""}});
    visit.tools.signInLimit.forgive(visit.request.clientAddress);
    if (views::text(answer, "next") == "set-up") return enter(answer, "/pickup/set-up");
    return Response::redirect("/pickup/?address=" + percentEncode(views::text(answer, "address")));
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "refused") throw;
    return gone(visit);
  }
}

Response pickupSetUpForm(Visit& visit) {
  try {
    const auto who = pickupOrder(visit, "pickup.who");
    if (views::flag(who, "signedIn")) return Response::redirect("/pickup/messages");
    return drawSetUp(visit, who, 200, nullptr);
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

Response pickupSetUpPasskey(Visit& visit) {
  return jsonResponse(200, pickupOrder(visit, "pickup.set-up-options"));
}

Response pickupSetUp(Visit& visit) {
  const auto& form = visit.request.form;
  json who;
  try {
    who = pickupOrder(visit, "pickup.who");
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
  json args;
  if (const auto credential = form.get("credential"); !credential.empty()) {
    args["credential"] = credential;
  } else {
    if (form.get("password") != form.get("repeat"))
      return drawSetUp(visit, who, 422, views::refusal("The two passwords are not the same.", "Type it again."));
    args["password"] = form.get("password");
  }
  try {
    return enter(pickupOrder(visit, "pickup.set-up", args), "/pickup/messages");
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "invalid") return pickupRefused(visit, refused);
    return drawSetUp(visit, who, 422, views::refusal(refused));
  }
}

Response pickupSignOut(Visit& visit) {
  try {
    pickupOrder(visit, "pickup.sign-out");
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "signed-out") throw;
  }
  auto response = Response::redirect("/pickup/?done=left");
  response.headers.push_back(pickupCookie(""));
  response.headers.emplace_back("Clear-Site-Data", "\"cache\"");
  return response;
}

Response pickupGuide(Visit& visit) {
  return pickupPage(visit, "pickup-guide", "How to read secure mail", 200, json::object());
}

}  // namespace postern::webadmin::pages
