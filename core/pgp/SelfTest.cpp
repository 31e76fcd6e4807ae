#include "core/base/Error.h"
#include "core/pgp/Armor.h"
#include "core/pgp/PublicKey.h"
#include "core/pgp/Rnp.h"
#include "core/pgp/Sealer.h"

#include <future>

namespace postern::pgp {

namespace {

using rnp::out;

constexpr std::string_view KnownText = "Content-Type: text/plain\r\n\r\nThe seal of Postern is whole.\r\n";

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::Crypto, "the OpenPGP self-test failed: " + what +
                                     ". No copies can be made with this installation of OpenSSL and librnp");
}

struct ThrowAway {
  rnp::Ffi ffi;
  RecipientKey recipient;
};

// An Ed25519 key for signing and one for encryption, made by librnp.
ThrowAway makeKey(const char* algorithm, const char* curve, std::uint32_t bits, TimePoint now) {
  ThrowAway made{rnp::store(now), {}};
  rnp::Key primary;
  rnp::check(rnp_generate_key_ex(made.ffi.get(), "EDDSA", algorithm, 0, bits, nullptr, curve,
                                 "self-test@localhost.invalid", nullptr, out(primary)),
             "make a throw-away key");
  const auto output = rnp::memoryOutput(1u << 20);
  rnp::check(rnp_key_export(primary.get(), output.get(), RNP_KEY_EXPORT_PUBLIC | RNP_KEY_EXPORT_SUBKEYS),
             "export a throw-away key");
  const auto key = PublicKey::parse(rnp::contentOf(output));
  if (!key) fail("a key does not parse");
  auto recipient = RecipientKey::of(*key, now);
  if (!recipient) fail("a key cannot be encrypted to");
  made.recipient = RecipientKey::decode(recipient->encode());
  return made;
}

std::string openWithRnp(const rnp::Ffi& ffi, std::string_view message, std::size_t most) {
  const auto begin = message.find("-----BEGIN PGP MESSAGE-----");
  const auto end = message.rfind("\r\n--pgp-");
  if (begin == std::string_view::npos || end == std::string_view::npos) fail("the copy has no armored message");
  const auto bytes = dearmor("MESSAGE", message.substr(begin, end - begin), true);
  if (!bytes) fail("the checksum of the armor is wrong");
  const auto input = rnp::memoryInput(*bytes);
  const auto output = rnp::memoryOutput(most);
  if (rnp_decrypt(ffi.get(), input.get(), output.get()) != RNP_SUCCESS) fail("the copy does not open");
  return std::string(rnp::contentOf(output));
}

void testCopy(const Sealer& sealer, const SharedBody& body, const ThrowAway& key, const std::string& plain) {
  const auto message = sealer.head(body, key.recipient) + body.tail();
  if (message.find("The seal") != std::string::npos) fail("the copy holds the text in clear");
  if (openWithRnp(key.ffi, message, 2 * plain.size()) != plain) fail("the copy opens to other bytes");
}

}  // namespace

void selfTest() {
  const Sealer sealer;
  const auto now = SystemClock().now();
  const std::string shortText(KnownText);
  auto longText = shortText;
  while (longText.size() < 3000) longText.append("The seal of Postern is whole.\r\n");
  const auto shortBody = SharedBody::encrypt(shortText);
  const auto longBody = SharedBody::encrypt(longText);
  const auto testKind = [&](const char* algorithm, const char* curve, std::uint32_t bits) {
    const auto key = makeKey(algorithm, curve, bits, now);
    testCopy(sealer, shortBody, key, shortText);
    testCopy(sealer, longBody, key, longText);
  };
  auto rsa = std::async(std::launch::async, testKind, "RSA", nullptr, 2048);  // which takes the longest to make
  testKind("ECDH", "Curve25519", 0);
  testKind("ECDH", "NIST P-256", 0);
  rsa.get();
}

}  // namespace postern::pgp
