#include "core/crypto/Encoding.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

// The keys of a list, for its owners and the administrator: in use, requested from a CA, former. Works without
// JavaScript; what changes keys asks the person to prove anew who is there.
namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

std::string keysPath(const Visit& visit) {
  return views::listPath(visit.param("list")) + "/keys";
}

json smimeView(const json& smime, TimePoint now) {
  if (!smime.is_object() || smime.empty()) return nullptr;
  json chain = json::array();
  for (const auto& each : views::part(smime, "chain")) chain.push_back({{"subject", views::text(each, "subject")}});
  return {{"fingerprint", words::fingerprint(views::text(smime, "fingerprint"))},
          {"algorithm", views::text(smime, "algorithm")},
          {"issuer", views::text(smime, "issuer")},
          {"selfSigned", views::flag(smime, "selfSigned")},
          {"hasChain", !chain.empty()},
          {"chain", chain},
          {"notAfter", views::time(smime, "notAfterAt", now)}};
}

json openPgpView(const json& key, TimePoint now) {
  if (!key.is_object() || key.empty()) return nullptr;
  return {{"fingerprint", words::fingerprint(views::text(key, "fingerprint"))},
          {"algorithm", views::text(key, "algorithm")},
          {"notAfter", views::time(key, "notAfterAt", now)}};
}

Response draw(const Visit& visit, int status, const json& refusal) {
  const auto keys = visit.order("list.key-show", {{"address", visit.param("list")}});
  json requests = json::array(), former = json::array();
  for (const auto& each : views::part(keys, "requests"))
    requests.push_back({{"request", views::text(each, "request")}, {"at", views::time(each, "madeAt", visit.now())}});
  for (const auto& each : views::part(keys, "former"))
    former.push_back({{"kind", words::protection(views::text(each, "kind"))},
                      {"fingerprint", words::fingerprint(views::text(each, "fingerprint"))},
                      {"ends", views::time(each, "endsAt", visit.now())}});
  const auto smime = smimeView(views::part(keys, "smime"), visit.now());
  return visit.page("list-keys", {"Keys of " + visit.param("list"), "lists", status},
                    {{"address", visit.param("list")},
                     {"path", views::listPath(visit.param("list"))},
                     {"action", keysPath(visit)},
                     {"smime", smime},
                     {"fromCa", smime.is_object() && !views::flag(smime, "selfSigned")},
                     {"openpgp", openPgpView(views::part(keys, "openpgp"), visit.now())},
                     {"waits", !requests.empty()},
                     {"requests", requests},
                     {"anyFormer", !former.empty()},
                     {"former", former},
                     {"published", views::flag(keys, "published")},
                     {"mayChange", views::may(visit, Admin | Owner)},
                     {"refusal", refusal}});
}

void act(const Visit& visit, const std::string& what) {
  const auto& form = visit.request.form;
  json args{{"address", visit.param("list")}};
  if (what == "request") {
    visit.order("list.key-request", args);
  } else if (what == "publish") {
    args["publish"] = form.get("publish") == "yes" ? "yes" : "no";
    visit.order("list.key-publish", args);
  } else if (what == "rotate") {
    args["kind"] = form.get("kind");
    args["selfSigned"] = form.get("selfSigned") == "yes";
    visit.order("list.key-rotate", args);
  } else {
    auto file = form.get("file");
    if (!file.empty() && file.find("-----BEGIN") == std::string::npos) file = crypto::base64(file);
    args["certificate"] = file.empty() ? form.get("certificate") : file;
    visit.order("list.key-import", args);
  }
}

}  // namespace

Response listKeys(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response changeListKeys(Visit& visit) {
  const auto what = visit.request.form.get("what");
  try {
    act(visit, what);
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
  return Response::redirect(keysPath(visit) + "?done=list-keys-changed");
}

Response listKeyFile(Visit& visit) {
  const bool smime = visit.param("kind") != "openpgp";
  const auto key =
      visit.order("list.key-export", {{"address", visit.param("list")}, {"kind", smime ? "smime" : "openpgp"}});
  Response response;
  response.contentType = smime ? "application/x-pem-file" : "application/pgp-keys";
  response.body = views::text(key, "text");
  response.headers.emplace_back("Content-Disposition",
                                smime ? "attachment; filename=list.pem" : "attachment; filename=list.asc");
  return response;
}

}  // namespace postern::webadmin::pages
