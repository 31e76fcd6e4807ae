#include "listd/probe/DomainProbes.h"

#include "core/base/Log.h"
#include "listd/plan/Standing.h"
#include "listd/probe/DueDomains.h"
#include "listd/probe/ProbeView.h"

#include <algorithm>

namespace postern::listd {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds Beat{200};  // between looks at what is under way
constexpr std::chrono::milliseconds Idle{10'000};
constexpr std::chrono::milliseconds LongestAnswer{3000};
constexpr std::chrono::minutes GiveUpAfter{5};
constexpr std::chrono::hours DueEvery{1};
constexpr std::chrono::hours Fresh{24};
constexpr std::chrono::seconds Soon{1};  // many changes in a row are looked at once
constexpr std::size_t MostForDomain = 6;
constexpr std::chrono::minutes DomainWithin{10};
constexpr std::size_t MostForPerson = 20;
constexpr std::chrono::minutes PersonWithin{60};
constexpr std::size_t MostDue = 200'000;  // names, that one look finds
constexpr std::size_t KeptAtOnce = 128;   // answers in one commit, while many are due
constexpr std::chrono::seconds KeptWithin{10};
constexpr std::size_t DueAtOnce = 200;  // of these under way, so that people who ask wait for few
constexpr std::size_t MostSentences = 1000;

}  // namespace

DomainProbes::DomainProbes(SiteContext& context, GatewayControl& control)
    : context_(context),
      control_(control),
      domainLimit_(MostForDomain, DomainWithin),
      personLimit_(MostForPerson, PersonWithin),
      nextDue_(steady_clock::now() + std::chrono::minutes(1)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

DomainProbes::~DomainProbes() {
  thread_.request_stop();
  const MutexLock lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

void DomainProbes::start(const std::string& domain) {
  const MutexLock lock(mutex_);
  if (!running_.emplace(domain, Running{}).second) return;
  if (progress_.size() > MostSentences) progress_.clear();
  progress_[domain] = "Waiting for the gateway.";
  wake_.notify_all();
}

DomainProbes::Answer DomainProbes::mayAsk(const std::string& person, const std::string& domain) {
  const MutexLock lock(mutex_);
  const auto now = steady_clock::now();
  if (running_.contains(domain)) return Answer::Yes;
  if (domainLimit_.full(domain, now)) return Answer::TooOftenDomain;
  if (!person.empty() && personLimit_.full(person, now)) return Answer::TooOftenPerson;
  domainLimit_.take(domain, now);
  if (!person.empty()) personLimit_.take(person, now);
  return Answer::Yes;
}

void DomainProbes::lookForDue() {
  const MutexLock lock(mutex_);
  lookAnew_ = true;
  nextDue_ = std::min(nextDue_, steady_clock::now() + Soon);
  wake_.notify_all();
}

DomainProbes::State DomainProbes::state(const std::string& domain) const {
  const MutexLock lock(mutex_);
  const auto sentence = progress_.find(domain);
  return {running_.contains(domain), sentence == progress_.end() ? std::string() : sentence->second};
}

void DomainProbes::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      beginDue();
      for (const auto& [domain, fresh] : atHand()) look(domain, fresh);
      keepFound();
    } catch (const std::exception& error) {  // the boundary of a job: what is under way is looked at again
      log::warning("probe", "domains cannot be probed now", {{"error", error.what()}});
    }
    const MutexLock lock(mutex_);
    if (stopping_) return;
    const auto untilDue = std::chrono::ceil<std::chrono::milliseconds>(nextDue_ - steady_clock::now());
    wake_.wait_for(mutex_, running_.empty() ? std::clamp(untilDue, Beat, Idle) : Beat);
  }
}

// The domains that are asked next, with whether the gateway is to start over.
std::vector<std::pair<std::string, bool>> DomainProbes::atHand() {
  const MutexLock lock(mutex_);
  std::vector<std::pair<std::string, bool>> domains;
  for (auto entry = running_.begin(); entry != running_.end();) {
    auto& [domain, run] = *entry;
    const bool begun = run.giveUpAt != steady_clock::time_point();
    if (begun && steady_clock::now() > run.giveUpAt) {
      progress_[domain] = "The gateway did not answer, so nothing was found out.";
      entry = running_.erase(entry);
      continue;
    }
    if (domains.size() < AtOnce && !run.answered) {
      if (!begun) run.giveUpAt = steady_clock::now() + GiveUpAfter;
      domains.emplace_back(domain, !run.asked);
    }
    ++entry;
  }
  return domains;
}

void DomainProbes::look(const std::string& domain, bool fresh) {
  const auto answer = control_.ask(
      [domain, fresh](app::GatewayLink& link) { return link.probeDomain(domain, fresh, std::chrono::milliseconds(0)); },
      LongestAnswer);
  const MutexLock lock(mutex_);
  const auto run = running_.find(domain);
  if (run == running_.end()) return;
  if (!answer) {
    progress_[domain] = "The gateway does not answer. It is asked again.";
    return;
  }
  run->second.asked = true;
  progress_[domain] = answer->progress;
  if (!answer->finished) return;
  run->second.answered = true;
  if (found_.empty()) foundSince_ = steady_clock::now();
  found_.push_back(*answer);
}

// A commit costs more than what is in it, so that answers of a long row share some. Nobody waits for those; an answer
// that somebody may wait for is kept at once.
void DomainProbes::keepFound() {
  {
    const MutexLock lock(mutex_);
    const bool many = !due_.empty() && found_.size() < KeptAtOnce && steady_clock::now() < foundSince_ + KeptWithin;
    if (found_.empty() || many) return;
  }
  context_.site.write([&](SiteTables& tables) {
    for (const auto& probe : found_) {
      noteDomain(tables, probe.verdict, context_.clock.now());
      tables.domainTls.setReport(probe.verdict.domain, viewOf(probe).dump());
    }
  });
  const MutexLock lock(mutex_);
  for (const auto& probe : found_) running_.erase(probe.verdict.domain);
  found_.clear();
}

void DomainProbes::beginDue() {
  {
    const MutexLock lock(mutex_);
    if (steady_clock::now() < nextDue_) return;
    nextDue_ = steady_clock::now() + DueEvery;
  }
  // Without a gateway nothing would come of it; a site with more than are asked at once goes on as these end.
  const bool away = !control_.connected();
  const bool more = away || startDue();
  const MutexLock lock(mutex_);
  if (more) nextDue_ = std::min(nextDue_, steady_clock::now() + (away ? Idle : std::chrono::milliseconds(Soon)));
}

// One look finds all that is due; what it found is worked through before the next, so that the work is as much as the
// domains, whatever their number.
bool DomainProbes::startDue() {
  bool lookAnew = false;
  {
    const MutexLock lock(mutex_);
    lookAnew = std::exchange(lookAnew_, false) || due_.empty();
  }
  if (lookAnew) {
    const auto before = context_.clock.now() - Fresh;
    auto found = context_.site.read([&](SiteTables& tables) { return dueDomains(tables, before, MostDue); });
    const MutexLock lock(mutex_);
    due_.assign(std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  for (;;) {
    std::string domain;
    {
      const MutexLock lock(mutex_);
      if (due_.empty() || running_.size() >= DueAtOnce) return !due_.empty();
      domain = std::move(due_.front());
      due_.pop_front();
    }
    start(domain);
  }
}

}  // namespace postern::listd
