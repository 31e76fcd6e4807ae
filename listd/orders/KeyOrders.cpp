#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"
#include "listd/jobs/JobOrders.h"
#include "listd/keys/KeyHealth.h"
#include "listd/keys/KeyWork.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"
#include "listd/plan/KeyImport.h"
#include "listd/plan/Standing.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MaxKey = 512 * 1024;  // as text with what programs put around it
constexpr std::size_t ShortestPrefix = 8;

// One key for each of its addresses: whole fingerprint, or enough of its beginning. Colons and capitals are fine.
std::vector<MemberKey> requireKeys(SiteTables& tables, const Args& args) {
  auto prefix = mail::lowerAscii(args.text("fingerprint", 100));
  std::erase(prefix, ':');
  if (prefix.size() < ShortestPrefix || prefix.find_first_not_of("0123456789abcdef") != std::string::npos)
    refuse("invalid", "that is no fingerprint",
           "give at least " + std::to_string(ShortestPrefix) + " of its hexadecimal digits; see: postern key list");
  auto keys = tables.keys.withFingerprintPrefix(prefix);
  if (keys.empty()) refuse("not-found", "there is no key with the fingerprint " + prefix, "see: postern key list");
  for (const auto& key : keys)
    if (key.facts.fingerprint != keys.front().facts.fingerprint)
      refuse("invalid", "several keys begin with " + prefix, "give more of the fingerprint");
  return keys;
}

// A binary OpenPGP key comes as base64, as JSON cannot hold it.
std::string keyBytes(const Args& args) {
  auto bytes = args.bytes("certificate", MaxKey);
  if (bytes.find("-----BEGIN") != std::string::npos) return bytes;
  if (auto binary = crypto::fromBase64(bytes)) return std::move(*binary);
  return bytes;
}

// Of the keys that begin so, the one of an address; without one there must be one address only, as a key of several
// addresses is confirmed for each by itself.
MemberKey requireOne(SiteTables& tables, const Args& args) {
  auto keys = requireKeys(tables, args);
  if (!args.textOr("address", {}, 400).empty()) {
    const auto address = args.address("address").key();
    std::erase_if(keys, [&](const MemberKey& key) { return key.address != address; });
    if (keys.empty()) refuse("not-found", "there is no such key for " + address, "see: postern key list");
  }
  if (keys.size() > 1)
    refuse("invalid", "this key is on file for several addresses", "name one of them; see: postern key list");
  return std::move(keys.front());
}

json setKeyState(OrderTools& tools, const OrderCall& call, KeyState state) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto keys = requireKeys(tables, call.args);
    const auto& fingerprint = keys.front().facts.fingerprint;
    if (keys.front().facts.state == KeyState::Revoked && state == KeyState::Confirmed)
      refuse("refused", "a revoked key is never used again", "import another key of the member");
    tables.keys.setState(fingerprint, state);
    for (const auto& key : keys) refreshStanding(tables, key.address, tools.now());
    return viewOf(tables.keys.withFingerprint(fingerprint).front(), tools.now());
  });
}

}  // namespace

json importMemberKey(OrderTools& tools, const OrderCall& call) {
  const auto address = call.args.address("address").key();
  const auto imported = importKey(keyBytes(call.args), address, tools.now(), tools.context.trustStore().get());
  if (!imported) refuse("invalid", imported.error().message, imported.error().hint);
  const auto& key = *imported;
  return change(tools, call, [&](SiteTables& tables) {
    // One certificate may name several addresses; revoked is revoked for all of them.
    for (const auto& same : tables.keys.withFingerprint(key.facts.fingerprint))
      if (same.facts.state == KeyState::Revoked)
        refuse("refused", "this key was revoked here and is never used again", "ask the member for another one");
    const auto known = tables.keys.find(address, key.facts.fingerprint);
    if (known)
      tables.keys.replaceVerdict(key);
    else
      tables.keys.add(key);
    refreshStanding(tables, address, tools.now());
    return viewOf(key, tools.now());
  });
}

json listKeys(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 100, 1, 1000));
  const auto after = call.args.textOr("after", {}).empty() ? 0 : call.args.id("after");
  const auto address =
      call.args.textOr("address", {}, 400).empty() ? std::string() : call.args.address("address").key();
  return tools.context.site.read([&](SiteTables& tables) {
    const auto state = call.args.word("state", "all", {"all", "proposed", "confirmed", "revoked"});
    const auto keys = state == "all" || !address.empty() ? tables.keys.page(address, after, limit)
                                                         : tables.keys.pageOf(parseKeyState(state), after, limit);
    auto items = json::array();
    for (const auto& key : keys)
      if (state == "all" || keyStateWord(key.facts.state) == state) items.push_back(viewOf(key, tools.now()));
    return pageOf(std::move(items), keys.size() == limit ? std::to_string(keys.back().id) : std::string());
  });
}

json showKey(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read(
      [&](SiteTables& tables) { return viewOf(requireKeys(tables, call.args).front(), tools.now()); });
}

json confirmKey(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    auto key = requireOne(tables, call.args);
    requireMayDecide(tables, call, key.address);
    if (call.person.onlyAsOwner && key.facts.state != KeyState::Proposed)
      refuse("refused", "only a proposed key can be confirmed", "see: postern key work");
    for (const auto& same : tables.keys.withFingerprint(key.facts.fingerprint))
      if (same.facts.state == KeyState::Revoked)
        refuse("refused", "a revoked key is never used again", "import another key of the member");
    key.facts.state = KeyState::Confirmed;
    tables.keys.setStanding(key);
    refreshStanding(tables, key.address, tools.now());
    call.note.objectType = "key";
    call.note.objectId = key.facts.fingerprint;
    call.note.person("address", key.address);
    return viewOf(key, tools.now());
  });
}

// A proposal is taken away and not made again by mail.
json refuseKey(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto key = requireOne(tables, call.args);
    requireMayDecide(tables, call, key.address);
    if (key.facts.state != KeyState::Proposed)
      refuse("refused", "only a proposed key can be refused", "to stop using a key, revoke it");
    tables.keys.removeProposal(key.address, key.facts.fingerprint);
    tables.keyRing.addRefusal(key.address, key.facts.fingerprint, "refused", tools.now(), call.actor.name);
    refreshStanding(tables, key.address, tools.now());
    call.note.objectType = "key";
    call.note.objectId = key.facts.fingerprint;
    call.note.person("address", key.address);
    return viewOf(key, tools.now());
  });
}

json revokeKey(OrderTools& tools, const OrderCall& call) {
  return setKeyState(tools, call, KeyState::Revoked);
}

// Looks at the certificate itself again, with the authorities as they are now; without one, a job looks at all.
json checkKeys(OrderTools& tools, const OrderCall& call) {
  const auto list = call.args.textOr("list", {}, 400).empty() ? std::string() : call.args.address("list").key();
  if (!list.empty()) tools.context.site.read([&](SiteTables& tables) { return requireList(tables, call.args).id; });
  return startJob(tools, call, CheckKeys, {{"list", list}});
}

json checkKey(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto keys = requireKeys(tables, call.args);
    for (const auto& key : keys) {
      tables.keys.replaceVerdict(judgeAgain(key, tools.now(), tools.context.trustStore().get()));
      refreshStanding(tables, key.address, tools.now());
    }
    return viewOf(tables.keys.withFingerprint(keys.front().facts.fingerprint).front(), tools.now());
  });
}

}  // namespace postern::listd
