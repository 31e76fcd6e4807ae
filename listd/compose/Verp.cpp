#include "listd/compose/Verp.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/mail/Text.h"
#include "listd/compose/ListFacts.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace postern::listd {

namespace {

constexpr std::size_t MacLength = 7;
constexpr std::size_t KeyLength = 8;
constexpr std::string_view Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

std::string hmac(const Secret& key, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(data.data()),
           data.size(), digest.data(), &length) == nullptr)
    throw Error(ErrorKind::Crypto, "HMAC-SHA256 failed");
  return std::string(reinterpret_cast<const char*>(digest.data()), length);
}

std::string encodeTag(std::string_view bytes) {  // 15 octets are 24 characters, without padding
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 5) {
    std::uint64_t group = 0;
    for (std::size_t k = 0; k < 5; ++k) group = group << 8 | static_cast<unsigned char>(bytes[i + k]);
    for (int shift = 35; shift >= 0; shift -= 5) text += Alphabet[group >> shift & 31];
  }
  return text;
}

std::optional<std::string> decodeTag(std::string_view text) {
  if (text.size() != Verp::TagLength) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 8) {
    std::uint64_t group = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      const auto value = Alphabet.find(text[i + k]);
      if (value == Alphabet.npos) return std::nullopt;
      group = group << 5 | value;
    }
    for (int shift = 32; shift >= 0; shift -= 8) bytes += static_cast<char>(group >> shift & 255);
  }
  return bytes;
}

}  // namespace

Verp::Verp(Secret key) : key_(std::move(key)) {
  if (key_.size() < 16) throw Error(ErrorKind::Invariant, "the key for bounce addresses is shorter than 16 octets");
}

std::string Verp::authenticate(const mail::Address& list, std::uint64_t copyKey) const {
  const std::string data = Writer().string("verp-mac").string(list.key()).u64(copyKey).bytes();
  return hmac(key_, data).substr(0, MacLength);
}

std::uint64_t Verp::mask(std::string_view tagMac) const {
  const std::string data = Writer().string("verp-mask").string(tagMac).bytes();
  const std::string bytes = hmac(key_, data);
  return Reader(bytes).u64();
}

mail::Address Verp::make(const mail::Address& list, std::uint64_t copyKey) const {
  const std::string tagMac = authenticate(list, copyKey);
  const std::string bytes = Writer().raw(tagMac).u64(copyKey ^ mask(tagMac)).bytes();
  return subAddress(list, "bounces+" + encodeTag(bytes));
}

std::optional<std::uint64_t> Verp::verify(const mail::Address& list, const mail::Address& bounceAddress) const {
  const std::string prefix = mail::lowerAscii(list.localPart()) + "-bounces+";
  const std::string local = mail::lowerAscii(bounceAddress.localPart());
  if (bounceAddress.domain() != list.domain() || !local.starts_with(prefix)) return std::nullopt;
  const auto bytes = decodeTag(std::string_view(local).substr(prefix.size()));
  if (!bytes) return std::nullopt;
  const std::string_view tagMac = std::string_view(*bytes).substr(0, MacLength);
  const std::uint64_t copyKey = Reader(std::string_view(*bytes).substr(MacLength)).u64() ^ mask(tagMac);
  const std::string expected = authenticate(list, copyKey);
  if (CRYPTO_memcmp(expected.data(), tagMac.data(), MacLength) != 0) return std::nullopt;
  static_assert(MacLength + KeyLength == 15);
  return copyKey;
}

bool alignedDomains(std::string_view one, std::string_view other) {
  if (one.size() < other.size()) std::swap(one, other);
  if (mail::equalsIgnoreCase(one, other)) return !one.empty();
  if (other.find('.') == other.npos) return false;  // not even a name that somebody could own
  const auto rest = one.substr(one.size() - other.size());
  return one.size() > other.size() && one[one.size() - other.size() - 1] == '.' && mail::equalsIgnoreCase(rest, other);
}

}  // namespace postern::listd
