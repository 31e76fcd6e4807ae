// rooms: net
#include "core/net/DnsWire.h"

#include <algorithm>
#include <cstdlib>

using namespace postern::net;

// Records of strangers: names that reach logs and the ledger are plain host names, and nothing is read past the data.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view wire(reinterpret_cast<const char*>(data), size);
  const auto plain = [](const std::string& name) {
    return std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    });
  };
  if (const auto name = readHostName(wire); name && (!plain(*name) || name->size() + 1 > size)) std::abort();
  if (const auto mx = readMx(wire); mx && (!plain(mx->host) || mx->host.size() + 3 > size)) std::abort();
  if (const auto text = readTxt(wire); text && text->size() > size) std::abort();
  if (const auto address = readAddress(wire); address && (address->empty() || (size != 4 && size != 16))) std::abort();
  if (const auto tlsa = readTlsa(wire)) {
    if (tlsa->data.size() + 3 != size) std::abort();
    if (isUsable(*tlsa) && tlsa->usage != 2 && tlsa->usage != 3) std::abort();
    if (isUsable(*tlsa) && tlsa->matching == 1 && tlsa->data.size() != 32) std::abort();
  }
  return 0;
}
