#include "gateway/smtp/ReceivedLine.h"

#include "core/mail/Date.h"
#include "core/mail/Text.h"

#include <openssl/rand.h>

#include <atomic>

namespace postern::gateway {

namespace {

std::string protocolName(const ReceivedFacts& facts) {
  const bool tls = !facts.tls.version.empty();
  if (facts.transaction.smtpUtf8) return tls ? "UTF8SMTPS" : "UTF8SMTP";
  if (!facts.extended) return "SMTP";  // no name is registered for HELO over TLS; the comment tells of it
  return tls ? "ESMTPS" : "ESMTP";
}

std::string addressLiteral(const std::string& address) {
  return address.find(':') == std::string::npos ? "[" + address + "]" : "[IPv6:" + address + "]";
}

std::string tlsComment(const app::TlsFacts& tls) {
  const auto bits = std::to_string(tls.bits);
  std::string text = "(using " + tls.version + " with cipher " + tls.cipher + " (" + bits + "/" + bits + " bits)";
  text += tls.verification == "none" || tls.verification.empty() ? "; no client certificate requested)"
                                                                 : "; client certificate: " + tls.verification + ")";
  return text;
}

std::uint32_t randomStart() {
  std::uint32_t value = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value);
  return value;
}

}  // namespace

std::string receivedLine(const ReceivedFacts& facts) {
  const auto& recipients = facts.transaction.recipients;
  std::string line = "Received: from " + facts.helo + " (" +
                     (facts.client.name.empty() ? "unknown" : facts.client.name) + " " +
                     addressLiteral(facts.client.address) + ")\r\n";
  if (!facts.tls.version.empty()) line += "\t" + tlsComment(facts.tls) + "\r\n";
  line += "\tby " + facts.hostName + " (Postern) with " + protocolName(facts) + " id " + facts.queueId;
  if (recipients.size() == 1) line += "\r\n\tfor <" + recipients.front().address.text() + ">";
  return line + ";\r\n\t" + mail::formatDate(facts.at) + "\r\n";
}

std::uint32_t countHops(std::string_view content) {
  constexpr std::string_view Name = "received:";
  std::uint32_t hops = 0;
  while (!content.empty() && content.substr(0, 2) != "\r\n") {
    if (mail::equalsIgnoreCase(content.substr(0, Name.size()), Name)) ++hops;
    const auto end = content.find("\r\n");
    if (end == std::string_view::npos) break;
    content.remove_prefix(end + 2);
  }
  return hops;
}

std::string newQueueId(TimePoint now) {
  static std::atomic<std::uint32_t> counter{randomStart()};
  static constexpr std::string_view Digits = "0123456789bcdfghjkmnpqrstvwxyz_-";  // 32, no vowels: no words
  static_assert(Digits.size() == 32);
  auto value = static_cast<std::uint64_t>(toMicros(now)) & ((std::uint64_t{1} << 55) - 1);
  std::string id(15, '0');
  for (std::size_t i = 11; i-- > 0; value >>= 5) id[i] = Digits[value & 31];
  auto count = counter.fetch_add(1, std::memory_order_relaxed) & 0xfffff;
  for (std::size_t i = 15; i-- > 11; count >>= 5) id[i] = Digits[count & 31];
  return id;
}

}  // namespace postern::gateway
