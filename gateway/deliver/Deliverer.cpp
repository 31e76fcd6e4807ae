#include "gateway/deliver/Deliverer.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

#include <functional>
#include <random>

namespace postern::gateway {

using Outcome = app::DeliveryEvent::Outcome;

namespace {

app::TlsFacts factsOf(const smtp::ClientTlsFacts& tls) {
  return {tls.version, tls.cipher, tls.bits, tls.verification, tls.peerName};
}

// Whether a refusal for now is about our connections and not about one recipient or one message (RFC 3463).
bool asksForLess(const smtp::ClientResult& result, bool replied) {
  if (result.outcome != smtp::ClientResult::Outcome::Temporary) return false;
  if (!replied || result.code == 421) return true;
  const std::string_view text = result.text;
  const auto says = [&](std::string_view code) { return text.find(code) != std::string_view::npos; };
  return says("4.3.2") || says("4.4.5") || says("4.7.28");
}

}  // namespace

DelivererOptions DelivererOptions::from(const config::SiteConfig& config) {
  DelivererOptions options;
  options.client.heloName = config.hostName;
  options.client.connectTimeout = config.connectTimeout;
  options.client.replyTimeout = config.replyTimeout;
  options.hops.hostName = config.hostName;
  options.hops.port = static_cast<std::uint16_t>(config.mxPort);
  options.hops.refuseOurselves = config.mxPort == 25;
  options.ownUrl = config.publicUrl();
  for (const auto& listen : config.listen) options.hops.listenPorts.push_back(listen.port);
  for (const auto& listen : config.listenTls) options.hops.listenPorts.push_back(listen.port);
  options.schedule.connectionsPerLane = config.connectionsPerDestination;
  options.schedule.firstRetry = config.firstRetry;
  options.schedule.maxRetry = config.maxRetry;
  options.schedule.expiry = config.expiry;
  options.schedule.randomSeed = std::random_device{}();
  return options;
}

// One thread's work on one lane: the copy at hand and the connection for it.
struct Deliverer::Visit {
  const Scheduler::Lane lane;
  const TlsNeed need;
  CopyAtHand copy;
  CopyAtHand next;  // cleared for the connection
  std::unique_ptr<smtp::ClientConnection> connection;
  std::uint32_t sent = 0;    // copies on this connection
  std::uint32_t judged = 0;  // of those, how many got a reply of their own
  smtp::ClientInterrupt interrupt;
  Condition call;           // its lane has more
  bool called = false;      // … and this connection is to take it
  std::string domain = {};  // whose way a policy chose; empty: none did

  // Next hops are a lane's, what a policy chooses is a domain's.
  bool leadsElsewhere(const CopyAtHand& other) const {
    return other && !domain.empty() && other->job().domain != domain;
  }
};

Deliverer::Deliverer(const DelivererOptions& options, CopyQueue& queue, net::Resolver& resolver,
                     const net::TlsClient& tls, const Clock& clock, StsPolicies* sts, TlsCounters* counters)
    : options_(options),
      queue_(queue),
      tls_(tls),
      clock_(clock),
      hops_(options.hops, resolver, sts),
      counters_(counters),
      routes_(std::make_shared<RouteTable>()),
      scheduler_(options.schedule, std::bind_front(&Deliverer::hopName, this),
                 std::bind_front(&Deliverer::shapeOf, this)) {}

Deliverer::~Deliverer() {
  stop();
}

void Deliverer::setRoutes(RouteTable routes) {
  const MutexLock lock(mutex_);
  routes_ = std::make_shared<RouteTable>(std::move(routes));
  scheduler_.rerouted(clock_.now());
  wakeWorker();
}

void Deliverer::start() {
  const bool healthy = queue_.healthy();
  {
    const MutexLock lock(mutex_);
    healthy_ = healthy;
  }
  queue_.setListener(this);
  queue_.forEachWaiting([this](const CopySummary& copy) {
    const MutexLock lock(mutex_);
    scheduler_.add(copy, clock_.now());
  });
  const MutexLock lock(mutex_);
  timerThread_ = std::thread([this] { keepTime(); });
  wakeWorker();
}

void Deliverer::stop() {
  queue_.setListener(nullptr);
  std::vector<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    workers_.notify_all();
    for (auto* visit : lingering_) visit->call.notify_one();
    timer_.notify_all();
    const auto until = std::chrono::steady_clock::now() + options_.stopGrace;
    while (busy_ > 0 && ended_.wait_until(mutex_, until) != std::cv_status::timeout) continue;
    for (auto* interrupt : interrupts_) interrupt->fire();
    threads.swap(threads_);
  }
  for (auto& thread : threads) thread.join();
  if (timerThread_.joinable()) timerThread_.join();
}

// ---- what the queue says ----

