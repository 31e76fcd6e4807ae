#include "core/tlsrpt/TlsReport.h"

#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace postern::tlsrpt {
namespace {

using nlohmann::json;

constexpr std::string_view GzipMagic = "\x1f\x8b";
constexpr int MaxDepth = 10;

struct Refused {
  std::string sentence;
};

std::string unpack(std::string_view compressed) {
  if (compressed.size() > MaxCompressed) throw Refused{"the report is too large"};
  z_stream stream{};
  if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) throw Refused{"the report cannot be unpacked"};
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, &inflateEnd);
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string plain;
  std::string chunk(64u << 10, '\0');
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    plain.append(chunk, 0, chunk.size() - stream.avail_out);
    if (plain.size() > MaxJson) throw Refused{"the report is too large when unpacked"};
    if (result == Z_STREAM_END) return plain;
    if (result != Z_OK) throw Refused{"the report is no whole gzip file"};
  }
}

std::string oneLine(std::string text) {
  text = mail::repairUtf8(std::string(mail::cutUtf8(mail::repairUtf8(text.substr(0, 4 * MaxText)), MaxText)));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return std::string(mail::cutUtf8(text, MaxText));
}

std::string textOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? oneLine(found->get<std::string>()) : std::string();
}

// Senders write counts as numbers; a count that is missing, negative or no number would make the sums lie.
std::uint64_t countOf(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned() ||
      found->get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
    throw Refused{std::string("the report has no number of sessions in ") + name};
  return found->get<std::uint64_t>();
}

const json* memberOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

// RFC 3339 with any offset; parts of a second are passed over.
std::optional<TimePoint> parseTime(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t length) -> int {
    int value = -1;
    if (text.size() < at + length) return -1;
    const auto part = text.substr(at, length);
    const auto [end, error] = std::from_chars(part.data(), part.data() + length, value);
    return error == std::errc() && end == part.data() + length ? value : -1;
  };
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (number(0, 4) < 1970 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60)
    return std::nullopt;
  std::size_t at = 19;
  if (text[at] == '.')
    while (++at < text.size() && text[at] >= '0' && text[at] <= '9') {
    }
  std::chrono::minutes offset{0};
  if (at + 1 == text.size() && (text[at] == 'Z' || text[at] == 'z')) {
  } else if (at + 6 == text.size() && (text[at] == '+' || text[at] == '-') && text[at + 3] == ':') {
    const int hours = number(at + 1, 2), minutes = number(at + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
    offset = std::chrono::minutes((text[at] == '-' ? -1 : 1) * (hours * 60 + minutes));
  } else {
    return std::nullopt;
  }
  return TimePoint(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                   std::chrono::minutes(minute) + std::chrono::seconds(second) - offset);
}

Failure readFailure(const json& detail) {
  if (!detail.is_object()) throw Refused{"a failure of the report is no object"};
  return {textOf(detail, "result-type"),           textOf(detail, "sending-mta-ip"),
          textOf(detail, "receiving-mx-hostname"), textOf(detail, "receiving-ip"),
          textOf(detail, "failure-reason-code"),   countOf(detail, "failed-session-count")};
}

Policy readPolicy(const json& entry, std::size_t& failuresLeft) {
  const auto* about = entry.is_object() ? memberOf(entry, "policy") : nullptr;
  const auto* summary = entry.is_object() ? memberOf(entry, "summary") : nullptr;
  if (about == nullptr || !about->is_object() || summary == nullptr || !summary->is_object())
    throw Refused{"a policy of the report lacks its name or its summary"};
  Policy policy{textOf(*about, "policy-type"),
                mail::lowerAscii(textOf(*about, "policy-domain")),
                countOf(*summary, "total-successful-session-count"),
                countOf(*summary, "total-failure-session-count"),
                {}};
  if (policy.domain.empty()) throw Refused{"a policy of the report lacks its domain"};
  const auto* details = memberOf(entry, "failure-details");
  if (details == nullptr || !details->is_array()) return policy;
  if (details->size() > failuresLeft) throw Refused{"the report lists too many failures"};
  failuresLeft -= details->size();
  for (const auto& detail : *details) policy.failures.push_back(readFailure(detail));
  return policy;
}

Report readJson(std::string_view text) {
  if (text.size() > MaxJson) throw Refused{"the report is too large"};
  bool deep = false;
  const auto content = json::parse(
      text,
      [&](int depth, json::parse_event_t, json&) {
        deep = deep || depth > MaxDepth;
        return !deep;
      },
      false);
  if (deep || content.is_discarded() || !content.is_object()) throw Refused{"the report is no JSON object"};
  Report report{
      textOf(content, "organization-name"), textOf(content, "contact-info"), textOf(content, "report-id"), {}, {}, {}};
  const auto* range = memberOf(content, "date-range");
  const auto time = [&](const char* name) {
    const auto parsed = range != nullptr && range->is_object() ? parseTime(textOf(*range, name)) : std::nullopt;
    if (!parsed) throw Refused{std::string("the report has no valid ") + name};
    return *parsed;
  };
  report.begin = time("start-datetime");
  report.end = time("end-datetime");
  if (report.end < report.begin) throw Refused{"the report ends before it begins"};
  const auto* policies = memberOf(content, "policies");
  if (policies == nullptr || !policies->is_array() || policies->empty()) throw Refused{"the report is about no policy"};
  if (policies->size() > MaxPolicies) throw Refused{"the report is about too many policies"};
  auto failuresLeft = MaxFailures;
  for (const auto& entry : *policies) report.policies.push_back(readPolicy(entry, failuresLeft));
  return report;
}

}  // namespace

Result<Report, std::string> readReport(std::string_view bytes) {
  try {
    return bytes.starts_with(GzipMagic) ? readJson(unpack(bytes)) : readJson(bytes);
  } catch (const Refused& refused) {  // the boundary of this reader: what a stranger wrote is no error of ours
    return Unexpected(refused.sentence);
  }
}

Result<Report, std::string> readReportMail(std::string message) {
  const auto parsed = mail::Message::parse(std::move(message));
  if (!parsed) return Unexpected(std::string("the mail's header cannot be read"));
  mail::MimeLimits limits;
  limits.maxParts = 100;
  limits.maxDepth = 10;
  limits.keepContent = true;
  const auto tree = mail::MimeTree::parse(*parsed, limits);
  for (const auto& part : tree.parts())
    if (part.type == "application/tlsrpt+gzip" || part.type == "application/tlsrpt+json")
      return readReport(part.content);
  return Unexpected(
      std::string("the mail has no report: no part is application/tlsrpt+gzip or application/tlsrpt+json"));
}

}  // namespace postern::tlsrpt
