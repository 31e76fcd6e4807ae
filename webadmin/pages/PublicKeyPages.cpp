#include "core/crypto/Encoding.h"
#include "core/crypto/WebKeyDirectory.h"
#include "core/mail/Address.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

// The public keys of lists that publish them, for anybody: a page, its downloads, and the Web Key Directory
// (draft-koch-openpgp-webkey-service), where mail programs look for OpenPGP keys by themselves. A list that does not
// publish its keys and one that is not there are answered alike.
namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

std::optional<json> publicKeys(const Visit& visit, const std::string& address) {
  if (!mail::Address::parse(address)) return std::nullopt;
  try {
    return visit.order("list.key-public", {{"address", address}});
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "not-found" && refused.error().code != "invalid") throw;
    return std::nullopt;
  }
}

Response plain(int status, std::string body, const char* type = "text/plain; charset=utf-8") {
  Response response;
  response.status = status;
  response.contentType = type;
  response.body = std::move(body);
  return response;
}

Response download(const Visit& visit, const char* field, const char* type, const char* name) {
  const auto keys = visit.order("list.key-public", {{"address", visit.param("list")}});
  auto response = plain(200, views::text(keys, field), type);
  response.headers.emplace_back("Content-Disposition", std::string("attachment; filename=") + name);
  return response;
}

// Programs send the part before the @ beside its hash, since a hash alone cannot be turned back.
Response keyOf(const Visit& visit, const std::string& domain) {
  const auto local = visit.request.query.get("l");
  if (local.empty() || crypto::wkdName(local) != visit.param("hash")) return plain(404, "no key\n");
  const auto keys = publicKeys(visit, local + "@" + domain);
  const auto key = keys ? crypto::fromBase64(views::text(*keys, "openpgpBinary")) : std::nullopt;
  if (!key || key->empty()) return plain(404, "no key\n");
  auto response = plain(200, *key, "application/octet-stream");
  response.headers.emplace_back("Access-Control-Allow-Origin", "*");  // the draft asks for it: clients in browsers
  return response;
}

}  // namespace

Response publicKey(Visit& visit) {
  const auto keys = visit.order("list.key-public", {{"address", visit.param("list")}});
  const auto& smime = views::part(keys, "smime");
  const auto& openpgp = views::part(keys, "openpgp");
  json view{{"address", views::text(keys, "address")},
            {"path", views::listPath(views::text(keys, "address")) + "/key"},
            {"smime", nullptr},
            {"openpgp", nullptr}};
  if (smime.is_object() && !smime.empty())
    view["smime"] = {{"fingerprint", words::fingerprint(views::text(smime, "fingerprint"))},
                     {"algorithm", views::text(smime, "algorithm")},
                     {"issuer", views::text(smime, "issuer")},
                     {"notAfter", views::time(smime, "notAfterAt", visit.now())}};
  if (openpgp.is_object() && !openpgp.empty())
    view["openpgp"] = {{"fingerprint", words::fingerprint(views::text(openpgp, "fingerprint"))},
                       {"algorithm", views::text(openpgp, "algorithm")},
                       {"notAfter", views::time(openpgp, "notAfterAt", visit.now())}};
  return visit.page("list-public-key", {"Keys of " + views::text(keys, "address"), ""}, view);
}

Response publicCertificate(Visit& visit) {
  return download(visit, "certificate", "application/x-pem-file", "list.pem");
}

Response publicOpenPgpKey(Visit& visit) {
  return download(visit, "openpgpKey", "application/pgp-keys", "list.asc");
}

// The direct method: the host that was asked is the domain of the address.
Response wkdDirect(Visit& visit) {
  const auto& host = visit.request.host;
  return keyOf(visit, host.substr(0, host.find(':')));
}

// The advanced method, at openpgpkey.DOMAIN.
Response wkdAdvanced(Visit& visit) {
  return keyOf(visit, visit.param("domain"));
}

Response wkdPolicy(Visit&) {
  return plain(200, "");
}

}  // namespace postern::webadmin::pages
