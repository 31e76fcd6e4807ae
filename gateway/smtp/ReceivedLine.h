#pragma once
#include "gateway/smtp/Transaction.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::gateway {

// The trace field that we put on top of an accepted message (RFC 5321 §4.4, protocol names by RFC 3848 and RFC 6531),
// with its CRLF: who gave it, over which TLS (version, cipher, bits, verification), to whom if there is one recipient.
struct ReceivedFacts {
  const ClientFacts& client;
  const std::string& helo;
  bool extended = true;
  const app::TlsFacts& tls;
  const Transaction& transaction;
  const std::string& hostName;
  const std::string& queueId;
  TimePoint at;
  bool authenticated = false;
};
std::string receivedLine(const ReceivedFacts& facts);

// How many Received fields stand in the header of a message: the hops it has made (RFC 5321 §6.3).
std::uint32_t countHops(std::string_view content);

}  // namespace postern::gateway
