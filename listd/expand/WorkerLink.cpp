#include "listd/expand/WorkerLink.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

#include <algorithm>
#include <functional>

namespace postern::listd {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds FirstWait{20};
constexpr milliseconds LongestWait{1000};

}  // namespace

WorkerLink::WorkerLink(const GatewayAddress& address, std::stop_token stop)
    : address_(address), stop_(std::move(stop)), wait_(FirstWait), onStop_(stop_, std::function<void()>([this] {
                                                                             const MutexLock lock(mutex_);
                                                                             if (link_) link_->shutdown();
                                                                             changed_.notify_all();
                                                                           })) {}

app::GatewayLink& WorkerLink::get() {
  while (!stopping()) {
    {
      const MutexLock lock(mutex_);
      if (link_) return *link_;
    }
    if (tryConnect()) continue;
    pause(wait_);
    wait_ = std::min(wait_ * 2, LongestWait);
  }
  throw Error(ErrorKind::Unavailable, "listd is stopping");
}

bool WorkerLink::tryConnect() {
  try {
    auto link = std::make_unique<app::GatewayLink>(address_.socketPath);
    link->hello(address_.queueKey.view());
    const MutexLock lock(mutex_);
    link_ = std::move(link);
    if (stopping()) link_->shutdown();
    wait_ = FirstWait;
    return true;
  } catch (const Error& error) {
    log::debug("gateway", "no connection to the gateway yet", {{"error", error.message()}});
    return false;
  }
}

bool WorkerLink::connected() const {
  const MutexLock lock(mutex_);
  return link_ != nullptr;
}

void WorkerLink::drop() {
  const MutexLock lock(mutex_);
  link_.reset();
}

void WorkerLink::pause(milliseconds time) {
  std::unique_lock<Mutex> lock(mutex_);
  changed_.wait_for(lock, time, [this] { return stopping(); });
}

}  // namespace postern::listd
