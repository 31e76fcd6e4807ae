#include "gateway/deliver/Scheduler.h"

#include <algorithm>
#include <unordered_set>

namespace postern::gateway {

TlsNeed tlsNeedOf(const CopySummary& copy) {
  const bool content = copy.kind == app::Copy::Kind::Content;
  if (content && copy.protection == app::Protection::Tls) return TlsNeed::Protection;
  if (copy.tlsAsk == app::TlsAsk::Require) return TlsNeed::Asked;
  const bool plain = copy.protection == app::Protection::None && copy.floor == app::Protection::None;
  return content && plain && copy.tlsAsk == app::TlsAsk::Waive ? TlsNeed::Waived : TlsNeed::Usual;
}

Scheduler::Scheduler(const Options& options, HopName hopName, ShapeOf shapeOf)
    : options_(options), hopName_(std::move(hopName)), shapeOf_(std::move(shapeOf)), random_(options.randomSeed) {}

std::uint32_t Scheduler::addDomain(const std::string& name, const std::string& via) {
  const auto known = domainNumbers_.find(via.empty() ? name : name + "\n" + via);
  if (known != domainNumbers_.end()) {
    ++domains_[known->second].copies;
    return known->second;
  }
  std::uint32_t number = 0;
  if (freeDomains_.empty()) {
    number = static_cast<std::uint32_t>(domains_.size());
    domains_.emplace_back();
  } else {
    number = freeDomains_.back();
    freeDomains_.pop_back();
  }
  domains_[number] = {name, via, 1};
  domainNumbers_.emplace(via.empty() ? name : name + "\n" + via, number);
  return number;
}

void Scheduler::releaseDomain(std::uint32_t number) {
  auto& domain = domains_[number];
  if (--domain.copies > 0) return;
  domainNumbers_.erase(domain.via.empty() ? domain.name : domain.name + "\n" + domain.via);
  domain = {};
  freeDomains_.push_back(number);
}

void Scheduler::add(const CopySummary& copy, TimePoint now) {
  auto [found, isNew] = copies_.try_emplace(copy.key);
  if (!isNew) return;
  auto& entry = found->second;
  entry.due = toMicros(copy.notBefore);
  entry.expires = toMicros(copy.expiresAt);
  if (entry.expires == 0) entry.expires = toMicros(copy.queuedAt + options_.expiry);
  // Its time ran out while nobody could try, or the clock is wrong: it gets time for a try.
  if (entry.expires <= toMicros(now)) entry.expires = toMicros(now + options_.maxRetry);
  entry.queued = toMicros(copy.queuedAt);
  entry.attempts = copy.attempts;
  entry.urgent = copy.kind != app::Copy::Kind::Content;
  entry.post = entry.urgent ? 0 : copy.post;
  if (entry.post != 0) ++posts_[entry.post];
  entry.need = tlsNeedOf(copy);
  entry.held = copy.held;
  entry.domain = addDomain(copy.destination, copy.via);
  attach(entry);
  if (!entry.held) expiry_.insert({entry.expires, copy.key});
  schedule(copy.key, entry, now);
}

void Scheduler::change(const CopySummary& copy, TimePoint now) {
  const auto found = copies_.find(copy.key);
  if (found == copies_.end()) return add(copy, now);
  auto& entry = found->second;
  const bool isOut = entry.state == State::Out;
  if (domains_[entry.domain].via != copy.via) {
    if (!isOut) detach(entry);
    const auto before = entry.domain;
    entry.domain = addDomain(copy.destination, copy.via);
    releaseDomain(before);
    if (!isOut) attach(entry);
  }
  if (copy.held != entry.held) {
    expiry_.erase({entry.expires, copy.key});
    // What was held for long gets time for a try.
    if (!copy.held && entry.expires <= toMicros(now)) entry.expires = toMicros(now + options_.maxRetry);
    if (!copy.held) expiry_.insert({entry.expires, copy.key});
    entry.held = copy.held;
  }
  if (isOut) return;  // counts once it comes back
  due_.erase({entry.due, copy.key});
  entry.due = toMicros(copy.notBefore);
  // Somebody who asks for a try wants the destination tried.
  if (copy.notBefore <= now && !copy.held) lanes_.at(entry.lane).restsUntil = 0;
  schedule(copy.key, entry, now);
}

void Scheduler::remove(std::uint64_t key) {
  const auto found = copies_.find(key);
  if (found == copies_.end()) return;
  auto& entry = found->second;
  due_.erase({entry.due, key});
  expiry_.erase({entry.expires, key});
  out_.erase(key);
  detach(entry);
  releaseDomain(entry.domain);
  forgetPost(entry.post);
  copies_.erase(found);
}

bool Scheduler::withdraw(std::uint64_t key) {
  const auto found = copies_.find(key);
  if (found != copies_.end() && found->second.state == State::Out) return false;
  remove(key);
  return true;
}

void Scheduler::rerouted(TimePoint now) {
  std::vector<std::string> hops(domains_.size());
  std::unordered_set<const Destination*> resumed;
  for (std::size_t i = 0; i < domains_.size(); ++i) {
    if (domains_[i].copies == 0) continue;
    hops[i] = hopOf(domains_[i]);
    const auto known = destinations_.find(hops[i]);
    if (known == destinations_.end()) continue;
    const bool wasPaused = known->second.shape.paused;
    known->second.shape = shapeOf(domains_[i]);
    if (wasPaused && !known->second.shape.paused) resumed.insert(&known->second);
  }
  for (auto& [key, entry] : copies_) {
    if (!resumed.empty() && entry.lane != 0 && resumed.contains(lanes_.at(entry.lane).destination))
      giveTimeForATry(key, entry, now);
    if (entry.state == State::Out || lanes_.at(entry.lane).destination->name == hops[entry.domain]) continue;
    detach(entry);
    attach(entry);
    due_.erase({entry.due, key});
    schedule(key, entry, now);
  }
  for (auto& [number, lane] : lanes_) {
    lane.limit = std::clamp<std::uint32_t>(lane.limit, 1, limitOf(lane));
    offer(number, lane);
  }
}

// Of a copy whose time ran out, or nearly, while nobody could try.
void Scheduler::giveTimeForATry(std::uint64_t key, Entry& entry, TimePoint now) {
  const auto least = toMicros(now + options_.maxRetry);
  if (entry.expires >= least) return;
  const bool timed = expiry_.erase({entry.expires, key}) > 0;
  entry.expires = least;
  if (timed) expiry_.insert({entry.expires, key});
}

// REQUIRES: no timer of the copy is set but that of its end.
void Scheduler::schedule(std::uint64_t key, Entry& entry, TimePoint now) {
  if (entry.held) {
    entry.state = State::Held;
  } else if (entry.due <= toMicros(now)) {
    makeReady(key, entry);
  } else {
    entry.state = State::Waiting;
    due_.insert({entry.due, key});
  }
}

void Scheduler::makeReady(std::uint64_t key, Entry& entry) {
  entry.state = State::Ready;
  auto& lane = lanes_.at(entry.lane);
  auto& ready = lane.ready[classOf(entry)];
  ready.push_back(key);
  if (ready.size() > 2 * lane.copies + 16) sweep(entry.lane, ready);
  offer(entry.lane, lane);
}

// Leaves each copy once, and none that is held, out or gone.
void Scheduler::sweep(Lane lane, std::deque<std::uint64_t>& ready) {
  std::unordered_set<std::uint64_t> seen;
  std::erase_if(ready, [&](std::uint64_t key) {
    const auto found = copies_.find(key);
    const bool fits = found != copies_.end() && found->second.state == State::Ready && found->second.lane == lane;
    return !fits || !seen.insert(key).second;
  });
}

void Scheduler::takeOut(std::uint64_t key, Entry& entry) {
  due_.erase({entry.due, key});
  entry.state = State::Out;
  out_.insert(key);
}

// What nobody can count together is bulk: it was so before an upgrade.
Scheduler::Class Scheduler::classOf(const Entry& entry) const {
  if (entry.urgent) return Urgent;
  if (entry.post == 0) return Bulk;
  const auto post = posts_.find(entry.post);
  return post == posts_.end() || post->second <= SingleCopies ? Single : Bulk;
}

void Scheduler::forgetPost(std::uint64_t post) {
  const auto found = posts_.find(post);
  if (found != posts_.end() && --found->second == 0) posts_.erase(found);
}

void Scheduler::fireTimers(TimePoint now) {
  const auto micros = toMicros(now);
  while (!due_.empty() && due_.begin()->first <= micros) {
    const auto key = due_.begin()->second;
    due_.erase(due_.begin());
    makeReady(key, copies_.at(key));
  }
  while (!rests_.empty() && rests_.begin()->first <= micros) {
    const auto lane = rests_.begin()->second;
    rests_.erase(rests_.begin());
    if (const auto found = lanes_.find(lane); found != lanes_.end()) offer(lane, found->second);
  }
}

Scheduler::Job Scheduler::jobOf(std::uint64_t key, const Entry& entry) const {
  const auto& domain = domains_[entry.domain];
  return {key, entry.attempts, domain.name, fromMicros(entry.expires), fromMicros(entry.queued), domain.via};
}

void Scheduler::finish(std::uint64_t key) {
  remove(key);
}

void Scheduler::defer(std::uint64_t key, TimePoint until, TimePoint now) {
  if (const auto found = copies_.find(key); found != copies_.end()) ++found->second.attempts;
  putBack(key, until, now);
}

void Scheduler::putBack(std::uint64_t key, TimePoint until, TimePoint now) {
  const auto found = copies_.find(key);
  if (found == copies_.end() || found->second.state != State::Out) return;
  auto& entry = found->second;
  out_.erase(key);
  entry.state = State::Waiting;
  entry.due = toMicros(until);
  if (entry.expires <= toMicros(now) && !entry.held) expiry_.insert({entry.expires, key});
  detach(entry);  // the route may have changed meanwhile
  attach(entry);
  schedule(key, entry, now);
}

void Scheduler::extend(std::uint64_t key, TimePoint until, TimePoint now) {
  const auto found = copies_.find(key);
  if (found == copies_.end() || found->second.state != State::Out) return;
  auto& entry = found->second;
  ++entry.attempts;
  expiry_.erase({entry.expires, key});
  entry.expires = toMicros(until + options_.maxRetry);
  if (!entry.held) expiry_.insert({entry.expires, key});
  putBack(key, until, now);
}

std::vector<Scheduler::Job> Scheduler::takeExpired(TimePoint now) {
  std::vector<Job> expired;
  while (!expiry_.empty() && expiry_.begin()->first <= toMicros(now)) {
    const auto key = expiry_.begin()->second;
    expiry_.erase(expiry_.begin());
    auto& entry = copies_.at(key);
    if (entry.state == State::Out) continue;  // it gets its timer again when that ends
    if (lanes_.at(entry.lane).destination->shape.paused) {
      entry.expires = toMicros(now + options_.maxRetry);
      expiry_.insert({entry.expires, key});
      continue;
    }
    takeOut(key, entry);
    expired.push_back(jobOf(key, entry));
  }
  return expired;
}

std::optional<TimePoint> Scheduler::nextDue() const {
  std::optional<std::int64_t> first;
  for (const auto* timers : {&due_, &expiry_, &rests_})
    if (!timers->empty() && (!first || timers->begin()->first < *first)) first = timers->begin()->first;
  return first ? std::optional(fromMicros(*first)) : std::nullopt;
}

bool Scheduler::mayLeave(const Job& job) const {
  const auto found = copies_.find(job.key);
  return found != copies_.end() && found->second.state == State::Out && !found->second.held &&
         domains_[found->second.domain].via == job.via;
}

Scheduler::Look Scheduler::look(std::uint64_t key) const {
  const auto found = copies_.find(key);
  if (found == copies_.end()) return {};
  constexpr std::array<const char*, Classes> words = {"urgent", "single", "bulk"};
  return {true, found->second.state == State::Out, words.at(classOf(found->second))};
}

}  // namespace postern::gateway
