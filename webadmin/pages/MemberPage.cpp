#include "core/crypto/Encoding.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

json findMember(const Visit& visit) {
  const auto& address = visit.param("member");
  const auto answer = visit.order("member.list", {{"list", visit.param("list")}, {"filter", address}, {"limit", 1000}});
  for (const auto& member : views::part(answer, "items"))
    if (views::text(member, "address") == address) return member;
  throw app::OrderRefused({"not-found", address + " is not a member of " + visit.param("list") + ".",
                           "The address may have changed, or the member was removed."});
}

// What revocation list or OCSP said of a certificate; empty for what has no issuer to ask.
std::string issuersWord(const json& key) {
  const auto said = views::text(key, "issuerSays");
  const auto detail = views::text(key, "issuerDetail");
  if (said == "good") return "Not revoked";
  if (said == "revoked") return "Revoked" + (detail.empty() ? "" : ": " + detail);
  if (said == "unknown") return "No answer" + (detail.empty() ? "" : ": " + detail);
  return views::text(key, "kind") == "smime" ? "Not asked yet" : "";
}

json keyView(const json& key, const std::string& memberPath, TimePoint now) {
  const auto state = views::text(key, "state");
  const auto bits = views::text(key, "bits");
  const auto algorithm = views::text(key, "algorithm");
  const bool bitsSaid = bits.empty() || bits == "0" || algorithm.find(bits) != std::string::npos;
  const auto reason = views::text(key, "reason");
  const auto path = memberPath + "/key/" + percentEncode(views::text(key, "fingerprint"));
  return {{"fingerprint", words::fingerprint(views::text(key, "fingerprint"))},
          {"confirmPath", state == "proposed" ? path + "/confirm" : ""},
          {"refusePath", state == "proposed" ? path + "/refuse" : ""},
          {"revokePath", state == "revoked" ? "" : path + "/revoke"},
          {"kind", words::protection(views::text(key, "kind"))},
          {"algorithm", bitsSaid ? algorithm : algorithm + ", " + bits + " bit"},
          {"subject", views::text(key, "subject")},
          {"issuer", views::text(key, "issuer")},
          {"issuerSays", issuersWord(key)},
          {"checked", views::time(key, "checkedAt", now)},
          {"notBefore", views::time(key, "notBeforeAt", now)},
          {"notAfter", views::time(key, "notAfterAt", now)},
          {"badge", views::badge(state)},
          {"reason", reason.empty() || reason.starts_with("valid-") ? "" : words::reason(reason)}};
}

Response drawMember(const Visit& visit, int status, const json& refusal) {
  const auto& address = visit.param("member");
  const auto& list = visit.param("list");
  const auto stored = visit.order("list.show", {{"address", list}});
  const auto member = findMember(visit);
  json keys = json::array();
  const auto onFile = visit.order("key.list", {{"address", address}});
  for (const auto& key : views::part(onFile, "items"))
    keys.push_back(keyView(key, views::memberPath(list, address), visit.now()));
  const bool disabled = views::text(member, "state") == "disabled";
  const bool withheld = views::text(member, "protection") == "withheld";
  const bool secure = views::flag(stored, "secure");
  return visit.page(
      "member", {address, "lists", status},
      {{"refusal", refusal},
       {"address", address},
       {"name", views::text(member, "name")},
       {"role", views::text(member, "role")},
       {"list", list},
       {"listPath", views::listPath(list)},
       {"path", views::memberPath(list, address)},
       {"secure", secure},
       {"disabled", disabled},
       {"ready", !disabled && !withheld},
       {"withheld", withheld && !disabled},
       {"protection", words::protection(views::text(member, "protection"))},
       {"tone", disabled   ? "quiet"
                : withheld ? "wait"
                : secure   ? "good"
                           : "quiet"},
       {"reason", words::reason(views::text(member, "reason"))},
       {"joinedAt", views::time(member, "joinedAt", visit.now())},
       {"wishes", views::options(views::text(member, "wish").empty() ? "none" : views::text(member, "wish"),
                                 {{"none", "As the list says"},
                                  {"tls", "Verified TLS"},
                                  {"pickup", "Web pick-up"},
                                  {"openpgp", "OpenPGP"},
                                  {"smime", "S/MIME"}})},
       {"keys", keys},
       {"noKeys", keys.empty()},
       {"pasted", visit.request.form.get("certificate")}});
}

}  // namespace

Response member(Visit& visit) {
  return drawMember(visit, 200, nullptr);
}

Response setMemberState(Visit& visit) {
  const auto state = visit.request.form.get("state") == "disabled" ? "disabled" : "enabled";
  visit.order("member.set", {{"list", visit.param("list")}, {"address", visit.param("member")}, {"state", state}});
  return Response::redirect(views::memberPath(visit.param("list"), visit.param("member")) + "?done=member-" + state);
}

Response confirmRemove(Visit& visit) {
  const auto& list = visit.param("list");
  const auto member = findMember(visit);
  return visit.page("member-remove", {"Remove a member", "lists"},
                    {{"address", visit.param("member")},
                     {"name", views::text(member, "name")},
                     {"list", list},
                     {"listPath", views::listPath(list)},
                     {"path", views::memberPath(list, visit.param("member"))},
                     {"joinedAt", views::time(member, "joinedAt", visit.now())}});
}

Response removeMember(Visit& visit) {
  const auto& list = visit.param("list");
  visit.order("member.remove", {{"list", list}, {"address", visit.param("member")}});
  return Response::redirect(views::listPath(list) + "/members?done=member-removed");
}

Response importKey(Visit& visit) {
  const auto& form = visit.request.form;
  // A file from most programs is PEM; one that is not is DER, which orders carry as base64.
  auto certificate = form.get("file");
  if (!certificate.empty() && certificate.find("-----BEGIN") == std::string::npos)
    certificate = crypto::base64(certificate);
  if (certificate.empty()) certificate = form.get("certificate");
  if (certificate.find_first_not_of(" \t\r\n") == std::string::npos)
    return drawMember(visit, 422,
                      views::refusal("There was no certificate in the form.",
                                     "Choose a file, or paste the text of the certificate."));
  try {
    visit.order("key.import", {{"address", visit.param("member")}, {"certificate", certificate}});
  } catch (const app::OrderRefused& refused) {
    return drawMember(visit, 422, views::refusal(refused));
  }
  return Response::redirect(views::memberPath(visit.param("list"), visit.param("member")) + "?done=key-imported");
}

}  // namespace postern::webadmin::pages
