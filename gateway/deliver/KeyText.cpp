#include "gateway/deliver/KeyText.h"

#include "core/crypto/Certificate.h"
#include "core/crypto/Encoding.h"

#include <algorithm>
#include <optional>
#include <string>

namespace postern::gateway {
namespace {

constexpr std::string_view PemBegin = "-----BEGIN CERTIFICATE-----\r\n";
constexpr std::string_view PemEnd = "-----END CERTIFICATE-----\r\n";
constexpr std::string_view ArmorBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\n";
constexpr std::string_view ArmorEnd = "-----END PGP PUBLIC KEY BLOCK-----\r\n";
constexpr std::size_t MostCertificates = 12;
constexpr std::size_t LongestUserId = 500;

// From `begin` at the front to the first `end`, both included; empty when it is not there.
std::string_view blockOf(std::string_view text, std::string_view begin, std::string_view end) {
  if (!text.starts_with(begin)) return {};
  const auto at = text.find(end);
  return at == std::string_view::npos ? std::string_view() : text.substr(0, at + end.size());
}

bool isCertificate(std::string_view block) {
  std::string pem(block);
  std::erase(pem, '\r');
  const auto certificate = crypto::Certificate::parse(pem);
  return certificate && certificate->pem() == pem;
}

// The length of a packet's body in the new form, without partial lengths (RFC 4880 §4.2.2).
std::optional<std::size_t> takeLength(std::string_view& bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  std::size_t length = 0, octets = 0;
  if (bytes.empty()) return std::nullopt;
  if (at(0) < 192) {
    length = at(0);
    octets = 1;
  } else if (at(0) < 224 && bytes.size() >= 2) {
    length = (std::size_t(at(0)) - 192) * 256 + at(1) + 192;
    octets = 2;
  } else if (at(0) == 255 && bytes.size() >= 5) {
    for (std::size_t i = 1; i < 5; ++i) length = length * 256 + at(i);
    octets = 5;
  } else {
    return std::nullopt;
  }
  bytes.remove_prefix(octets);
  return length;
}

// The same in the old form (§4.2.1), whose kind of length stands in the first byte.
std::optional<std::size_t> takeOldLength(std::string_view& bytes, unsigned kind) {
  constexpr std::size_t Octets[] = {1, 2, 4};
  if (kind > 2 || bytes.size() < Octets[kind]) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < Octets[kind]; ++i) length = length * 256 + static_cast<unsigned char>(bytes[i]);
  bytes.remove_prefix(Octets[kind]);
  return length;
}

// A primary key first, then nothing but signatures, subkeys and user ids (§11.1).
bool isPublicKey(std::string_view bytes) {
  enum Tag : unsigned { Signature = 2, Key = 6, UserId = 13, Subkey = 14 };
  for (bool first = true; first || !bytes.empty(); first = false) {
    if (bytes.empty()) return false;
    const auto head = static_cast<unsigned char>(bytes.front());
    if ((head & 0x80U) == 0) return false;
    bytes.remove_prefix(1);
    const bool isNew = (head & 0x40U) != 0;
    const unsigned tag = isNew ? head & 0x3fU : (head >> 2U) & 0x0fU;
    const auto length = isNew ? takeLength(bytes) : takeOldLength(bytes, head & 3U);
    if (!length || *length > bytes.size() || (tag == UserId && *length > LongestUserId)) return false;
    if (first ? tag != Key : (tag != Signature && tag != UserId && tag != Subkey)) return false;
    bytes.remove_prefix(*length);
  }
  return true;
}

}  // namespace

std::size_t certificatesSize(std::string_view text) {
  std::size_t size = 0;
  for (std::size_t count = 0; count < MostCertificates; ++count) {
    const auto block = blockOf(text.substr(size), PemBegin, PemEnd);
    if (block.empty()) break;
    if (!isCertificate(block)) return 0;
    size += block.size();
  }
  return size;
}

std::size_t openPgpKeySize(std::string_view text) {
  const auto block = blockOf(text, ArmorBegin, ArmorEnd);
  if (block.empty()) return 0;
  auto inside = block.substr(ArmorBegin.size(), block.size() - ArmorBegin.size() - ArmorEnd.size());
  constexpr std::size_t Checksum = 7;  // "=twTO" and CRLF
  if (inside.size() < Checksum || inside[inside.size() - Checksum] != '=') return 0;
  inside.remove_suffix(Checksum);
  const auto bytes = crypto::fromBase64(inside);
  return bytes && crypto::base64Lines(*bytes) == inside && isPublicKey(*bytes) ? block.size() : 0;
}

}  // namespace postern::gateway
