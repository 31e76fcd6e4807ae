#include "cli/Reports.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

std::string text(const json& object, const char* field) {
  return object.contains(field) ? renderValue(field, object.at(field)) : "-";
}

// "TLSv1.3 TLS_AES_256_GCM_SHA384 (256 bits, verified)" or "no TLS".
std::string tlsText(const json& tls) {
  if (!tls.is_object() || tls.value("version", "").empty()) return "no TLS";
  return text(tls, "version") + " " + text(tls, "cipher") + " (" + text(tls, "bits") + " bits, " +
         text(tls, "verification") + ")";
}

void reportAttempt(std::ostream& out, const json& attempt) {
  out << "      " << text(attempt, "at") << "  " << text(attempt, "outcome");
  if (attempt.value("replyCode", 0) != 0)
    out << "  " << text(attempt, "replyCode") << " " << text(attempt, "replyText");
  else if (!attempt.value("replyText", "").empty())
    out << "  " << text(attempt, "replyText");
  if (!attempt.value("remoteHost", "").empty()) out << "\n        at " << text(attempt, "remoteHost");
  if (attempt.contains("tls")) out << ", " << tlsText(attempt["tls"]);
  out << "\n";
}

std::string gigabytes(const json& disk, const char* field) {
  const auto tenths = (disk.value(field, std::uint64_t{0}) + 50'000'000) / 100'000'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GB";
}

void renderDisk(std::ostream& out, const json& disk) {
  out << "disk:     " << gigabytes(disk, "usedBytes") << " of " << gigabytes(disk, "totalBytes") << " used";
  if (disk.value("forecast", "") == "learning") out << ", no forecast before the seventh day";
  if (disk.value("forecast", "") == "grows") out << ", grows by " << gigabytes(disk, "growthPerDay") << " a day";
  if (disk.value("fullAt", std::int64_t{0}) != 0) out << ", full at " << text(disk, "fullAt");
  out << "\n";
}

}  // namespace

void reportStatus(std::ostream& out, const json& result) {
  const auto& problems = result.value("problems", json::array());
  out << text(result, "hostName") << ", Postern " << text(result, "version") << ", since " << text(result, "startedAt")
      << "\n";
  if (result.contains("gateway")) {
    const auto& gateway = result["gateway"];
    out << "gateway:  " << (gateway.value("connected", false) ? "connected" : "not connected") << ", "
        << text(gateway, "sessions") << " sessions, " << text(gateway, "queued") << " copies queued, "
        << text(gateway, "held") << " held\n";
  }
  out << "lists:    " << text(result, "lists") << " with " << text(result, "members") << " members\n";
  if (result.contains("today")) {
    const auto& today = result["today"];
    out << "today:    " << text(today, "accepted") << " accepted, " << text(today, "refused") << " refused, "
        << text(today, "delivered") << " delivered, " << text(today, "deferred") << " deferred, "
        << text(today, "failed") << " failed, " << text(today, "withheld") << " withheld\n";
  }
  if (result.contains("disk")) renderDisk(out, result["disk"]);
  if (problems.empty()) {
    out << "All is well.\n";
    return;
  }
  out << "\nNeeds attention:\n";
  for (const auto& problem : problems)
    out << (problem.value("severity", "") == "error" ? "  ! " : "  - ") << text(problem, "what") << "\n    "
        << text(problem, "do") << "\n";
}

void reportReadiness(std::ostream& out, const json& result) {
  out << text(result, "ready") << " of " << text(result, "total") << " members (" << text(result, "percent")
      << " %) would get the next post:\n";
  for (const auto& item : result.at("items"))
    out << "  " << text(item, "count") << "  by " << text(item, "protection") << "\n";
  if (result.value("withheld", json::array()).empty()) return;
  out << "and would not:\n";
  for (const auto& item : result.at("withheld"))
    out << "  " << text(item, "count") << "  withheld: " << text(item, "reason") << "\n";
}

void reportImport(std::ostream& out, const json& result) {
  out << text(result, "added") << " added, " << text(result, "skipped") << " were members already\n";
  for (const auto& error : result.value("errors", json::array()))
    out << "  line " << text(error, "line") << ": " << text(error, "message") << "\n";
}

void reportTrace(std::ostream& out, const json& result) {
  const auto& post = result.at("post");
  out << "Post " << text(post, "id") << " to " << text(post, "list") << ", " << text(post, "size") << " bytes, "
      << text(post, "state") << "\n  received " << text(post, "receivedAt");
  if (post.contains("client")) {
    const auto& client = post["client"];
    out << " from " << text(client, "address") << ", " << tlsText(client.value("tls", json()));
    if (!client.value("senderCheck", "").empty()) out << "\n  sender: " << text(client, "senderCheck");
  }
  if (post.contains("journey")) out << "\n  before us: " << text(post["journey"], "sentence");
  if (post.contains("senderCheck")) {
    const auto& check = post["senderCheck"];
    out << "\n  encrypted to the list: " << text(check, "encryption") << ", signature: " << text(check, "standing");
    if (!check.value("signer", "").empty()) out << " (" << text(check, "signer") << ")";
  }
  out << "\n  Message-ID " << text(post, "messageId") << ", trace id " << text(post, "queueId") << "\n";
  const auto others = result.value("message", json::object()).value("posts", json::array());
  for (const auto& other : others)
    if (other.value("id", json()) != post.value("id", json()))
      out << "  the same message is post " << text(other, "id") << " to " << text(other, "list") << "\n";
  out << "\n";
  for (const auto& recipient : result.at("recipients")) {
    out << "  " << text(recipient, "address") << "\n    " << text(recipient, "state") << ", protection "
        << text(recipient, "protection") << ": " << text(recipient, "reason") << "\n";
    if (!recipient.value("keyFingerprint", "").empty()) out << "    key " << text(recipient, "keyFingerprint") << "\n";
    for (const auto& attempt : recipient.value("attempts", json::array())) reportAttempt(out, attempt);
  }
}

bool hasErrors(const json& result) {
  const auto problems = result.value("problems", json::array());
  return std::any_of(problems.begin(), problems.end(),
                     [](const json& problem) { return problem.value("severity", "") == "error"; });
}

}  // namespace postern::cli
