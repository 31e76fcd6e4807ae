#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/app/GatewayLink.h"
#include "core/base/Clock.h"

namespace postern::gateway {

// What the schedule needs to know of a copy in the queue; never its content.
struct CopySummary {
  std::uint64_t key = 0;
  std::string destination;  // domain of the recipient, lower case
  app::Copy::Kind kind = app::Copy::Kind::Content;
  app::Protection protection = app::Protection::None;
  app::Protection floor = app::Protection::None;
  std::uint32_t attempts = 0;  // finished attempts
  TimePoint queuedAt;
  TimePoint notBefore;  // zero: at once
  TimePoint expiresAt;
  bool held = false;
};

// A copy with its bytes, opened for delivery. The tail is shared by all copies of a post and never changes.
struct LoadedCopy {
  app::Copy copy;
  std::shared_ptr<const std::string> tail;  // null: the head is the whole message
};

// Told of changes in the queue that did not come from the listener itself. Called from any thread, outside the
// queue's locks, after the change is durable.
class QueueListener {
public:
  virtual ~QueueListener() = default;
  virtual void copiesQueued(std::span<const CopySummary> copies) = 0;
  virtual void copyChanged(const CopySummary& copy) = 0;  // held, released, to be retried at notBefore
  virtual void copyDropped(std::uint64_t key) = 0;
};

// The durable outbound queue as delivery sees it. Implemented by the gateway's QueueStore.
// Threads: safe for all.
class CopyQueue {
public:
  virtual ~CopyQueue() = default;

  // Every copy that has no final outcome yet, oldest first.
  virtual void forEachWaiting(const std::function<void(const CopySummary&)>& visit) = 0;

  // One listener; null takes it away and returns only when no call to it is running.
  virtual void setListener(QueueListener* listener) = 0;

  // The copy with its bytes; nothing if it is no longer in the queue.
  // Errors: Error(Unavailable) while the key that opens copies is not there yet; Error for what cannot be read.
  virtual std::optional<LoadedCopy> load(std::uint64_t key) = 0;

  // Takes the outcome of one attempt into the queue and the events for listd. Delivered, Failed, Expired, Blocked
  // and Dropped are final. Throws when it could not be taken; the caller keeps the event and tries again.
  virtual void record(const app::DeliveryEvent& event) = 0;

  // False while an outcome might not be kept (disk full, store broken): nothing is delivered then, because
  // what was delivered would be delivered again.
  virtual bool healthy() const = 0;
};

}  // namespace postern::gateway
