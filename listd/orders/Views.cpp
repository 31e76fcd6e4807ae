#include "listd/orders/Views.h"

#include "listd/people/RoleRules.h"

namespace postern::listd {

using nlohmann::json;

json viewOf(const Domain& domain) {
  return {
      {"name", domain.name}, {"kind", domain.kind}, {"createdAt", toMicros(domain.createdAt)}, {"lists", domain.lists}};
}

json viewOf(const app::Route& route) {
  return {{"domain", route.domain}, {"host", route.host}, {"port", route.port}, {"tls", routeTlsWord(route.tls)}};
}

json viewOf(const List& list, std::span<const MemberCount> counts) {
  std::uint64_t ready = 0;
  std::uint64_t withheld = 0;
  std::uint64_t members = 0;
  for (const auto& count : counts) {
    members += count.members;
    if (count.standing == "ready") ready += count.members;
    if (count.standing == "withheld") withheld += count.members;
  }
  const auto localPart = list.address.substr(0, list.address.rfind('@'));
  return {{"address", list.address},
          {"name", list.displayName.empty() ? localPart : list.displayName},
          {"displayName", list.displayName},
          {"domain", list.domain},
          {"secure", list.secure},
          {"class", list.sensitivity},
          {"description", list.description},
          {"state", list.open ? "open" : "closed"},
          {"posting", list.anyonePosts ? "anyone" : "members"},
          {"subjectPrefix", list.shape.subjectPrefix},
          {"footer", list.shape.footer},
          {"replyTo", replyGoesWord(list.shape.replyTo)},
          {"author", authorShownWord(list.shape.author)},
          {"language", list.language},
          {"createdAt", toMicros(list.createdAt)},
          {"members", members},
          {"readiness", {{"ready", ready}, {"withheld", withheld}, {"total", ready + withheld}}},
          {"signingCertificate", {{"fingerprint", list.fingerprint}, {"notAfterAt", toMicros(list.certificateEnds)}}}};
}

namespace {

std::string floorOf(std::optional<app::Protection> floor) {
  return floor ? app::protectionName(*floor) : "";
}

json wordsOf(std::span<const app::Protection> rungs) {
  auto words = json::array();
  for (const auto rung : rungs) words.push_back(app::protectionName(rung));
  return words;
}

json minutesOf(std::optional<std::chrono::minutes> time) {
  return time ? json(time->count()) : json(nullptr);
}

}  // namespace

json viewOf(const Member& member, std::span<const KeyFacts> keys, const Decision& decision) {
  json view{{"address", member.address},
            {"name", member.name},
            {"role", member.role},
            {"state", member.enabled ? "enabled" : "disabled"},
            {"joinedAt", toMicros(member.joinedAt)},
            {"protection", protectionWord(decision)},
            {"reason", reasonWord(decision.reason)},
            {"wish", floorOf(member.wish)},
            {"delivery", member.delivery},
            {"pausedFrom", toMicros(member.pausedFrom)},
            {"pausedUntil", toMicros(member.pausedUntil)},
            {"receives", member.receives},
            {"key", nullptr}};
  for (const auto& key : keys)
    if (key.fingerprint == decision.keyFingerprint)
      view["key"] = {{"fingerprint", key.fingerprint},
                     {"kind", keyKindWord(key.kind)},
                     {"notAfterAt", toMicros(key.notAfter)},
                     {"state", keyStateWord(key.state)}};
  return view;
}

json viewOf(const ListProtection& protection) {
  return {{"floor", floorOf(protection.floor)},
          {"ladder", wordsOf(protection.rungs)},
          {"tlsMinutes", minutesOf(protection.tlsWithin)},
          {"freshKeys", protection.freshKeys},
          {"mailPlan", protection.mailPlan},
          {"planOnWish", protection.planOnWish}};
}

json viewOf(const DomainProtection& protection) {
  return {{"floor", floorOf(protection.floor)},
          {"low", wordsOf(protection.low)},
          {"moderate", wordsOf(protection.moderate)},
          {"high", wordsOf(protection.high)},
          {"tlsMinutes", minutesOf(protection.tlsWithin)}};
}

json viewOf(const LadderRules& rules) {
  return {{"floor", app::protectionName(rules.floor)},
          {"ladder", wordsOf(rules.rungs)},
          {"tlsMinutes", rules.tlsWithin.count()},
          {"freshKeys", rules.freshKeys},
          {"mailPlan", rules.mailPlan},
          {"planOnWish", rules.planOnWish}};
}

// How the key stands, as people say it: a confirmed key that ends in 30 days is expiring.
std::string standingOf(const KeyFacts& key, TimePoint now) {
  if (key.state != KeyState::Confirmed) return keyStateWord(key.state);
  if (key.verdict == Reason::WeakKey) return "weak";
  if (key.verdict == Reason::Revoked) return "revoked";
  if (key.notAfter < now) return "expired";
  return key.notAfter < now + std::chrono::days(30) ? "expiring" : "confirmed";
}

json viewOf(const MemberKey& key, TimePoint now) {
  return {{"fingerprint", key.facts.fingerprint},
          {"address", key.address},
          {"kind", keyKindWord(key.facts.kind)},
          {"algorithm", key.algorithm},
          {"bits", key.bits},
          {"subject", key.subject},
          {"issuer", key.issuer},
          {"notBeforeAt", toMicros(key.facts.notBefore)},
          {"notAfterAt", toMicros(key.facts.notAfter)},
          {"state", keyStateWord(key.facts.state)},
          {"standing", standingOf(key.facts, now)},
          {"origin", key.origin},
          {"mailboxProven", key.mailboxProven},
          {"addedAt", toMicros(key.addedAt)},
          {"reason", reasonWord(judgeKey(key.facts, now))},
          {"checkedAt", toMicros(key.checkedAt)},
          {"issuerSays", key.issuerSays},
          {"issuerDetail", key.issuerDetail}};
}

json viewOf(const Account& account) {
  const auto words = wordsOf(account.roles);
  return {{"name", account.name},
          {"role", words.empty() ? "" : words.front()},
          {"roles", words},
          {"mail", account.mail},
          {"state", account.state},
          {"breakGlass", account.breakGlass},
          {"createdAt", toMicros(account.createdAt)},
          {"lastSignInAt", toMicros(account.lastSignInAt)}};
}

json viewOf(const Flow& flow) {
  return {{"at", toMicros(flow.at)}, {"accepted", flow.accepted},   {"refused", flow.refused},
          {"posts", flow.posts},     {"delivered", flow.delivered}, {"deferred", flow.deferred},
          {"failed", flow.failed},   {"withheld", flow.withheld}};
}

json viewOf(const app::TlsFacts& tls) {
  return {{"version", tls.version},
          {"cipher", tls.cipher},
          {"bits", tls.bits},
          {"verification", tls.verification},
          {"peerName", tls.peerName}};
}

json viewOf(const Attempt& attempt) {
  return {{"at", toMicros(attempt.at)},       {"outcome", attempt.outcome},
          {"remoteHost", attempt.remoteHost}, {"remoteAddress", attempt.remoteAddress},
          {"replyCode", attempt.replyCode},   {"replyText", attempt.replyText},
          {"tls", viewOf(attempt.tls)}};
}

json countsOf(const Post& post) {
  const auto& counts = post.counts;
  return {{"recipients", counts.recipients},
          {"delivered", counts.delivered},
          {"deferred", counts.deferred},
          {"failed", counts.failed},
          {"withheld", counts.withheld}};
}

std::string stateOf(const Post& post) {
  if (post.verdict != "accepted") return post.verdict;
  switch (post.state) {
    case PostState::Planned:
      if (!post.trouble.empty()) return "stuck";
      return post.reported ? "sent" : "sending";
    case PostState::Sent:
      return "sent";
    case PostState::Done:
      return "done";
  }
  return "stuck";
}

std::string stateOf(const LedgerRow& row, const Post& post) {
  if (row.state == CopyState::Planned && row.id <= post.sentThrough) return "queued";
  return copyStateWord(row.state);
}

json pageOf(json items, std::string next) {
  return {{"items", std::move(items)}, {"next", std::move(next)}};
}

}  // namespace postern::listd
