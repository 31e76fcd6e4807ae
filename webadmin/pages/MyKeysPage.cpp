#include "core/crypto/Encoding.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

// The keys of a member without an account, who comes by the link of a mail: the token in it is the proof. Opening a
// page changes nothing, since mail scanners follow links; only a button acts. Works without JavaScript.
namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

bool leadsNowhere(const app::OrderRefused& refused) {
  return refused.error().code == "not-found" || refused.error().code == "invalid";
}

// "expired" alone is the word for a copy that was given up.
json standingBadge(std::string_view standing) {
  if (standing == "expired") return {{"text", "Expired"}, {"tone", "bad"}};
  return views::badge(standing);
}

json keyView(const json& key, TimePoint now) {
  return {{"kind", words::protection(views::text(key, "kind"))},
          {"algorithm", views::text(key, "algorithm")},
          {"fingerprint", words::fingerprint(views::text(key, "fingerprint"))},
          {"subject", views::text(key, "subject")},
          {"badge", standingBadge(views::text(key, "standing"))},
          {"notAfter", views::time(key, "notAfterAt", now)}};
}

Response drawAsk(const Visit& visit, int status, const json& refusal, bool asked) {
  return visit.page("my-keys-ask", {"Your keys", "", status},
                    {{"refusal", refusal},
                     {"asked", asked},
                     {"list", visit.request.form.get("list", visit.request.query.get("list"))},
                     {"address", visit.request.form.get("address")}});
}

Response drawGone(const Visit& visit) {
  return visit.page("my-keys-gone", {"Your keys", "", 410}, json::object());
}

Response drawOpen(const Visit& visit, int status, const std::string& token, const json& refusal) {
  json link;
  try {
    link = visit.order("key.link-show", {{"token", token}});
  } catch (const app::OrderRefused& refused) {
    if (!leadsNowhere(refused)) throw;
    return drawGone(visit);
  }
  json keys = json::array();
  for (const auto& key : views::part(link, "keys")) keys.push_back(keyView(key, visit.now()));
  const bool confirms = views::text(link, "purpose") == "confirm";
  const auto candidate = link.find("candidate");
  const bool waits = confirms && candidate != link.end() && candidate->is_object();
  const auto unfit = views::text(link, "unfit");
  const auto said =
      refusal.is_null() && !unfit.empty()
          ? views::refusal("The key that came by mail was not taken: " + unfit + (unfit.ends_with('.') ? "" : "."),
                           "Give another one here.")
          : refusal;
  json shown;
  if (waits) shown = keyView(*candidate, visit.now());
  if (waits) shown.erase("badge");
  return visit.page("my-keys", {"Your keys", "", status},
                    {{"refusal", said},
                     {"token", token},
                     {"address", views::text(link, "address")},
                     {"candidate", shown},
                     {"upload", !confirms},
                     {"until", views::time(link, "endsAt", visit.now())},
                     {"noKeys", keys.empty()},
                     {"keys", keys},
                     {"pasted", visit.request.form.get("certificate")}});
}

}  // namespace

Response myKeysForm(Visit& visit) {
  return drawAsk(visit, 200, nullptr, false);
}

Response askForMyKeys(Visit& visit) {
  try {
    visit.order("key.link-ask",
                {{"list", visit.request.form.get("list")}, {"address", visit.request.form.get("address")}});
  } catch (const app::OrderRefused& refused) {
    return drawAsk(visit, 422, views::refusal(refused), false);
  }
  return drawAsk(visit, 200, nullptr, true);
}

Response myKeys(Visit& visit) {
  return drawOpen(visit, 200, visit.request.query.get("token"), nullptr);
}

Response bringMyKey(Visit& visit) {
  const auto& form = visit.request.form;
  const auto token = form.get("token");
  auto certificate = form.get("file");
  if (!certificate.empty() && certificate.find("-----BEGIN") == std::string::npos)
    certificate = crypto::base64(certificate);
  if (certificate.empty()) certificate = form.get("certificate");
  try {
    json args{{"token", token}};
    if (!certificate.empty()) args["certificate"] = certificate;
    const auto taken = visit.order("key.link-use", args);
    return visit.page("my-keys-done", {"Your keys", ""},
                      {{"address", views::text(taken, "address")},
                       {"fingerprint", words::fingerprint(views::text(taken, "fingerprint"))},
                       {"inUse", views::text(taken, "state") == "confirmed"}});
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code == "not-found") return drawGone(visit);
    return drawOpen(visit, 422, token, views::refusal(refused));
  }
}

}  // namespace postern::webadmin::pages
