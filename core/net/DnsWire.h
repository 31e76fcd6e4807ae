#pragma once
#include "core/net/Resolver.h"

#include <optional>
#include <string>
#include <string_view>

// The data of DNS records in wire form (RFC 1035 §3.3, RFC 6698 §2.1), as strangers made them: read, or nothing.
// Names come without compression; libunbound expands them.
namespace postern::net {

std::optional<std::string> readHostName(std::string_view data);  // lower case, no final dot; nothing if no host name
std::optional<MxRecord> readMx(std::string_view data);
std::optional<std::string> readAddress(std::string_view data);  // A or AAAA, as text
std::optional<std::string> readTxt(std::string_view data);      // the strings of one record joined
std::optional<std::string> readPointer(std::string_view data);  // a host name
std::optional<TlsaRecord> readTlsa(std::string_view data);

}  // namespace postern::net
