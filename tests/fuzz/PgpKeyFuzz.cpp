// rooms: pgp
#include "core/base/Error.h"
#include "core/pgp/PublicKey.h"
#include "core/pgp/RecipientKey.h"

using namespace postern;

// Whatever the bytes are: a value or a refusal, never a crash; a key that was taken is the same when it is read again,
// and its recipient key can be stored and read back.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto key = pgp::PublicKey::parse({reinterpret_cast<const char*>(data), size});
  if (!key) return 0;
  const auto again = pgp::PublicKey::parse(key->armored());
  if (!again || again->bytes() != key->bytes()) __builtin_trap();
  try {
    const TimePoint now(std::chrono::seconds(1770000000));
    const auto report = key->inspect(now);
    const auto recipient = pgp::RecipientKey::of(*key, report);
    if (recipient && !report.valid()) __builtin_trap();
    if (recipient && !(pgp::RecipientKey::decode(recipient->encode()) == *recipient)) __builtin_trap();
  } catch (const Error&) {
    // OpenSSL refused the key's numbers.
  }
  return 0;
}
