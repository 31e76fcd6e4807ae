#include "listd/expand/TakeBacks.h"

#include "core/base/Log.h"
#include "core/base/Mutex.h"
#include "listd/plan/Replan.h"

namespace postern::listd {
namespace {

constexpr std::chrono::seconds Interval{60};
constexpr std::chrono::milliseconds GatewayWait{5000};
constexpr std::uint32_t AtOnce = 500;

}  // namespace

TakeBacks::TakeBacks(SiteContext& context, GatewayControl& gateway)
    : context_(context), gateway_(gateway), thread_([this](const std::stop_token& stop) { run(stop); }) {}

std::uint64_t TakeBacks::runOnce() {
  const auto now = context_.clock.now();
  const auto due = context_.site.read([&](SiteTables& tables) {
    std::vector<std::uint64_t> posts;
    for (const auto id : tables.ledger.postsWaitingForTls(now)) {
      const auto post = tables.posts.find(id);
      if (post && post->plannedAt + tlsWithin(tables, *post) <= now) posts.push_back(id);
    }
    return posts;
  });
  std::uint64_t taken = 0;
  for (const auto post : due) {
    std::uint64_t after = 0;
    do {
      for (const auto key : askFor(post, after, now)) {
        const auto answer =
            gateway_.ask([key](app::GatewayLink& link) { return link.queueAct("withdraw", key); }, GatewayWait);
        if (!answer) return taken;  // the gateway is away: again in a minute
        taken += *answer;
      }
    } while (after != 0);
  }
  return taken;
}

// The copies of one page that are to be taken back, noted as such. `after` is 0 behind the last page.
std::vector<std::uint64_t> TakeBacks::askFor(std::uint64_t postId, std::uint64_t& after, TimePoint now) {
  return context_.site.write([&](SiteTables& tables) {
    std::vector<std::uint64_t> keys;
    const auto post = tables.posts.find(postId);
    const auto rows = tables.ledger.waitingForTls(postId, after, AtOnce);
    for (const auto& row : rows) {
      if (!post || row.id > post->sentThrough) continue;  // the gateway does not have it yet
      if (decideWithoutTls(tables, row, now).withheld()) continue;
      tables.ledger.askBack(row.id, now);
      keys.push_back(row.id);
    }
    after = rows.size() < AtOnce ? 0 : rows.back().id;
    return keys;
  });
}

void TakeBacks::run(const std::stop_token& stop) {
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
      log::error("plan", "copies that wait for verified TLS cannot be looked at", {{"error", error.what()}});
    }
  }
}

}  // namespace postern::listd
