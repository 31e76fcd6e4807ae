#include "listd/Housekeeping.h"

#include "core/base/Log.h"
#include "core/base/Mutex.h"
#include "listd/keys/ListKeys.h"
#include "listd/plan/Standing.h"

#include <filesystem>

namespace postern::listd {
namespace {

constexpr std::chrono::minutes Interval{1};
constexpr std::chrono::hours KeySweepInterval{1};
constexpr std::chrono::hours GuessesKept{24};
constexpr std::chrono::hours KeyLinksKept{24};  // they still bound the mails of a day

}  // namespace

Housekeeping::Housekeeping(SiteContext& context) : context_(context) {
  runOnce();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Housekeeping::runOnce() {
  const auto now = context_.clock.now();
  const auto space = std::filesystem::space(context_.config.dataFolder);
  context_.site.write([&](SiteTables& tables) {
    refreshTurned(tables, now);
    tables.accounts.sweepGuesses(now - GuessesKept);
    tables.sessions.sweep(now);
    tables.disk.note(now, space.capacity - space.available, space.available);
    tables.keyRing.sweepLinks(now - KeyLinksKept);
  });
  tendListKeys(context_);
  sweepKeys();
}

void Housekeeping::sweepKeys() {
  const auto now = std::chrono::steady_clock::now();
  const bool first = lastSweep_ == std::chrono::steady_clock::time_point();
  const auto passed = std::chrono::floor<std::chrono::seconds>(now - lastSweep_);
  if (!first && passed < KeySweepInterval) return;
  sweepListKeys(context_, first ? std::chrono::seconds(0) : passed);
  lastSweep_ = now;
}

void Housekeeping::run(const std::stop_token& stop) {
  Mutex mutex;
  Condition never;
  while (!stop.stop_requested()) {
    {
      std::unique_lock<Mutex> lock(mutex);
      never.wait_for(lock, stop, Interval, [] { return false; });
    }
    if (stop.stop_requested()) return;
    try {  // the boundary of a queue job: it is tried again in a minute
      runOnce();
    } catch (const std::exception& error) {
      log::error("housekeeping", "the store cannot be written", {{"error", error.what()}});
    }
  }
}

}  // namespace postern::listd
