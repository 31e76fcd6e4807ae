#include "listd/keys/ListKeyOrders.h"

#include "core/crypto/CertificateBundle.h"
#include "core/crypto/CertificateRequest.h"
#include "core/crypto/Encoding.h"
#include "core/pgp/PublicKey.h"
#include "listd/keys/ListKeys.h"
#include "listd/orders/OrderTools.h"

#include <algorithm>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MaxFile = 2 * crypto::MaxBundleSize;

List listOf(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) { return requireList(tables, call.args, "address"); });
}

void noteList(const OrderCall& call, const List& list) {
  call.note.objectType = "list";
  call.note.objectId = list.address;
  call.note.listId = list.id;
}

std::vector<crypto::Certificate> chainOf(const List& list) {
  return crypto::chainOfPem(list.certificateChain);
}

json smimeView(const List& list) {
  const auto certificate = crypto::Certificate::parse(list.certificate);
  if (!certificate) return nullptr;
  auto chain = json::array();
  for (const auto& each : chainOf(list))
    chain.push_back(
        {{"subject", each.subject()}, {"fingerprint", each.fingerprint()}, {"notAfterAt", toMicros(each.notAfter())}});
  return {{"fingerprint", certificate->fingerprint()},
          {"subject", certificate->subject()},
          {"issuer", certificate->issuer()},
          {"algorithm", certificate->algorithm()},
          {"selfSigned", certificate->selfSigned()},
          {"notBeforeAt", toMicros(certificate->notBefore())},
          {"notAfterAt", toMicros(certificate->notAfter())},
          {"chain", std::move(chain)}};
}

json openPgpView(const List& list, TimePoint now) {
  if (list.openPgpKey.empty()) return nullptr;
  const auto key = pgp::PublicKey::parse(list.openPgpKey);
  if (!key) return nullptr;
  const auto report = key->inspect(now);
  return {{"fingerprint", report.fingerprint},
          {"algorithm", report.algorithm},
          {"createdAt", toMicros(report.created)},
          {"notAfterAt", report.expires ? json(toMicros(*report.expires)) : json(nullptr)}};
}

json rowView(const ListKey& key) {
  return {{"kind", key.kind},
          {"state", key.state},
          {"fingerprint", key.fingerprint},
          {"madeAt", toMicros(key.madeAt)},
          {"endsAt", key.endsAt == TimePoint() ? json(nullptr) : json(toMicros(key.endsAt))},
          {"announcedAt", key.announcedAt == TimePoint() ? json(nullptr) : json(toMicros(key.announcedAt))}};
}

json view(SiteTables& tables, const List& list, TimePoint now) {
  auto requests = json::array(), former = json::array();
  for (const auto& key : tables.keyRing.listKeys(list.id)) {
    if (key.state == "requested") requests.push_back({{"madeAt", toMicros(key.madeAt)}, {"request", key.publicPart}});
    if (key.state == "former") former.push_back(rowView(key));
  }
  return {{"address", list.address},           {"published", list.publishKeys},   {"smime", smimeView(list)},
          {"openpgp", openPgpView(list, now)}, {"requests", std::move(requests)}, {"former", std::move(former)}};
}

TimePoint overlapEnd(OrderTools& tools, const OrderCall& call) {
  const auto days = call.args.number("overlapDays", ListKeyOverlap.count(), 0, 400);
  return tools.now() + std::chrono::days(days);
}

// The announcement belongs to the change; what fails of it is tried again each minute.
void tend(OrderTools& tools) {
  tendListKeys(tools.context);
}

json requestKey(OrderTools& tools, const OrderCall& call) {
  const auto list = listOf(tools, call);
  const auto request = crypto::makeCertificateRequest(list.address);
  ListKey key;
  key.listId = list.id;
  key.kind = "smime";
  key.state = "requested";
  key.name = newKeyName(key.kind);
  key.publicPart = request.pem;
  key.madeAt = tools.now();
  return change(tools, call, [&](SiteTables& tables) {
    const auto known = tables.keyRing.listKeys(list.id);
    const auto waiting =
        std::count_if(known.begin(), known.end(), [](const auto& each) { return each.state == "requested"; });
    if (static_cast<std::size_t>(waiting) >= MaxKeyRequests)
      refuse("refused", std::to_string(waiting) + " requests of this list wait for a certificate already",
             "import the certificate of one of them; see: postern list key-show " + list.address);
    tools.context.keys.storeSigningKey(list.id, key.name, request.privateKey);
    tables.keyRing.addListKey(key);
    noteList(call, list);
    return json{{"address", list.address}, {"request", request.pem}};
  });
}

std::string fileOf(const Args& args) {
  auto bytes = args.bytes("certificate", MaxFile);
  if (bytes.find("-----BEGIN") != std::string::npos) return bytes;
  if (auto binary = crypto::fromBase64(bytes)) return std::move(*binary);
  return bytes;
}

