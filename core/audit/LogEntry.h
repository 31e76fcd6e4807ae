#pragma once
#include "core/base/Clock.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::audit {

// The fields of an entry of the audit log, in the order in which they are hashed. docs/audit.md says what each holds.
enum class Field : std::uint8_t {
  Version,  // EntryVersion
  LogId,
  Seq,  // from 0: the leaf's index in the tree
  TsUtc,
  ClockState,
  BootId,
  PrevHash,  // leaf hash of the entry before, in hexadecimal; empty for the first
  PolicyVersion,
  ActorId,
  ActorKind,
  RoleUsed,
  Auth,
  SessionRef,
  SrcIp,
  UaClass,
  Action,
  ObjectType,
  ObjectId,
  ObjectVersion,
  ListId,
  MatterId,
  Outcome,
  ReasonCode,
  ReasonText,
  ApproverId,
  RequestId,
  BeforeDigest,
  AfterDigest,
  Detail,  // JSON object
};
constexpr std::size_t FieldCount = 29;
constexpr std::string_view EntryVersion = "postern-audit-entry-v1";

const char* fieldName(Field field);  // "ts_utc", as in an export

// An entry as views of its fields. Numbers are decimal digits, nothing is the empty text; what the views look at must
// outlive it. Threads: one at a time.
class EntryView {
public:
  std::string_view& operator[](Field field) { return fields_[static_cast<std::size_t>(field)]; }
  std::string_view operator[](Field field) const { return fields_[static_cast<std::size_t>(field)]; }
  std::uint64_t number(Field field) const;  // 0 when it is none
  TimePoint at() const { return fromMicros(static_cast<std::int64_t>(number(Field::TsUtc))); }

private:
  std::array<std::string_view, FieldCount> fields_;
};

// The bytes that are hashed and stored: each field with its length before it (32 bits, big-endian), nothing else.
std::string canonicalBytes(const EntryView& entry);
// Nothing unless the bytes are exactly the fields of an entry of EntryVersion. The views look into `bytes`.
std::optional<EntryView> parseEntry(std::string_view bytes);

// One text of the entry's details, or nothing when there is none of that name (or the details are no JSON).
std::optional<std::string> detailOf(const EntryView& entry, std::string_view name);

}  // namespace postern::audit
