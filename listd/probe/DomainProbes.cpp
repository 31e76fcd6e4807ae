#include "listd/probe/DomainProbes.h"

#include "core/base/Log.h"
#include "listd/probe/ProbeView.h"

namespace postern::listd {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds Beat{200};  // between looks at what is under way
constexpr std::chrono::milliseconds LongestAnswer{3000};
constexpr std::chrono::minutes GiveUpAfter{5};
constexpr std::chrono::hours DueEvery{1};
constexpr std::chrono::hours Fresh{24};
constexpr std::uint32_t MostDue = 200;
constexpr std::size_t MostSentences = 1000;

}  // namespace

DomainProbes::DomainProbes(SiteContext& context, GatewayControl& control)
    : context_(context), control_(control), thread_([this](const std::stop_token& stop) { run(stop); }) {}

DomainProbes::~DomainProbes() {
  thread_.request_stop();
  const MutexLock lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

void DomainProbes::start(const std::string& domain) {
  const MutexLock lock(mutex_);
  if (!running_.emplace(domain, Running{false, steady_clock::now() + GiveUpAfter}).second) return;
  if (progress_.size() > MostSentences) progress_.clear();
  progress_[domain] = "Waiting for the gateway.";
  wake_.notify_all();
}

DomainProbes::State DomainProbes::state(const std::string& domain) const {
  const MutexLock lock(mutex_);
  const auto sentence = progress_.find(domain);
  return {running_.contains(domain), sentence == progress_.end() ? std::string() : sentence->second};
}

void DomainProbes::run(const std::stop_token& stop) {
  auto nextDue = steady_clock::now() + std::chrono::minutes(1);
  while (!stop.stop_requested()) {
    try {
      if (steady_clock::now() >= nextDue) {
        nextDue = steady_clock::now() + DueEvery;
        startDue();
      }
      for (const auto& [domain, fresh] : atHand()) look(domain, fresh);
    } catch (const std::exception& error) {  // the boundary of a job: what is under way is looked at again
      log::warning("probe", "domains cannot be probed now", {{"error", error.what()}});
    }
    const MutexLock lock(mutex_);
    if (stopping_) return;
    wake_.wait_for(mutex_, running_.empty() ? std::chrono::milliseconds(10'000) : Beat);
  }
}

// The domains that are asked next, with whether the gateway is to start over.
std::vector<std::pair<std::string, bool>> DomainProbes::atHand() {
  const MutexLock lock(mutex_);
  std::vector<std::pair<std::string, bool>> domains;
  for (auto entry = running_.begin(); entry != running_.end();) {
    auto& [domain, run] = *entry;
    if (steady_clock::now() > run.giveUpAt) {
      progress_[domain] = "The gateway did not answer, so nothing was found out.";
      entry = running_.erase(entry);
      continue;
    }
    if (domains.size() < AtOnce) domains.emplace_back(domain, !run.asked);
    ++entry;
  }
  return domains;
}

void DomainProbes::look(const std::string& domain, bool fresh) {
  const auto answer = control_.ask(
      [domain, fresh](app::GatewayLink& link) { return link.probeDomain(domain, fresh, std::chrono::milliseconds(0)); },
      LongestAnswer);
  if (answer && answer->finished) keep(*answer);
  const MutexLock lock(mutex_);
  const auto run = running_.find(domain);
  if (run == running_.end()) return;
  if (!answer) {
    progress_[domain] = "The gateway does not answer. It is asked again.";
    return;
  }
  run->second.asked = true;
  progress_[domain] = answer->progress;
  if (answer->finished) running_.erase(run);
}

void DomainProbes::keep(const app::DomainProbe& probe) {
  context_.site.write([&](SiteTables& tables) {
    tables.domainTls.note(probe.verdict);
    tables.domainTls.setReport(probe.verdict.domain, viewOf(probe).dump());
  });
}

void DomainProbes::startDue() {
  const auto before = context_.clock.now() - Fresh;
  for (const auto& domain :
       context_.site.read([&](SiteTables& tables) { return tables.domainTls.due(before, MostDue); }))
    start(domain);
}

}  // namespace postern::listd