struct Issued {
  ListKey request;
  crypto::Certificate certificate;
  std::vector<crypto::Certificate> chain;
};

// Which certificate of the file is for which request; the others are its chain.
Issued matchRequest(OrderTools& tools, const List& list, const std::vector<crypto::Certificate>& certificates) {
  const auto known = tools.context.site.read([&](SiteTables& tables) { return tables.keyRing.listKeys(list.id); });
  for (const auto& key : known) {
    if (key.state != "requested") continue;
    const auto secret = tools.context.keys.signingKey(list.id, key.name);
    if (!secret) continue;
    for (const auto& certificate : certificates)
      if (crypto::belongsTo(certificate, *secret)) return {key, certificate, {}};
  }
  refuse("invalid", "no certificate in the file is for a key that was requested here",
         "make a request with: postern list key-request " + list.address + ", and give the CA that one");
}

Issued requireIssued(OrderTools& tools, const List& list, std::string_view bytes) {
  const auto certificates = crypto::parseCertificates(bytes);
  if (!certificates)
    refuse("invalid", certificates.error().message,
           "give what the CA sent: the certificate with the CA's certificates, as PEM, DER or p7b");
  auto issued = matchRequest(tools, list, *certificates);
  for (const auto use : {crypto::CertificateUse::Sign, crypto::CertificateUse::Encrypt}) {
    const auto fit = crypto::check(issued.certificate, list.address, tools.now(), nullptr, use);
    if (!fit.valid())
      refuse("invalid", "the certificate cannot be the list's: " + fit.detail,
             "ask the CA for an S/MIME certificate that names " + list.address + ", for signing and encryption");
  }
  auto chain = crypto::chainOf(issued.certificate, *certificates, tools.now(), nullptr);
  if (const auto trust = tools.context.trustStore(); !chain && trust)
    chain = crypto::chainOf(issued.certificate, *certificates, tools.now(), trust.get());
  if (!chain) refuse("invalid", chain.error().message, "give the CA's certificates in the same file");
  issued.chain = std::move(*chain);
  return issued;
}

json importKey(OrderTools& tools, const OrderCall& call) {
  const auto list = listOf(tools, call);
  const auto issued = requireIssued(tools, list, fileOf(call.args));
  const auto until = overlapEnd(tools, call);
  auto result = change(tools, call, [&](SiteTables& tables) {
    auto now = requireList(tables, call.args, "address");
    const auto waiting = tables.keyRing.listKeys(list.id);
    if (std::none_of(waiting.begin(), waiting.end(),
                     [&](const ListKey& key) { return key.id == issued.request.id && key.state == "requested"; }))
      refuse("refused", "the request was answered already", "see: postern list key-show " + list.address);
    retireSmime(tables, now, tools.now(), until);
    now.certificate = issued.certificate.der();
    now.fingerprint = issued.certificate.fingerprint();
    now.certificateEnds = issued.certificate.notAfter();
    now.smimeKeyName = issued.request.name;
    now.certificateChain.clear();
    for (const auto& each : issued.chain) now.certificateChain += each.pem();
    tables.lists.setSmimeKey(now);
    tables.keyRing.removeListKey(issued.request.id);
    noteList(call, list);
    call.note.text("fingerprint", now.fingerprint).text("issuer", issued.certificate.issuer().substr(0, 300));
    return view(tables, now, tools.now());
  });
  tend(tools);
  return result;
}

json rotateSmime(OrderTools& tools, const OrderCall& call, const List& list, TimePoint until) {
  const auto identity = crypto::SigningIdentity::create(list.address, tools.now(), ListKeyLifetime);
  const auto name = newKeyName("smime");
  return change(tools, call, [&](SiteTables& tables) {
    auto now = requireList(tables, call.args, "address");
    tools.context.keys.storeSigningKey(list.id, name, identity.exportPrivateKey());
    retireSmime(tables, now, tools.now(), until);
    now.certificate = identity.certificate().der();
    now.fingerprint = identity.certificate().fingerprint();
    now.certificateEnds = identity.certificate().notAfter();
    now.certificateChain.clear();
    now.smimeKeyName = name;
    tables.lists.setSmimeKey(now);
    noteList(call, list);
    call.note.text("kind", "smime").text("fingerprint", now.fingerprint);
    return view(tables, now, tools.now());
  });
}

