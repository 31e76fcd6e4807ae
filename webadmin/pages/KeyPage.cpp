#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// A key is acted on only where it is on file for the member in the path, so that nobody confirms one by a mistaken
// link.
json findKey(const Visit& visit) {
  const auto& fingerprint = visit.param("key");
  const auto onFile = visit.order("key.list", {{"address", visit.param("member")}});
  for (const auto& key : views::part(onFile, "items"))
    if (views::text(key, "fingerprint") == fingerprint) return key;
  throw app::OrderRefused({"not-found", "This key is not on file for " + visit.param("member") + ".",
                           "Open the page of the member again."});
}

std::string memberPath(const Visit& visit) {
  return views::memberPath(visit.param("list"), visit.param("member"));
}

}  // namespace

Response confirmKey(Visit& visit) {
  findKey(visit);
  visit.order("key.confirm", {{"fingerprint", visit.param("key")}, {"address", visit.param("member")}});
  return Response::redirect(memberPath(visit) + "?done=key-confirmed");
}

Response refuseKey(Visit& visit) {
  findKey(visit);
  visit.order("key.refuse", {{"fingerprint", visit.param("key")}, {"address", visit.param("member")}});
  return Response::redirect(memberPath(visit) + "?done=key-refused");
}

Response confirmRevoke(Visit& visit) {
  const auto key = findKey(visit);
  return visit.page("key-revoke", {"Revoke a key", "lists"},
                    {{"address", visit.param("member")},
                     {"list", visit.param("list")},
                     {"listPath", views::listPath(visit.param("list"))},
                     {"memberPath", memberPath(visit)},
                     {"path", memberPath(visit) + "/key/" + percentEncode(visit.param("key")) + "/revoke"},
                     {"fingerprint", words::fingerprint(views::text(key, "fingerprint"))},
                     {"subject", views::text(key, "subject")},
                     {"issuer", views::text(key, "issuer")},
                     {"notAfter", views::time(key, "notAfterAt", visit.now())}});
}

Response revokeKey(Visit& visit) {
  findKey(visit);
  visit.order("key.revoke", {{"fingerprint", visit.param("key")}});
  return Response::redirect(memberPath(visit) + "?done=key-revoked");
}

}  // namespace postern::webadmin::pages