void Deliverer::copiesQueued(std::span<const CopySummary> copies) {
  const MutexLock lock(mutex_);
  const auto now = clock_.now();
  for (const auto& copy : copies) scheduler_.add(copy, now);
  if (callLingerers(copies.size()) < copies.size()) wakeWorker();
  wakeTimer();
}

// Calls open connections to what is new, the one that was busy last first, so that those too many run out of time.
std::size_t Deliverer::callLingerers(std::size_t wanted) {
  std::size_t called = 0;
  for (auto visit = lingering_.rbegin(); visit != lingering_.rend() && called < wanted; ++visit) {
    if ((*visit)->called || !scheduler_.hasReady((*visit)->lane)) continue;
    (*visit)->called = true;
    (*visit)->call.notify_one();
    ++called;
  }
  return called;
}

void Deliverer::copyChanged(const CopySummary& copy) {
  const MutexLock lock(mutex_);
  scheduler_.change(copy, clock_.now());
  wakeWorker();
  wakeTimer();
}

void Deliverer::copyDropped(std::uint64_t key) {
  const MutexLock lock(mutex_);
  scheduler_.remove(key);
}

bool Deliverer::withdraw(std::uint64_t key) {
  const MutexLock lock(mutex_);
  return scheduler_.withdraw(key);
}

void Deliverer::queueKeySet() {
  const MutexLock lock(mutex_);
  locked_ = false;
  wakeWorker();
}

void Deliverer::healthChanged(bool healthy) {
  const MutexLock lock(mutex_);
  healthy_ = healthy;
  wakeWorker();
  timer_.notify_one();
}

// ---- threads ----

void Deliverer::wakeWorker() {
  if (stopping_ || !scheduler_.hasTurn() || !timerThread_.joinable()) return;
  if (idle_ > 0) return workers_.notify_one();
  if (threads_.size() < options_.schedule.connections) threads_.emplace_back([this] { work(); });
}

void Deliverer::wakeTimer() {
  if (const auto due = scheduler_.nextDue(); due && *due < timerSleepsUntil_) timer_.notify_one();
}

// Makes due what time makes due, and lets copies expire.
void Deliverer::keepTime() {
  for (;;) {
    std::vector<Scheduler::Job> expired;
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      const auto now = clock_.now();
      scheduler_.fireTimers(now);
      if (healthy_) expired = scheduler_.takeExpired(now);
      wakeWorker();
      if (expired.empty()) {
        const auto due = scheduler_.nextDue();
        // While the queue is broken nothing expires; what would be due in the past must not keep us awake.
        const auto wait = due && *due > now ? *due - now : std::chrono::microseconds(std::chrono::minutes(1));
        timerSleepsUntil_ = now + wait;
        timer_.wait_for(mutex_, wait);
        timerSleepsUntil_ = {};
        continue;
      }
    }
    for (const auto& job : keepSome(std::move(expired))) {
      auto event = eventFor(job, Outcome::Expired, "not delivered within the time allowed");
      event.attempt = job.attempts;
      nameTrace(event);
      finish(std::move(event), job);
    }
  }
}

void Deliverer::work() {
  for (;;) {
    std::optional<Scheduler::Lane> lane;
    {
      const MutexLock lock(mutex_);
      for (;;) {
        if (stopping_) return;
        if (healthy_ && !locked_) lane = scheduler_.openLane(clock_.now());
        if (lane) break;
        ++idle_;
        workers_.wait(mutex_);
        --idle_;
      }
      ++busy_;
      wakeWorker();
    }
    serveLane(*lane);
    const MutexLock lock(mutex_);
    scheduler_.closeLane(*lane);
    if (--busy_ == 0) tails_.clear();  // nothing is being sent: posts that are out are not kept in memory
    ended_.notify_all();
    wakeTimer();
  }
}

// ---- one lane ----

void Deliverer::serveLane(Scheduler::Lane lane) {
  auto need = TlsNeed::Usual;
  {
    const MutexLock lock(mutex_);
    need = scheduler_.need(lane);
  }
  Visit visit{lane, need, {}, {}, {}, 0, 0, {}, {}};
  {
    const MutexLock lock(mutex_);
    if (stopping_) return;
    interrupts_.insert(&visit.interrupt);
  }
  try {
    serve(visit);
  } catch (const std::exception& error) {
    // The queue-job boundary: what is broken here delays the copy, it never drops it.
    log::error("deliver", "a delivery failed on our side", {{"error", error.what()}});
    for (auto* copy : {visit.copy.get(), visit.next.get()})
      if (copy) defer(eventFor(*copy, Outcome::Deferred, "4.3.0 internal error on our side"), copy->job());
  }
  visit.connection.reset();
  const MutexLock lock(mutex_);
  interrupts_.erase(&visit.interrupt);
}

