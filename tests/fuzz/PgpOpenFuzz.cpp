// rooms: pgp
#include "core/pgp/Data.h"
#include "core/pgp/Opening.h"

using namespace postern;

// Whatever a stranger mails: opened or refused, never a crash, never more content than the limit. The first byte
// chooses what is fed: the message, or what stood inside a decrypted one.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const TimePoint now(std::chrono::seconds(1770000000));
  static const auto key = pgp::SecretKey::create("Board", "board@lists.example", now, std::chrono::days(100));
  static const std::vector<pgp::PublicKey> signers{key.publicKey()};
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr std::size_t Most = 100'000;
  if ((data[0] & 1) == 0) {
    pgp::open(bytes, std::vector{key}, signers, now, {1u << 20, Most});
    if (pgp::verifySigned(bytes, signers, now).state == pgp::SignatureState::Valid) __builtin_trap();
  } else if (const auto contents = pgp::readContents(bytes, Most)) {
    if (contents->literal.size() > Most) __builtin_trap();
  }
  return 0;
}
