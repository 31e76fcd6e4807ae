#include "gateway/smtp/ReceivedLine.h"

#include "core/mail/Date.h"
#include "core/mail/Text.h"

#include <openssl/rand.h>

#include <atomic>

namespace postern::gateway {

namespace {

std::string protocolName(const ReceivedFacts& facts) {
  const bool tls = !facts.tls.version.empty();
  if (facts.authenticated) return facts.transaction.smtpUtf8 ? "UTF8SMTPSA" : "ESMTPSA";  // under TLS always
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

}  // namespace postern::gateway
