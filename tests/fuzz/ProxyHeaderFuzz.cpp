// rooms: net
#include "core/net/ProxyHeader.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using postern::net::ProxyHeaderReader;

namespace {

using State = ProxyHeaderReader::State;

void demand(bool condition) {
  if (!condition) std::abort();
}

bool isAddress(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

}  // namespace

// Whole and byte by byte come to the same, nothing behind the header is taken, and whatever is known is an address.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ProxyHeaderReader whole;
  const auto used = whole.feed(bytes);
  demand(used <= bytes.size() && used <= ProxyHeaderReader::MaxBytes);
  ProxyHeaderReader pieces;
  std::size_t slowly = 0;
  for (const char byte : bytes) slowly += pieces.feed({&byte, 1});
  demand(slowly == used && pieces.state() == whole.state());
  if (whole.state() == State::Reading) demand(used == bytes.size());
  if (whole.state() == State::Broken) demand(!whole.problem().empty());
  if (whole.state() != State::Done) return 0;
  const auto& header = whole.header();
  demand(header.client == pieces.header().client && header.known == pieces.header().known);
  if (header.known)
    demand(isAddress(header.client) && isAddress(header.destination));
  else
    demand(header.client.empty() && header.destination.empty());
  ProxyHeaderReader alone;
  demand(alone.feed(bytes.substr(0, used)) == used && alone.state() == State::Done);
  return 0;
}
