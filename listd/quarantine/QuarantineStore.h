#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A message that a person has to look at. Neither subject nor author nor content is here.
struct HeldMessage {
  std::uint64_t id = 0;
  std::uint64_t acceptedId = 0;
  std::string queueId;
  std::uint64_t object = 0;
  std::string envelope;  // sealed to the vault; empty once it is of no use
  std::string mailFrom;
  std::uint64_t recipients = 0;
  std::uint64_t size = 0;
  std::string cause;   // "spam" "policy" "milter" "virus"
  std::string detail;  // "add header", "NAME: reason", the virus
  TimePoint heldAt;
  TimePoint expiresAt;
  std::string state = "held";  // "held" "releasing" "released" "deleted" "expired"
  TimePoint decidedAt;
  std::string decidedBy;
  bool destroyed = false;
  std::vector<std::uint64_t> lists;
};

struct TrustedSender {
  std::uint64_t listId = 0;
  std::string list;
  std::string address;
  TimePoint addedAt;
  std::string addedBy;
};

// Held messages and trusted senders. Threads: those of the connection. Errors: Error(Store).
class QuarantineStore {
public:
  explicit QuarantineStore(store::Database& database) : database_(database) {}

  // False: it was held before, in whatever state it is now.
  bool add(const HeldMessage& message);
  std::optional<HeldMessage> find(std::uint64_t id) const;
  bool isKnown(std::uint64_t acceptedId, std::string_view queueId) const;

  struct Filter {
    std::string state;  // empty: any
    std::string cause;  // empty: any
    std::string from;   // part of the envelope sender
    std::vector<std::uint64_t> lists;
    bool allLists = true;  // else those of `lists`
  };
  // Newest first, with ids below `before` (0: from the newest).
  std::vector<HeldMessage> page(const Filter& filter, std::uint64_t before, std::uint32_t limit) const;
  std::uint64_t count(const Filter& filter) const;

  void decide(std::uint64_t id, std::string_view state, std::string_view by, TimePoint at);
  void finishRelease(std::uint64_t id);
  std::vector<std::uint64_t> releasing() const;
  std::vector<std::uint64_t> expired(TimePoint now, std::uint32_t limit) const;
  // Deleted or expired, not destroyed yet, and not tried since then.
  std::vector<HeldMessage> toDestroy(TimePoint triedBefore, std::uint32_t limit) const;
  void noteTry(std::uint64_t id, bool destroyed, TimePoint at);

  // What waits on a list, for the daily mail.
  struct Waiting {
    std::uint64_t messages = 0;
    std::uint64_t ending = 0;  // until `soon`
    TimePoint newest;
  };
  Waiting waiting(std::uint64_t listId, TimePoint soon) const;
  std::vector<std::uint64_t> listsWithMail() const;

  void trust(std::uint64_t listId, std::string_view address, std::string_view by, TimePoint at);
  bool distrust(std::uint64_t listId, std::string_view address);
  bool isTrusted(std::uint64_t listId, std::string_view address) const;
  std::vector<TrustedSender> trusted() const;

private:
  std::vector<HeldMessage> readAll(store::Statement& select) const;
  std::vector<std::uint64_t> listsOf(std::uint64_t id) const;

  store::Database& database_;
};

}  // namespace postern::listd