json rotateOpenPgp(OrderTools& tools, const OrderCall& call, const List& list, TimePoint until) {
  const auto key = pgp::SecretKey::create(factsOf(list, {}).shownName(), list.address, tools.now(), ListKeyLifetime);
  const auto name = newKeyName("openpgp");
  return change(tools, call, [&](SiteTables& tables) {
    auto now = requireList(tables, call.args, "address");
    tools.context.keys.storeSigningKey(list.id, name, key.serialized());
    if (!now.openPgpKey.empty()) retireOpenPgp(tables, now, tools.now(), until);
    now.openPgpKey = key.publicKey().bytes();
    now.openPgpFingerprint = key.fingerprint();
    now.openPgpKeyName = name;
    tables.lists.setOpenPgpKey(now.id, now.openPgpKey, now.openPgpFingerprint, name);
    noteList(call, list);
    call.note.text("kind", "openpgp").text("fingerprint", now.openPgpFingerprint);
    return view(tables, now, tools.now());
  });
}

// A certificate of a CA is not put out of use for one that nobody vouches for, unless that is said.
json rotateKey(OrderTools& tools, const OrderCall& call) {
  const auto list = listOf(tools, call);
  const auto until = overlapEnd(tools, call);
  const auto kind = call.args.word("kind", "", {"smime", "openpgp"});
  if (kind == "smime" && !list.certificateChain.empty() && !call.args.flag("selfSigned"))
    refuse("refused", "a CA issued the list's certificate, and a new key would be self-signed",
           "ask the CA for another: postern list key-request " + list.address + "; or rotate with --self-signed");
  auto result = kind == "smime" ? rotateSmime(tools, call, list, until) : rotateOpenPgp(tools, call, list, until);
  tend(tools);
  return result;
}

json showKeys(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read(
      [&](SiteTables& tables) { return view(tables, requireList(tables, call.args, "address"), tools.now()); });
}

json keyHistory(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = requireList(tables, call.args, "address");
    auto items = json::array();
    for (const auto& key : tables.keyRing.listKeys(list.id)) items.push_back(rowView(key));
    return json{{"address", list.address}, {"items", std::move(items)}};
  });
}

json publicPart(const List& list, const std::string& kind) {
  std::string text;
  if (kind == "openpgp") {
    const auto key = pgp::PublicKey::parse(list.openPgpKey);
    if (!key) refuse("not-found", "this list has no OpenPGP key yet", "it is made at first need, or by key-rotate");
    text = key->armored();
  } else {
    const auto certificate = crypto::Certificate::parse(list.certificate);
    if (!certificate) refuse("not-found", "this list has no certificate");
    text = certificate->pem() + list.certificateChain;
  }
  return {{"address", list.address}, {"kind", kind}, {"text", std::move(text)}};
}

json exportKey(OrderTools& tools, const OrderCall& call) {
  return publicPart(listOf(tools, call), call.args.word("kind", "smime", {"smime", "openpgp"}));
}

json publishKeys(OrderTools& tools, const OrderCall& call) {
  const bool publish = call.args.word("publish", "", {"yes", "no"}) == "yes";
  return change(tools, call, [&](SiteTables& tables) {
    auto list = requireList(tables, call.args, "address");
    tables.lists.setPublishKeys(list.id, publish);
    list.publishKeys = publish;
    noteList(call, list);
    return view(tables, list, tools.now());
  });
}

// For strangers. A list that does not publish, is not there or was deleted: the same answer.
json publicKeys(OrderTools& tools, const OrderCall& call) {
  const auto address = call.args.address("address").key();
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = tables.lists.find(address);
    if (!list || list->deletedAt != TimePoint() || !list->publishKeys)
      refuse("not-found", "no keys are published for this address");
    return json{{"address", list->address},
                {"smime", smimeView(*list)},
                {"certificate", publicPart(*list, "smime").at("text")},
                {"openpgp", openPgpView(*list, tools.now())},
                {"openpgpKey", list->openPgpKey.empty() ? json("") : publicPart(*list, "openpgp").at("text")},
                {"openpgpBinary", crypto::base64(list->openPgpKey)}};
  });
}

using app::Role;
constexpr app::Roles Watchers = Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk | Role::Owner;
constexpr Access Looking{Watchers, false, "address"};
constexpr Access Acting{Role::Admin | Role::Owner, true, "address"};

constexpr OrderRow Table[] = {
    {"list.key-show", OrderKind::Reads, showKeys, Looking},
    {"list.key-history", OrderKind::Reads, keyHistory, Looking},
    {"list.key-export", OrderKind::Reads, exportKey, Looking},
    {"list.key-request", OrderKind::Changes, requestKey, {Role::Admin | Role::Owner, false, "address"}},
    {"list.key-import", OrderKind::Changes, importKey, Acting},
    {"list.key-rotate", OrderKind::Changes, rotateKey, Acting},
    {"list.key-publish", OrderKind::Changes, publishKeys, {Role::Admin | Role::Owner, false, "address"}},
    {"list.key-public", OrderKind::Reads, publicKeys, {app::Roles()}},
};

}  // namespace

std::span<const OrderRow> listKeyOrders() {
  return Table;
}

}  // namespace postern::listd
