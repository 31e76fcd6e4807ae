#include "listd/expand/SendWorkers.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "listd/expand/Troubles.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::chrono::milliseconds LongestWait{1000};  // also how late a retry may be

}  // namespace

SendWorkers::SendWorkers(SiteContext& context, const GatewayAddress& address, SubmitGate& gate)
    : context_(context), address_(address), gate_(gate) {
  for (unsigned i = 0; i < Workers; ++i) threads_.emplace_back([this](std::stop_token stop) { run(std::move(stop)); });
}

SendWorkers::~SendWorkers() {
  for (auto& thread : threads_) thread.request_stop();
  const MutexLock lock(mutex_);
  changed_.notify_all();
}

void SendWorkers::wake() {
  const MutexLock lock(mutex_);
  wakeOne();
}

void SendWorkers::wakeOne() {
  ++wakes_;  // who is looking just now looks again
  changed_.notify_one();
}

void SendWorkers::run(std::stop_token stop) {
  WorkerLink link(address_, stop);
  PostSender sender(context_, gate_, sealers_);
  while (!stop.stop_requested()) {
    // The boundary of a queue job: whatever a post throws is its own trouble.
    try {
      link.get();
      const auto seen = wakes();  // before looking, so that no wake is missed
      const auto postId = claim();
      if (!postId) {
        waitForWork(stop, seen);
        continue;
      }
      sendOne(sender, link, *postId);
      release(*postId);
    } catch (const std::exception& error) {
      if (stop.stop_requested()) return;
      log::error("send", "the store cannot be read", {{"error", error.what()}});
      link.pause(LongestWait);
    }
  }
}

void SendWorkers::sendOne(PostSender& sender, WorkerLink& link, std::uint64_t postId) {
  try {
    sender.send(postId, link.get());
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Unavailable) {
      link.drop();  // the gateway is away: not the post's fault
      return;
    }
    link.drop();  // half a frame may be under way
    noteTrouble(postId, error.message());
  } catch (const std::exception& error) {
    link.drop();
    noteTrouble(postId, error.what());
  }
}

void SendWorkers::noteTrouble(std::uint64_t postId, const std::string& text) {
  log::error("send", "a post is stuck and will be tried again", {{"post", postId}, {"error", text}});
  try {
    const auto now = context_.clock.now();
    context_.site.write([&](SiteTables& tables) {
      const auto post = tables.posts.find(postId);
      if (post) tables.posts.setTrouble(postId, text, post->tries + 1, now + retryWait(post->tries));
    });
  } catch (const std::exception& error) {
    // The store itself is in trouble: the post is planned still, and will be claimed again.
    log::error("send", "cannot note that a post is stuck", {{"post", postId}, {"error", error.what()}});
  }
}

std::optional<std::uint64_t> SendWorkers::claim() {
  const auto due =
      context_.site.read([&](SiteTables& tables) { return tables.posts.toSend(context_.clock.now(), Workers + 1); });
  const MutexLock lock(mutex_);
  std::optional<std::uint64_t> claimed;
  for (const auto id : due) {
    if (claimed_.contains(id)) continue;
    if (claimed) {
      wakeOne();
      break;
    }
    claimed = id;
  }
  if (claimed) claimed_.insert(*claimed);
  return claimed;
}

void SendWorkers::release(std::uint64_t postId) {
  const MutexLock lock(mutex_);
  claimed_.erase(postId);
}

std::uint64_t SendWorkers::wakes() {
  const MutexLock lock(mutex_);
  return wakes_;
}

void SendWorkers::waitForWork(const std::stop_token& stop, std::uint64_t seen) {
  const MutexLock lock(mutex_);
  changed_.wait_for(mutex_, LongestWait,
                    [&]() REQUIRES_LOCK(mutex_) { return stop.stop_requested() || wakes_ != seen; });
}

}  // namespace postern::listd
