#include "core/audit/LogEntry.h"

#include "core/base/Codec.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace postern::audit {
namespace {

constexpr std::array<const char*, FieldCount> Names = {"v",
                                                       "log_id",
                                                       "seq",
                                                       "ts_utc",
                                                       "clock_state",
                                                       "boot_id",
                                                       "prev_hash",
                                                       "policy_version",
                                                       "actor_id",
                                                       "actor_kind",
                                                       "role_used",
                                                       "auth",
                                                       "session_ref",
                                                       "src_ip",
                                                       "ua_class",
                                                       "action",
                                                       "object_type",
                                                       "object_id",
                                                       "object_version",
                                                       "list_id",
                                                       "matter_id",
                                                       "outcome",
                                                       "reason_code",
                                                       "reason_text",
                                                       "approver_id",
                                                       "request_id",
                                                       "before_digest",
                                                       "after_digest",
                                                       "detail"};

std::uint32_t lengthAt(std::string_view bytes) {
  std::uint32_t length = 0;
  for (const char byte : bytes.substr(0, 4)) length = length << 8 | static_cast<unsigned char>(byte);
  return length;
}

}  // namespace

const char* fieldName(Field field) {
  return Names.at(static_cast<std::size_t>(field));
}

std::uint64_t EntryView::number(Field field) const {
  const auto digits = (*this)[field];
  std::uint64_t value = 0;
  const auto end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  return read.ec == std::errc() && read.ptr == end ? value : 0;
}

std::string canonicalBytes(const EntryView& entry) {
  Writer writer;
  for (std::size_t i = 0; i < FieldCount; ++i) writer.string(entry[static_cast<Field>(i)]);
  return std::move(writer).bytes();
}

std::optional<EntryView> parseEntry(std::string_view bytes) {
  EntryView entry;
  for (std::size_t i = 0; i < FieldCount; ++i) {
    if (bytes.size() < 4) return std::nullopt;
    const auto length = lengthAt(bytes);
    bytes.remove_prefix(4);
    if (bytes.size() < length) return std::nullopt;
    entry[static_cast<Field>(i)] = bytes.substr(0, length);
    bytes.remove_prefix(length);
  }
  if (!bytes.empty() || entry[Field::Version] != EntryVersion) return std::nullopt;
  return entry;
}

std::optional<std::string> detailOf(const EntryView& entry, std::string_view name) {
  const auto details = nlohmann::json::parse(entry[Field::Detail], nullptr, false);
  if (!details.is_object()) return std::nullopt;
  const auto found = details.find(std::string(name));
  if (found == details.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace postern::audit
