#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Mutex.h"
#include "core/base/Secret.h"

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

namespace postern::listd {

// How a worker finds the gateway: its socket, and the key that seals outbound copies at rest there.
struct GatewayAddress {
  std::string socketPath;
  Secret queueKey;
};

// The connection of one worker thread to the gateway. Connects when it is needed, waiting longer after each failure,
// and greets with the queue key. A stop breaks whatever call is under way.
// Threads: those of one worker; the stop may come from any. Ownership: `address` must outlive it.
class WorkerLink {
public:
  WorkerLink(const GatewayAddress& address, std::stop_token stop);

  // The connection, made now if there is none. Throws Error(Unavailable) only when a stop was asked for.
  app::GatewayLink& get();
  bool connected() const;
  void drop();

  // Waits; ends early on a stop.
  void pause(std::chrono::milliseconds time);
  bool stopping() const { return stop_.stop_requested(); }

private:
  bool tryConnect();

  const GatewayAddress& address_;
  std::stop_token stop_;
  mutable Mutex mutex_;
  Condition changed_;
  std::unique_ptr<app::GatewayLink> link_ GUARDED_BY(mutex_);
  std::chrono::milliseconds wait_;
  std::stop_callback<std::function<void()>> onStop_;  // last: it may call back at once
};

}  // namespace postern::listd
