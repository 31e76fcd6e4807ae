#include "core/net/DnsWire.h"

#include <arpa/inet.h>

namespace postern::net {

std::optional<std::string> readHostName(std::string_view wire) {
  std::string name;
  while (!wire.empty()) {
    const auto length = static_cast<unsigned char>(wire.front());
    if (length == 0) return wire.size() == 1 ? std::optional(name) : std::nullopt;
    if (length > 63 || wire.size() <= length) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const char c : wire.substr(1, length)) {
      const bool upper = c >= 'A' && c <= 'Z';
      const bool plain = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      if (!plain) return std::nullopt;  // no host name; it would go into logs and the ledger
      name += upper ? static_cast<char>(c + ('a' - 'A')) : c;
    }
    wire.remove_prefix(length + 1u);
  }
  return std::nullopt;
}

std::optional<MxRecord> readMx(std::string_view data) {
  if (data.size() < 3) return std::nullopt;
  auto host = readHostName(data.substr(2));
  if (!host) return std::nullopt;
  const auto high = static_cast<unsigned char>(data[0]);
  const auto low = static_cast<unsigned char>(data[1]);
  return MxRecord{static_cast<std::uint16_t>(high << 8 | low), std::move(*host)};
}

std::optional<std::string> readAddress(std::string_view data) {
  char text[INET6_ADDRSTRLEN];
  if (data.size() != 4 && data.size() != 16) return std::nullopt;
  return std::string(::inet_ntop(data.size() == 4 ? AF_INET : AF_INET6, data.data(), text, sizeof text));
}

std::optional<std::string> readTxt(std::string_view data) {
  std::string text;
  while (!data.empty()) {
    const std::size_t length = static_cast<unsigned char>(data.front());
    if (data.size() < length + 1) return std::nullopt;
    text += data.substr(1, length);
    data.remove_prefix(length + 1);
  }
  return text;
}

std::optional<std::string> readPointer(std::string_view data) {
  auto name = readHostName(data);
  if (name && name->empty()) return std::nullopt;
  return name;
}

std::optional<TlsaRecord> readTlsa(std::string_view data) {
  if (data.size() < 4) return std::nullopt;
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(data[i]); };
  return TlsaRecord{at(0), at(1), at(2), std::string(data.substr(3))};
}

}  // namespace postern::net
