// rooms: crypto
#include "core/base/Error.h"
#include "core/crypto/Certificate.h"
#include "core/crypto/RecipientKey.h"

using namespace postern;

// Whatever the bytes are: a value or a refusal, never a crash; and a certificate that was taken can be checked and,
// if its key kind is supported, its recipient key stored and read back.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto parsed = crypto::Certificate::parse({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  const auto again = crypto::Certificate::parse(parsed->pem());
  if (!again || again->fingerprint() != parsed->fingerprint()) __builtin_trap();
  try {
    crypto::check(*parsed, "anna@example.org", TimePoint(std::chrono::seconds(1770000000)), nullptr);
    if (parsed->keyKind() == crypto::KeyKind::Unsupported) return 0;
    const auto key = crypto::RecipientKey::of(*parsed);
    if (!(crypto::RecipientKey::decode(key.encode()) == key)) __builtin_trap();
    key.openSslKey();
  } catch (const Error&) {
    // OpenSSL or our own checks refused the key's numbers.
  }
  return 0;
}
