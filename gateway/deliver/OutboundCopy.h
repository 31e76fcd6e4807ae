#pragma once
#include "core/base/Mutex.h"
#include "core/smtp/ClientConnection.h"
#include "gateway/deliver/CopyQueue.h"
#include "gateway/deliver/FloorGuard.h"
#include "gateway/deliver/Scheduler.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::gateway {

// Tails that were made ready for the wire lately. Found by their bytes, never by a number, so that what is sent is
// what was checked. Threads: safe for all.
class ReadyTails {
public:
  Result<std::shared_ptr<const OutboundTail>, std::string> find(const std::shared_ptr<const std::string>& bytes);
  void clear();  // copies that are being sent keep theirs

private:
  static constexpr std::size_t MaxEntries = 8;
  static constexpr std::size_t MaxBytes = 32u << 20;
  struct Entry {
    std::shared_ptr<const std::string> source;
    std::shared_ptr<const OutboundTail> tail;
  };
  Mutex mutex_;
  std::vector<Entry> entries_ GUARDED_BY(mutex_);  // latest last
};

// A copy at hand of a delivery thread: its bytes, checked for the wire, and the leave to send it. Stays where it is
// made (the texts are views of it). Threads: one.
class OutboundCopy {
public:
  OutboundCopy(Scheduler::Job job, LoadedCopy copy) : job_(std::move(job)), copy_(std::move(copy)) {}
  OutboundCopy(const OutboundCopy&) = delete;
  OutboundCopy& operator=(const OutboundCopy&) = delete;

  // Why the bytes must never be on a wire, if so (the wire guard).
  std::optional<std::string> prepare(ReadyTails& tails);

  // Asks the FloorGuard for this connection. The reason if it is blocked.
  std::optional<std::string> clear(const smtp::ClientConnection& connection, std::string_view ownUrl);

  // Sends it. `next` goes behind its final dot if the server lets it. Throws Error(Invariant) for one that has no
  // clearance for this very connection. REQUIRES: prepare() and, for both, clear() found nothing.
  smtp::ClientResult send(smtp::ClientConnection& connection, OutboundCopy* next);

  const Scheduler::Job& job() const { return job_; }
  const std::string& trace() const { return copy_.trace; }
  const LoadedCopy& loaded() const { return copy_; }
  app::Protection protection() const { return copy_.protection; }
  bool mustRequireTls() const { return copy_.tlsAsk == app::TlsAsk::Require; }

private:
  smtp::ClientMessage message() const;
  void expectClearance(const smtp::ClientConnection& connection) const;

  const Scheduler::Job job_;
  const LoadedCopy copy_;
  std::shared_ptr<const OutboundTail> tail_;  // null: none
  std::optional<smtp::ClientText> head_;
  std::optional<Clearance> clearance_;
  std::uint64_t clearedFor_ = 0;  // id of the connection
};

}  // namespace postern::gateway
