// rooms: pgp
#include "core/pgp/Cleartext.h"

using namespace postern;

// Text that claims to be signed, from strangers: a verdict, never a crash; without a key nothing is valid, and what is
// no such text is not judged.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto verdict = pgp::verifyClearSigned(text, {}, TimePoint(std::chrono::seconds(1770000000)));
  if (verdict.valid()) __builtin_trap();
  if ((verdict.state == pgp::SignatureState::None) == pgp::isClearSigned(text)) __builtin_trap();
  return 0;
}
