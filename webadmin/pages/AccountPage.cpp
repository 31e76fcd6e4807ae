#include "webadmin/pages/Pages.h"
#include "webadmin/QrCode.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

json factorViews(const json& account, TimePoint now) {
  auto rows = json::array();
  for (const auto& factor : views::part(account, "factors")) {
    rows.push_back({{"id", views::text(factor, "id")},
                    {"kind", views::text(factor, "kind") == "passkey" ? "Passkey" : "Authenticator app"},
                    {"name", views::text(factor, "name")},
                    {"createdAt", views::time(factor, "createdAt", now)},
                    {"lastUsed", views::time(factor, "lastUsedAt", now)}});
  }
  return rows;
}

std::string joined(const json& words) {
  std::string text;
  for (const auto& word : words)
    if (word.is_string()) text += (text.empty() ? "" : ", ") + word.get<std::string>();
  return text;
}

json tokenViews(const json& list, TimePoint now) {
  auto rows = json::array();
  for (const auto& token : views::part(list, "items"))
    rows.push_back({{"id", views::text(token, "id")},
                    {"name", views::text(token, "name")},
                    {"scopes", joined(views::part(token, "scopes"))},
                    {"expiresAt", views::time(token, "expiresAt", now)},
                    {"lastUsed", views::time(token, "lastUsedAt", now)}});
  return rows;
}

Response drawAccount(Visit& visit, int status, json extra) {
  const auto own = visit.order("account.show");
  const auto tokens = tokenViews(visit.order("token.list"), visit.now());
  const auto factors = factorViews(own, visit.now());
  json view{{"name", views::text(own, "name")},
            {"roles", words::roles(visit.session->roles())},
            {"mail", views::text(own, "mail")},
            {"lists", joined(views::part(own, "lists"))},
            {"factors", factors},
            {"several", factors.size() > 1},
            {"codesLeft", views::text(own, "recoveryCodesLeft")},
            {"fewCodes", views::number(own, "recoveryCodesLeft") < 3},
            {"sessions", sessionRows(visit.order("session.list"), visit.now())},
            {"tokens", tokens},
            {"noTokens", tokens.empty()},
            {"refusal", nullptr},
            {"codes", json::array()},
            {"token", nullptr}};
  view.update(extra);
  view["hasCodes"] = !view["codes"].empty();
  return visit.page("account", {"Your account", "account", status}, std::move(view));
}

// Gives the order; a refusal that is about the form is shown on the page, others go their way.
template <class Draw>
Response obeyOrExplain(Visit& visit, Draw draw) {
  try {
    return draw();
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code == "step-up" || refused.error().code == "signed-out") throw;
    return drawAccount(visit, 422, {{"refusal", views::refusal(refused)}});
  }
}

}  // namespace

Response account(Visit& visit) {
  return drawAccount(visit, 200, json::object());
}

Response passkeyOptions(Visit& visit) {
  return jsonResponse(200, visit.order("passkey.options", {{"for", "add"}}));
}

Response addPasskey(Visit& visit) {
  return obeyOrExplain(visit, [&] {
    const auto& form = visit.request.form;
    visit.order("passkey.add", {{"credential", form.get("credential")}, {"name", form.get("name")}});
    return Response::redirect("/account?done=factor-added");
  });
}

namespace {

Response drawTotp(const Visit& visit, const std::string& secret, const std::string& offer, const std::string& uri,
                  int status, const json& refusal) {
  return visit.page("account-totp", {"Add an authenticator app", "account", status},
                    {{"secret", secret},
                     {"offer", offer},
                     {"otpauth", uri},
                     {"name", visit.request.form.get("name", "Authenticator app")},
                     {"refusal", refusal}});
}

}  // namespace

Response totpForm(Visit& visit) {
  const auto offer = visit.order("totp.options");
  return drawTotp(visit, views::text(offer, "secret"), views::text(offer, "offer"), views::text(offer, "otpauth"), 200,
                  nullptr);
}

Response addTotp(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    visit.order("totp.add", {{"offer", form.get("offer")}, {"totp", form.get("code")}, {"name", form.get("name")}});
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code == "step-up" || refused.error().code == "signed-out") throw;
    return drawTotp(visit, form.get("secret"), form.get("offer"), form.get("otpauth"), 422, views::refusal(refused));
  }
  return Response::redirect("/account?done=factor-added");
}

Response removeFactor(Visit& visit) {
  return obeyOrExplain(visit, [&] {
    visit.order("factor.remove", {{"id", visit.request.form.get("id")}});
    return Response::redirect("/account?done=factor-removed");
  });
}

// Shown once, so in the answer itself and behind no address.
Response makeRecovery(Visit& visit) {
  return obeyOrExplain(visit, [&] {
    const auto made = visit.order("recovery.make");
    return drawAccount(visit, 200, {{"codes", views::part(made, "codes")}});
  });
}

Response changePassword(Visit& visit) {
  return obeyOrExplain(visit, [&] {
    const auto& form = visit.request.form;
    if (form.get("new") != form.get("repeat"))
      throw app::OrderRefused({"invalid", "the two new passwords differ", "type or paste the same one twice"});
    visit.order("password.change", {{"old", form.get("old")}, {"new", form.get("new")}});
    return Response::redirect("/account?done=password-changed");
  });
}

Response makeToken(Visit& visit) {
  return obeyOrExplain(visit, [&] {
    const auto& form = visit.request.form;
    const auto made = visit.order(
        "token.create", {{"name", form.get("name")}, {"scopes", form.get("scopes")}, {"days", form.get("days", "90")}});
    return drawAccount(visit, 200, {{"token", views::text(made, "token")}});
  });
}

Response revokeToken(Visit& visit) {
  return obeyOrExplain(visit, [&] {
    visit.order("token.revoke", {{"id", visit.request.form.get("id")}});
    return Response::redirect("/account?done=token-revoked");
  });
}

}  // namespace postern::webadmin::pages
