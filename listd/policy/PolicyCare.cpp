#include "listd/policy/PolicyCare.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"
#include "listd/orders/Args.h"
#include "listd/retention/Recording.h"

#include <nlohmann/json.hpp>

namespace postern::listd {

using nlohmann::json;

namespace {

// The gateway faces the network; people read this at a terminal.
void clean(json& value) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    for (char& c : text)
      if (c != '\n' && c != '\t' && mail::hasControl({&c, 1})) c = ' ';
  } else if (value.is_structured()) {
    for (auto& item : value) clean(item);
  }
}

json parsed(const std::string& answer) {
  auto read = json::parse(answer, nullptr, false);
  if (!read.is_object()) throw Error(ErrorKind::Malformed, "the gateway answers about policies with no JSON object");
  return read;
}

json asked(const AskPolicies& ask, std::string_view action, const json& request) {
  return parsed(ask(action, request.dump(-1, ' ', false, json::error_handler_t::replace), {}));
}

void takeOver(SiteContext& context, const json& theirs) {
  PolicyRevision revision;
  const auto files = theirs.value("files", json::object());
  revision.files = files.dump(-1, ' ', false, json::error_handler_t::replace);
  revision.sha256 = digestOf(files);
  revision.digest = theirs.value("digest", "");
  revision.madeAt = context.clock.now();
  revision.madeBy = "system";
  revision.note = "from the policy folder";
  context.site.write([&](SiteTables& tables) {
    if (tables.policies.inForce()) return;
    const auto id = tables.policies.add(revision);
    tables.policies.putInForce(id, "system", revision.note, revision.madeAt);
    audit::Event event;
    event.actorKind = "system";
    event.action = "policy.taken-over";
    event.objectType = "policy set";
    event.objectId = std::to_string(id);
    event.afterDigest = revision.sha256;
    recordEvent(tables, event, revision.madeAt);
  });
}

// A set that passed its tests here and does not there: it stays with the one that it has, and status says so.
void bring(const AskPolicies& ask, const PolicyRevision& revision, const json& values) {
  auto request = filesOf(revision);
  request["sets"] = values;
  const auto report = asked(ask, "use", request);
  if (!report.value("ok", false))
    throw Error(ErrorKind::Unavailable,
                "the gateway cannot put policy set " + std::to_string(revision.id) + " in force");
  log::info("policy", "the gateway has the policy set of the store", {{"revision", revision.id}});
}

}  // namespace

std::string digestOf(const json& value) {
  return crypto::hex(crypto::sha256(value.dump(-1, ' ', false, json::error_handler_t::replace)));
}

json filesOf(const PolicyRevision& revision) {
  return {{"files", json::parse(revision.files)}};
}

json valuesOf(SiteTables& tables) {
  json values = json::object();
  for (auto& [name, items] : tables.policies.values()) values[name] = items;
  return values;
}

AskPolicies askPoliciesByGateway(const GatewayAddress& address) {
  return [&address](std::string_view action, std::string_view request, std::string_view submission) {
    return app::GatewayLink(address.socketPath).askPolicies(action, request, submission);
  };
}

json askPolicies(const AskPolicies& ask, std::string_view action, const json& request, std::string_view submission) {
  try {  // the boundary to another process
    auto answer = parsed(ask(action, request.dump(-1, ' ', false, json::error_handler_t::replace), submission));
    clean(answer);
    return answer;
  } catch (const Error& error) {
    log::warning("policy", "the gateway cannot be asked about policies",
                 {{"action", action}, {"error", error.message()}});
    refuse("unavailable", "the gateway cannot be asked about policies just now",
           "try again in a minute; postern status says what is wrong");
  }
}

void lookAfterPolicies(SiteContext& context, PolicyCare& care) {
  if (!care.behind.exchange(false)) return;
  try {  // the boundary to another process: tried again in a minute
    const MutexLock alone(care.changing);
    syncPolicies(context, care.ask);
  } catch (const Error& error) {
    care.behind = true;
    log::warning("policy", "the gateway still does not take the policies of the store", {{"error", error.message()}});
  }
}

void syncPolicies(SiteContext& context, const AskPolicies& ask) {
  const auto theirs = asked(ask, "state", json::object());
  std::optional<PolicyRevision> ours, shadowed;
  std::optional<PolicyStore::ShadowRun> shadow;
  json values;
  context.site.read([&](SiteTables& tables) {
    ours = tables.policies.inForce();
    values = valuesOf(tables);
    shadow = tables.policies.shadow();
    if (shadow) shadowed = tables.policies.find(shadow->revision);
  });
  if (ours && theirs.value("digest", "") != ours->digest)
    bring(ask, *ours, values);
  else if (theirs.value("sets", "") != digestOf(values))
    asked(ask, "sets", {{"sets", values}});
  if (!ours && theirs.value("hasSet", false)) takeOver(context, asked(ask, "in-force", json::object()));
  if (!shadowed || shadow->until <= context.clock.now() || theirs.value("shadow", "") == shadowed->digest) return;
  auto request = filesOf(*shadowed);
  request["until"] = toMicros(shadow->until);
  asked(ask, "shadow-start", request);
}

}  // namespace postern::listd
