#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Clock.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace postern::gateway {

// What scheduling needs to know of a copy; nothing of whom or what.
struct CopySummary {
  std::uint64_t key = 0;
  std::string destination;  // domain, lower case
  app::Copy::Kind kind = app::Copy::Kind::Content;
  app::Protection protection = app::Protection::None;
  app::Protection floor = app::Protection::None;
  std::uint32_t attempts = 0;  // finished attempts
  TimePoint queuedAt;
  TimePoint notBefore;
  TimePoint expiresAt;
  bool held = false;
  app::TlsAsk tlsAsk = app::TlsAsk::Usual;
  std::uint64_t post = 0;  // a number that the copies of one message share; 0: not known
  std::string via = {};    // HOST:PORT that an administrator sent this copy to; empty: the way of its domain
};

// What TLS a copy needs of the connection, whatever the destination demands.
enum class TlsNeed : std::uint8_t {
  Usual,
  Protection,  // verified: nothing else protects the copy
  Asked,       // verified, since the sender wants REQUIRETLS
  Waived,      // the sender wants it to go also where the domain's own policy would hold it up
};
// What has a floor or a protection never has Waived.
TlsNeed tlsNeedOf(const CopySummary& copy);

// A copy opened for sending: `head` then `*tail` are the message.
struct LoadedCopy {
  std::string mailFrom;
  std::string recipient;
  std::string head;
  std::shared_ptr<const std::string> tail;  // never null, may be empty; shared among the copies of a post
  app::Copy::Kind kind = app::Copy::Kind::Content;
  app::Protection protection = app::Protection::None;
  app::Protection floor = app::Protection::None;
  app::TlsAsk tlsAsk = app::TlsAsk::Usual;
  std::string trace;
};

// Told what changes in the queue. Called from the queue's writer thread in order, after the change is durable: must
// return quickly and may call record(), but nothing that waits.
class QueueListener {
public:
  virtual ~QueueListener() = default;
  virtual void copiesQueued(std::span<const CopySummary> copies) = 0;
  virtual void copyChanged(const CopySummary& copy) = 0;  // retried, held or released by an order
  virtual void copyDropped(std::uint64_t key) = 0;        // by an order; the event is already stored
  // False: the copy is on its way now. True: it will not be taken up any more until it is told of again.
  virtual bool withdraw(std::uint64_t key) { return static_cast<void>(key), true; }
  virtual void queueKeySet() {}        // load() works from now on
  virtual void healthChanged(bool) {}  // see CopyQueue::healthy
};

// The durable outbound queue as delivery sees it; the gateway's QueueStore is one.
// Threads: safe for all.
class CopyQueue {
public:
  virtual ~CopyQueue() = default;

  // To start: setListener, then forEachWaiting; a copy that comes in between is shown by both.
  // Null takes the listener away; returns once no call to the old one is under way.
  virtual void setListener(QueueListener* listener) = 0;
  virtual void forEachWaiting(const std::function<void(const CopySummary&)>& show) const = 0;  // held ones too

  // The copy with its bytes; nothing if it is no longer in the queue.
  // Errors: Error(Unavailable) before the queue key is set, Error(Crypto) for what cannot be opened.
  virtual std::optional<LoadedCopy> load(std::uint64_t key) = 0;

  // Takes the outcome of one attempt, and with it the copy's new state: Deferred waits until event.nextAttempt, every
  // other outcome ends the copy. Returns at once; kept in memory and tried again while it cannot be written.
  virtual void record(app::DeliveryEvent event) = 0;

  // False while outcomes cannot be written (disk full, store broken): nothing is delivered then, because what was
  // delivered would be delivered again after a restart.
  virtual bool healthy() const = 0;
};

}  // namespace postern::gateway
