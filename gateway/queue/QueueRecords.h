#pragma once
#include "core/app/GatewayLink.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::gateway {

// The records of the queue in the segment log: what is in clear (meta) of each. Bodies: of Accepted the sealed
// submission, of Tail the sealed tail, of Copy the sealed mailFrom, recipient and head; the others have none.
enum class RecordType : std::uint8_t {
  Accepted = 1,  // u64 id
  Finished = 2,  // u64 id
  Tail = 3,
  Copy = 4,
  Event = 5,
  Acknowledged = 6,  // u64 sequence
  Change = 7,
};

struct TailMeta {
  std::uint64_t instance = 0;
  std::uint64_t tail = 0;
  std::uint64_t generation = 0;

  std::string encode() const;
  static TailMeta decode(std::string_view bytes);
  std::string sealContext() const;
};

struct CopyMeta {
  std::uint64_t key = 0;
  std::uint64_t tailInstance = 0;
  app::Copy::Kind kind = app::Copy::Kind::Content;
  app::Protection protection = app::Protection::None;
  app::Protection floor = app::Protection::None;
  std::string destination;
  std::int64_t queuedAt = 0;
  std::int64_t expiresAt = 0;
  std::uint64_t generation = 0;
  app::TlsAsk tlsAsk = app::TlsAsk::Usual;
  std::uint64_t post = 0;  // see CopySummary

  std::string encode() const;
  static CopyMeta decode(std::string_view bytes);
};
// Binds a sealed copy to its key, tail and protection: none can be changed on disk.
std::string copySealContext(std::uint64_t key, std::uint64_t tailInstance, app::Copy::Kind kind,
                            app::Protection protection, app::Protection floor, app::TlsAsk tlsAsk);

// The sequence comes first, so that the writer can set it when the event takes its place in the log.
struct EventMeta {
  std::uint64_t sequence = 0;
  bool refusal = false;
  std::uint64_t copyKey = 0;
  app::DeliveryEvent::Outcome outcome = app::DeliveryEvent::Outcome::Delivered;
  std::uint32_t attempt = 0;
  std::int64_t nextAttempt = 0;
  std::string sealed;  // app::GatewayEvent with sequence 0

  std::string encode() const;
  static EventMeta decode(std::string_view bytes);
};
std::string eventSealContext(std::uint64_t copyKey);

struct ChangeMeta {
  enum class Action : std::uint8_t { Retry = 1, Hold = 2, Release = 3, Reroute = 4 };
  Action action = Action::Retry;
  std::uint64_t key = 0;  // 0: all
  std::int64_t at = 0;
  std::string via;  // of Reroute: CopySummary::via

  std::string encode() const;
  static ChangeMeta decode(std::string_view bytes);
};

std::string encodeNumber(std::uint64_t number);
std::uint64_t decodeNumber(std::string_view bytes);

}  // namespace postern::gateway