void Deliverer::serve(Visit& visit) {
  visit.copy = take(visit, false);
  while (visit.copy && !queueIsBroken()) {
    if (!connect(visit)) return;
    sendAll(visit);
    visit.connection->quit();
    visit.connection.reset();
    const MutexLock lock(mutex_);
    if (stopping_ || scheduler_.shouldYield() || !visit.copy) break;
  }
  if (visit.copy) putBack(visit.copy->job());
}

// Looks at the queue itself, not only at what it told: what is delivered now has to be recorded.
bool Deliverer::queueIsBroken() {
  if (queue_.healthy()) return false;
  {
    const MutexLock lock(mutex_);
    healthy_ = false;
  }
  if (!queue_.healthy()) return true;  // healthChanged() is still to come
  const MutexLock lock(mutex_);
  healthy_ = true;
  return false;
}

// A connection for the copy at hand. If there is none, the copy has had its attempt.
bool Deliverer::connect(Visit& visit) {
  std::shared_ptr<const RouteTable> routes;
  {
    const MutexLock lock(mutex_);
    routes = routes_;
  }
  const auto& job = visit.copy->job();
  auto hops = hops_.find(*routes, job.domain, visit.need, job.via);
  auto event = eventFor(*visit.copy, Outcome::Deferred, hops.problem);
  if (!chooseHops(hops, job.domain, event)) {
    event.outcome == Outcome::Failed ? finish(std::move(event), job) : defer(std::move(event), job);
    visit.copy.reset();
    return false;
  }
  visit.domain = policies_ && policies_->asks(policy::Hook::Route) ? job.domain : std::string();
  smtp::ClientFailure failure;
  bool unpromised = !hops.targets.empty();  // each server lacks REQUIRETLS, and nothing else
  if (counters_)
    for (const auto& session : hops.stopped) counters_->add(session);
  for (std::size_t i = 0; i < hops.targets.size(); ++i) {
    auto target = hops.targets[i];
    event.remoteHost = target.host;
    event.remoteAddress = target.address;
    auto opened = smtp::ClientConnection::open(options_.client, target, tls_, &visit.interrupt);
    tell(hops, i, opened ? opened->get() : nullptr, opened ? smtp::ClientFailure() : opened.error());
    // RFC 7435: opportunistic means that a server with broken TLS gets what one without TLS would get.
    if (!opened && opened.error().tlsHandshake && target.tls == smtp::ClientTls::Opportunistic) {
      target.tls = smtp::ClientTls::None;
      opened = smtp::ClientConnection::open(options_.client, target, tls_, &visit.interrupt);
    }
    if (opened && visit.copy->mustRequireTls() && !(*opened)->offers("REQUIRETLS")) {
      // RFC 8689 §4.2.1: another server of the domain may promise it.
      (*opened)->quit();
      event.replyText =
          "5.7.30 REQUIRETLS support required: the sender wants TLS all the way, and no server promises it";
      event.replyCode = 0;  // not what a server before this one said
      event.tls = factsOf((*opened)->tls());
      continue;
    }
    if (opened) {
      visit.connection = std::move(*opened);
      visit.sent = visit.judged = 0;
      const MutexLock lock(mutex_);
      scheduler_.laneReached(visit.lane);
      wakeWorker();
      return true;
    }
    unpromised = false;
    failure = opened.error();
    event.replyCode = failure.code;
    // A server that lacks the TLS that is demanded never heard of the copy; the ledger says who demands it.
    const bool demanded = !target.demand.empty() && failure.code == 0;
    event.replyText = smtp::printable(demanded ? failure.text + " (demanded by " + target.demand + ")" : failure.text);
    const MutexLock lock(mutex_);
    if (stopping_) break;
  }
  if (hops.permanent || unpromised) {
    event.outcome = Outcome::Failed;
    giveUp(std::move(event), *visit.copy);
  } else {
    {
      const MutexLock lock(mutex_);
      scheduler_.laneFailed(visit.lane, clock_.now());
    }
    defer(std::move(event), job);
  }
  visit.copy.reset();
  return false;
}

