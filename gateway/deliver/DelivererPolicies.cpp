// The part of Deliverer that asks the policies: where copies go, before one is given to a server, and before one is
// given up.
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "gateway/deliver/Deliverer.h"

#include <algorithm>

namespace postern::gateway {

using Outcome = app::DeliveryEvent::Outcome;
using policy::Hook;
using policy::VerdictKind;

namespace {

constexpr std::string_view Unjudged = "4.7.0 the policies of this site cannot judge this delivery; it is tried again";

const char* kindName(app::Copy::Kind kind) {
  if (kind == app::Copy::Kind::Content) return "content";
  return kind == app::Copy::Kind::Notice ? "notice" : "report";
}

policy::DeliveryFacts factsOf(const OutboundCopy& copy, TimePoint now) {
  const auto& loaded = copy.loaded();
  policy::DeliveryFacts facts;
  facts.kind = kindName(loaded.kind);
  facts.mailFrom = loaded.mailFrom;
  facts.recipient = loaded.recipient;
  facts.protection = app::protectionName(loaded.protection);
  facts.floor = app::protectionName(loaded.floor);
  facts.attempts = copy.job().attempts;
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - copy.job().queuedAt).count();
  facts.age = static_cast<std::uint64_t>(std::max<std::int64_t>(age, 0));
  return facts;
}

policy::HopFacts factsOf(const smtp::ClientConnection& connection) {
  policy::HopFacts hop{connection.target().host, connection.target().address, {}, connection.tls().verified};
  const auto& tls = connection.tls();
  if (!tls.version.empty()) hop.tls = policy::TlsFacts{tls.version, tls.cipher, tls.bits, tls.verification};
  return hop;
}

// What the policy wants and the copy cannot have on this connection; empty: it has it. Only ever asks for more: what
// the floor demands is checked behind this.
std::string lacking(const policy::Verdict& asked, const OutboundCopy& copy, const smtp::ClientConnection& connection) {
  if (asked.protection == app::protectionName(app::Protection::Tls))
    return connection.tls().verified ? "" : "4.7.1 a policy of this site wants verified TLS here";
  for (const auto enough : {app::Protection::Pickup, app::Protection::OpenPgp, app::Protection::Smime})
    if (asked.protection == app::protectionName(enough) && copy.protection() >= enough) return "";
  return "5.7.1 a policy of this site wants this copy protected by " + asked.protection;
}

std::string sentence(std::string_view code, const policy::Verdict& verdict) {
  return std::string(code) + " " + verdict.text + " (" + verdict.policy + ": " + verdict.reason + ")";
}

}  // namespace

