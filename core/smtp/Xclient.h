#pragma once
#include "core/base/Result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::smtp {

// XCLIENT, by which a filter in front says who the client behind it is (Postfix, XCLIENT_README). An attribute that is
// not there changes nothing; one that is empty is not known to the filter ([UNAVAILABLE], [TEMPUNAVAIL]).
struct XclientCommand {
  std::optional<std::string> name;     // of the client; domain characters only
  std::optional<std::string> address;  // "192.0.2.1", "2001:db8::1"
  std::optional<std::string> helo;     // domain characters or an address literal only
  std::optional<std::string> login;    // printable
  std::optional<std::string> destination;
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> destinationPort;
  bool saysProtocol = false;
};

constexpr std::string_view XclientAttributes = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

// What stands behind the verb. Values are xtext (RFC 3461 §4); what decodes to a control character, to broken UTF-8 or
// to more than 255 octets, an attribute twice or not known, or none at all, is an error: a sentence for the reply.
Result<XclientCommand, std::string> parseXclient(std::string_view arguments);

}  // namespace postern::smtp
