// rooms: smtp
#include "core/net/IpRange.h"
#include "core/smtp/Xclient.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

void demandHost(const std::optional<std::string>& text) {
  if (!text) return;
  demand(text->size() <= 255);
  demand(text->find_first_of("()<>\"\\;, \t\r\n") == std::string::npos);
  for (const char c : *text) demand(static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f);
}

void demandAddress(const std::optional<std::string>& text) {
  if (!text || text->empty()) return;
  const auto range = postern::net::IpRange::parse(*text);
  demand(range && range->text().starts_with(*text + "/"));
}

}  // namespace

// Whatever a filter is made to say, hosts are hosts, addresses are addresses, and nothing ends a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = postern::smtp::parseXclient(text);
  if (!parsed) {
    demand(!parsed.error().empty() && parsed.error().size() < 200);
    for (const char c : parsed.error()) demand(static_cast<unsigned char>(c) >= 0x20);
    return 0;
  }
  demandHost(parsed->name);
  demandHost(parsed->helo);
  demandAddress(parsed->address);
  demandAddress(parsed->destination);
  if (parsed->login) {
    demand(parsed->login->size() <= 255);
    for (const char c : *parsed->login) demand(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
  return 0;
}