// Leaves those hops that a policy names, in its order. False: none is to be tried, as `event` then says. What is
// demanded of a hop stays with it, and a name that is not among them is refused: mail never goes where the site's own
// rules would not send it.
bool Deliverer::chooseHops(NextHops& hops, const std::string& domain, app::DeliveryEvent& event) {
  if (!policies_ || hops.targets.empty() || !policies_->asks(Hook::Route)) return true;
  policy::RouteFacts facts{domain, {}};
  for (const auto& target : hops.targets) facts.hops.push_back({target.host, target.address, target.port});
  const auto verdict = policies_->route(facts);
  event.replyText = Unjudged;
  if (!verdict) return false;
  switch (verdict->kind) {
    case VerdictKind::Pass:
    case VerdictKind::Accept:
      event.replyText.clear();
      return true;
    case VerdictKind::Reject:
      event.outcome = Outcome::Failed;
      event.replyText = sentence(verdict->enhanced, *verdict);
      return false;
    case VerdictKind::Defer:
      event.replyText = sentence(verdict->enhanced, *verdict);
      return false;
    case VerdictKind::Route:
      break;
    default:
      return false;  // a verdict that it cannot have: not judged
  }
  std::vector<std::size_t> order;
  for (const auto& host : verdict->hosts) {
    const auto before = order.size();
    for (std::size_t i = 0; i < hops.targets.size(); ++i)
      if (hops.targets[i].host == host || hops.targets[i].address == host)
        if (std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
    const bool known = order.size() > before || std::any_of(order.begin(), order.end(), [&](std::size_t i) {
                         return hops.targets[i].host == host || hops.targets[i].address == host;
                       });
    if (known) continue;
    event.replyText = "4.7.0 a policy of this site names a next hop that this domain does not have (" +
                      verdict->policy + ": " + verdict->reason + ")";
    log::error("deliver", "a policy names a next hop that the domain does not have; its mail waits",
               {{"policy", verdict->policy}, {"domain", domain}});
    return false;
  }
  NextHops chosen;
  for (const auto i : order) {
    chosen.targets.push_back(hops.targets[i]);
    if (i < hops.sessions.size()) chosen.sessions.push_back(hops.sessions[i]);
  }
  chosen.stopped = std::move(hops.stopped);
  hops = std::move(chosen);
  event.replyText.clear();
  return true;
}

// Whether policies let the copy go on this connection. If not, its outcome is recorded.
bool Deliverer::letGo(const smtp::ClientConnection& connection, const OutboundCopy& copy) {
  if (!policies_ || !policies_->asks(Hook::Attempt)) return true;
  auto facts = factsOf(copy, clock_.now());
  facts.hop = factsOf(connection);
  const auto verdict = policies_->delivery(Hook::Attempt, facts);
  auto text = std::string(Unjudged);
  auto outcome = Outcome::Deferred;
  if (verdict) {
    switch (verdict->kind) {
      case VerdictKind::Pass:
      case VerdictKind::Accept:
        return true;
      case VerdictKind::Protect:
        text = lacking(*verdict, copy, connection);
        if (text.empty()) return true;
        if (text.front() == '5') outcome = Outcome::Failed;
        text += " (" + verdict->policy + ": " + verdict->reason + ")";
        break;
      case VerdictKind::Reject:
        outcome = Outcome::Failed;
        text = sentence(verdict->enhanced, *verdict);
        break;
      case VerdictKind::Defer:
        text = sentence(verdict->enhanced, *verdict);
        break;
      default:
        break;  // a verdict that it cannot have: not judged
    }
  }
  auto event = eventFor(copy, outcome, text);
  event.remoteHost = connection.target().host;
  event.remoteAddress = connection.target().address;
  if (outcome == Outcome::Failed)
    finish(std::move(event), copy.job());
  else
    defer(std::move(event), copy.job());
  return false;
}

// Ends a copy that a server refused for good, unless a policy wants it tried again while there is time.
void Deliverer::giveUp(app::DeliveryEvent event, const OutboundCopy& copy) {
  if (!policies_ || !policies_->asks(Hook::Expire)) return finish(std::move(event), copy.job());
  auto facts = factsOf(copy, clock_.now());
  facts.failure = event.replyText.empty() ? "refused" : event.replyText;
  const auto verdict = policies_->delivery(Hook::Expire, facts);
  if (verdict && verdict->kind != VerdictKind::Defer) return finish(std::move(event), copy.job());
  event.outcome = Outcome::Deferred;
  defer(std::move(event), copy.job());
}

// Nothing if the copy is gone from the queue, or cannot be read now.
std::optional<LoadedCopy> Deliverer::loadExpired(const Scheduler::Job& job, bool& broken) {
  try {
    auto copy = queue_.load(job.key);
    if (copy) return copy;
    const MutexLock lock(mutex_);
    scheduler_.finish(job.key);
  } catch (const Error&) {  // the queue's key is not there yet, or the copy is damaged: it stays
    broken = true;
  }
  return std::nullopt;
}

// Asks about copies whose time ran out. Those that stay get time for one more try; nothing stays longer than
// LongestLife. One failure counts for all that are left, so that a policy that hangs does not hold up the clock.
std::vector<Scheduler::Job> Deliverer::keepSome(std::vector<Scheduler::Job> expired) {
  if (!policies_ || !policies_->asks(Hook::Expire)) return expired;
  std::vector<Scheduler::Job> ending;
  bool broken = false;
  for (auto& job : expired) {
    const auto now = clock_.now();
    if (now - job.queuedAt >= LongestLife) {
      ending.push_back(std::move(job));
      continue;
    }
    auto text = std::string("4.7.0 the policies of this site cannot say whether this copy may expire");
    auto loaded = broken ? std::nullopt : loadExpired(job, broken);
    if (!loaded && !broken) continue;  // it is gone
    if (loaded) {
      const OutboundCopy copy(job, std::move(*loaded));
      const auto verdict = policies_->delivery(Hook::Expire, factsOf(copy, now));
      if (verdict && verdict->kind != VerdictKind::Defer) {
        ending.push_back(std::move(job));
        continue;
      }
      broken = !verdict;
      if (verdict) text = sentence(verdict->enhanced, *verdict);
    }
    keep(job, text);
  }
  return ending;
}

// Counts as an attempt, so that the ledger shows it.
void Deliverer::keep(const Scheduler::Job& job, std::string_view text) {
  TimePoint until;
  {
    const MutexLock lock(mutex_);
    until = scheduler_.retryAt(job.attempts, clock_.now(), job.domain);
  }
  auto event = eventFor(job, Outcome::Deferred, text);
  event.nextAttempt = until;
  nameTrace(event);
  if (!record(event)) return;
  const MutexLock lock(mutex_);
  scheduler_.extend(job.key, until, clock_.now());
  wakeWorker();
}

}  // namespace postern::gateway
