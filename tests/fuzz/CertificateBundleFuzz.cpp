// rooms: crypto
// Files of certificates from strangers: never more than the bounds, whatever they hold.
#include "core/crypto/CertificateBundle.h"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto parsed = postern::crypto::parseCertificates(bytes);
  if (parsed && (parsed->empty() || parsed->size() > postern::crypto::MaxBundled)) __builtin_trap();
  return 0;
}