// Sends copies on the connection until it, its lane or its turn ends. A copy that is left over had no attempt.
void Deliverer::sendAll(Visit& visit) {
  clearOrBlock(visit, visit.copy);
  while (visit.connection->usable() && !queueIsBroken()) {
    if (!visit.copy) {
      visit.copy = take(visit, true);
      if (!visit.copy || visit.leadsElsewhere(visit.copy)) return;
      clearOrBlock(visit, visit.copy);
      continue;
    }
    if (visit.sent >= options_.copiesPerConnection) return;
    if (visit.connection->pipelining() && visit.sent + 1 < options_.copiesPerConnection) {
      visit.next = take(visit, false);
      if (visit.leadsElsewhere(visit.next)) putBack(std::exchange(visit.next, nullptr)->job());
      clearOrBlock(visit, visit.next);
    }
    if (!mayLeave(visit.copy->job())) {
      visit.copy = visit.sent == 0 ? std::move(visit.next) : nullptr;
      if (visit.sent == 0) continue;
      // Its envelope may be on the wire already: the connection ends without content for it.
      if (visit.next) putBack(std::exchange(visit.next, nullptr)->job());
      return;
    }
    const bool fresh = visit.sent++ == 0;
    const auto result = visit.copy->send(*visit.connection, visit.next.get());
    const bool tried = judge(visit, result);
    if (tried || fresh) {
      visit.copy = std::move(visit.next);
      continue;
    }
    // The server ended a connection that had served others, before this copy's content: a new one for it and the next.
    if (visit.next) putBack(std::exchange(visit.next, nullptr)->job());
    return;
  }
}

// Blocked is final: the event goes to the ledger, and an administrator has to look.
void Deliverer::clearOrBlock(Visit& visit, CopyAtHand& copy) {
  if (!copy) return;
  if (!letGo(*visit.connection, *copy)) return copy.reset();
  const auto why = copy->clear(*visit.connection, options_.ownUrl);
  if (!why) return;
  auto event = eventFor(*copy, Outcome::Blocked, *why);
  event.remoteHost = visit.connection->target().host;
  event.remoteAddress = visit.connection->target().address;
  event.tls = factsOf(visit.connection->tls());
  finish(std::move(event), copy->job());
  copy.reset();
}

// Records the outcome of the copy at hand. False: it had no attempt and is still at hand.
bool Deliverer::judge(Visit& visit, const smtp::ClientResult& result) {
  const auto& job = visit.copy->job();
  const bool own = result.replied || result.outcome != smtp::ClientResult::Outcome::Temporary;
  if (own) ++visit.judged;
  if (!own && !result.contentSent && visit.sent > 1) return false;
  if (!own) {
    const MutexLock lock(mutex_);
    if (stopping_) {  // we broke it off
      scheduler_.putBack(job.key, clock_.now(), clock_.now());
      return true;
    }
    if (visit.judged == 0) scheduler_.laneFailed(visit.lane, clock_.now());
  }
  if (asksForLess(result, own)) {
    const MutexLock lock(mutex_);
    scheduler_.laneSlowed(visit.lane);
  }
  auto event = eventFor(*visit.copy, Outcome::Deferred, result.text);
  event.remoteHost = visit.connection->target().host;
  event.remoteAddress = visit.connection->target().address;
  event.replyCode = result.code;
  event.tls = factsOf(visit.connection->tls());
  switch (result.outcome) {
    case smtp::ClientResult::Outcome::Accepted:
      event.outcome = Outcome::Delivered;
      break;
    case smtp::ClientResult::Outcome::Permanent:
      event.outcome = Outcome::Failed;
      giveUp(std::move(event), *visit.copy);
      return true;
    case smtp::ClientResult::Outcome::Temporary:
      defer(std::move(event), job);
      return true;
  }
  finish(std::move(event), job);
  return true;
}

std::optional<Scheduler::Job> Deliverer::takeJob(Visit& visit, bool linger) {
  const MutexLock lock(mutex_);
  auto until = std::chrono::steady_clock::now() + options_.linger;
  for (;;) {
    if (stopping_ || !healthy_ || locked_ || scheduler_.shouldYield()) return std::nullopt;
    if (auto job = scheduler_.next(visit.lane, clock_.now())) return job;
    if (!linger) return std::nullopt;
    if (const auto slot = scheduler_.slotOf(visit.lane)) {
      const auto wait = *slot - clock_.now();
      if (wait <= LongestSlotWait)
        until = std::max(until, std::chrono::steady_clock::now() + std::max(wait, std::chrono::microseconds(1000)));
    }
    lingering_.push_back(&visit);
    const auto status = visit.call.wait_until(mutex_, until);
    std::erase(lingering_, &visit);
    visit.called = false;
    if (status == std::cv_status::timeout) return scheduler_.next(visit.lane, clock_.now());
  }
}

// The next copy of the lane, ready for the wire.
Deliverer::CopyAtHand Deliverer::take(Visit& visit, bool linger) {
  while (auto job = takeJob(visit, linger)) {
    auto copy = open(*job);
    if (!copy) continue;
    const auto why = copy->prepare(tails_);
    if (!why) return copy;
    log::error("deliver", "a copy has a form that must not be sent", {{"copy", job->key}, {"why", *why}});
    finish(eventFor(*copy, Outcome::Failed, "5.6.0 internal error: " + *why), *job);
  }
  return nullptr;
}

}  // namespace postern::gateway
