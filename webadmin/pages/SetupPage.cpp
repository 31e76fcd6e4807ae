#include "webadmin/pages/Pages.h"
#include "webadmin/QrCode.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// NIST SP 800-63B-4: 8 characters beside a second factor. What listd says of itself goes before.
constexpr std::uint64_t ShortestPassword = 8;

// "JBSWY3DP…" in groups of four, as people type it.
std::string grouped(const std::string& secret) {
  std::string text;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    if (i && i % 4 == 0) text += ' ';
    text += secret[i];
  }
  return text;
}

Response drawGone(const Visit& visit, const app::OrderError& error) {
  if (error.code == "broken" || error.code == "unavailable") throw app::OrderRefused(error);
  return visit.page("setup-gone", {"Set-up link", "", 410},
                    {{"message", words::sentence(error.message)}, {"hint", words::sentence(error.hint)}});
}

Response drawSetup(const Visit& visit, const std::string& token, const json& check, int status, const json& refusal) {
  const auto secret = views::text(check, "secret");
  const auto shortest = views::number(check, "shortestPassword");
  return visit.page("setup", {"Set up Postern", "", status},
                    {{"token", token},
                     {"secret", grouped(secret)},
                     {"qrPath", "/setup/qr.svg?token=" + percentEncode(token)},
                     {"shortest", shortest ? shortest : ShortestPassword},
                     {"person", views::text(check, "name")},
                     {"again", views::text(check, "kind") == "recovery"},
                     {"passkeys", views::flag(check, "passkeys")},
                     {"name", visit.request.form.get("name")},
                     {"refusal", refusal}});
}

json checkToken(const Visit& visit, const std::string& token) {
  return visit.order("user.setup-check", {{"token", token}});
}

}  // namespace

Response setupForm(Visit& visit) {
  const auto token = visit.request.query.get("token");
  try {
    return drawSetup(visit, token, checkToken(visit, token), 200, nullptr);
  } catch (const app::OrderRefused& refused) {
    if (!visit.tools.signInLimit.allow(visit.request.clientAddress))
      return drawGone(visit, {"refused", "There were too many attempts from your network address.",
                              "Wait five minutes, then open the link again."});
    return drawGone(visit, refused.error());
  }
}

Response setup(Visit& visit) {
  const auto& form = visit.request.form;
  const auto token = form.get("token");
  if (!visit.tools.signInLimit.allow(visit.request.clientAddress))
    return drawGone(visit, {"refused", "There were too many attempts from your network address.",
                            "Wait five minutes, then open the link again."});
  json check;
  try {
    check = checkToken(visit, token);
  } catch (const app::OrderRefused& refused) {
    return drawGone(visit, refused.error());
  }
  try {
    if (form.get("password") != form.get("repeat"))
      return drawSetup(visit, token, check, 422,
                       views::refusal("The two passwords differ.", "Type or paste the same password twice."));
    json args{{"token", token}, {"name", form.get("name")}, {"password", form.get("password")}};
    if (const auto credential = form.get("credential"); !credential.empty())
      args["credential"] = credential;
    else
      args["totp"] = form.get("code");
    const auto made = visit.order("user.setup", args);
    visit.tools.signInLimit.forgive(visit.request.clientAddress);
    // The codes are shown once, so in the answer itself and behind no address.
    return visit.page("setup-done", {"Your account is ready", ""},
                      {{"name", views::text(made, "name")}, {"codes", views::part(made, "codes")}});
  } catch (const app::OrderRefused& refused) {
    return drawSetup(visit, token, check, 422, views::refusal(refused));
  }
}

Response setupPasskey(Visit& visit) {
  return jsonResponse(200, visit.order("user.setup-options", {{"token", visit.request.query.get("token")}}));
}

Response setupQr(Visit& visit) {
  const auto check = checkToken(visit, visit.request.query.get("token"));
  Response response;
  response.contentType = "image/svg+xml";
  response.body = drawQrCode(views::text(check, "otpauth"));
  return response;
}

}  // namespace postern::webadmin::pages
