#include "core/tlsrpt/TlsReportWriter.h"

#include "core/base/Error.h"
#include "core/mail/Text.h"

#include <zlib.h>

#include <nlohmann/json.hpp>

namespace postern::tlsrpt {
namespace {

using nlohmann::json;

constexpr std::size_t MaxPlaces = 10;
constexpr std::size_t MaxRecord = 4096;
constexpr std::string_view Version = "v=TLSRPTv1";

std::string base64Lines(std::string_view bytes) {
  constexpr std::string_view Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const auto count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? Letters[group >> (18 - 6 * k) & 63] : '=';
    if (i % 57 == 54) out += "\r\n";
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

json failureJson(const Failure& failure) {
  json detail{{"result-type", failure.type}, {"failed-session-count", failure.sessions}};
  if (!failure.sendingAddress.empty()) detail["sending-mta-ip"] = failure.sendingAddress;
  if (!failure.receivingHost.empty()) detail["receiving-mx-hostname"] = failure.receivingHost;
  if (!failure.receivingAddress.empty()) detail["receiving-ip"] = failure.receivingAddress;
  if (!failure.reason.empty()) detail["failure-reason-code"] = failure.reason;
  return detail;
}

bool isVisible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// "mailto:a@b" or "https://host/…", where "!size" and what else may follow is no part of the address.
bool isPlace(std::string_view place) {
  if (place.size() > 500 || !isVisible(place)) return false;
  if (place.starts_with("https://")) return place.size() > 8;
  return place.starts_with("mailto:") && place.find('@') != std::string_view::npos;
}

}  // namespace

std::string writeReport(const OwnReport& report) {
  json content{
      {"organization-name", report.organization},
      {"date-range", {{"start-datetime", formatRfc3339(report.begin)}, {"end-datetime", formatRfc3339(report.end)}}},
      {"contact-info", report.contact},
      {"report-id", report.id},
      {"policies", json::array()}};
  for (const auto& own : report.policies) {
    const auto& policy = own.policy;
    json entry;
    entry["policy"] = {{"policy-type", policy.type}, {"policy-domain", policy.domain}};
    if (!own.strings.empty()) entry["policy"]["policy-string"] = own.strings;
    if (!own.mxHosts.empty()) entry["policy"]["mx-host"] = own.mxHosts;
    entry["summary"] = {{"total-successful-session-count", policy.successful},
                        {"total-failure-session-count", policy.failed}};
    for (const auto& failure : policy.failures) entry["failure-details"].push_back(failureJson(failure));
    content["policies"].push_back(std::move(entry));
  }
  return content.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw Error(ErrorKind::Invariant, "zlib cannot be used");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, &deflateEnd);
  std::string packed(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw Error(ErrorKind::Invariant, "a report cannot be packed");
  packed.erase(packed.size() - stream.avail_out);
  return packed;
}

std::vector<std::string> reportPlaces(const std::vector<std::string>& records) {
  std::vector<std::string_view> found;
  for (const auto& record : records)
    if (record.starts_with(Version) && record.size() <= MaxRecord &&
        (record.size() == Version.size() || record[Version.size()] == ';' || record[Version.size()] == ' '))
      found.emplace_back(record);
  if (found.size() != 1) return {};
  auto rest = found.front().substr(Version.size());
  std::vector<std::string> places;
  bool seen = false;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(';'), rest.size());
    const auto field = mail::trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!field.starts_with("rua=")) continue;
    if (std::exchange(seen, true)) return {};
    auto list = field.substr(4);
    while (!list.empty() && places.size() < MaxPlaces) {
      const auto comma = std::min(list.find(','), list.size());
      const auto place = mail::trim(list.substr(0, comma));
      if (isPlace(place)) places.emplace_back(place);
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
  }
  return places;
}

std::string writeReportMail(const ReportMail& mail, std::string_view compressed) {
  const auto boundary = "=_report_" + mail.reportId.substr(0, 40);
  const auto name = mail.submitter + "!" + mail.domain + "!" + mail.begin + "!" + mail.end + ".json.gz";
  return "From: <" + mail.from + ">\r\nTo: <" + mail.to + ">\r\nDate: " + mail.date +
         "\r\nSubject: Report Domain: " + mail.domain + "\r\n Submitter: " + mail.submitter + "\r\n Report-ID: <" +
         mail.reportId + "@" + mail.submitter + ">\r\nMessage-ID: " + mail.messageId +
         "\r\nTLS-Report-Domain: " + mail.domain + "\r\nTLS-Report-Submitter: " + mail.submitter +
         "\r\nTLS-Required: No\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: "
         "multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"" +
         boundary + "\"\r\n\r\n--" + boundary +
         "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThis is a report on the TLS of connections to the mail "
         "servers of\r\n" +
         mail.domain + " (RFC 8460). It is made by a program.\r\n\r\n--" + boundary +
         "\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: "
         "attachment;\r\n filename=\"" +
         name + "\"\r\n\r\n" + base64Lines(compressed) + "--" + boundary + "--\r\n";
}

}  // namespace postern::tlsrpt
