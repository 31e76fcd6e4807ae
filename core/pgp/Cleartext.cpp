#include "core/pgp/Cleartext.h"

#include "core/pgp/Armor.h"
#include "core/pgp/Packets.h"
#include "core/pgp/Signature.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace postern::pgp {
namespace {

constexpr std::string_view Begin = "-----BEGIN PGP SIGNED MESSAGE-----";
constexpr std::string_view Signature = "-----BEGIN PGP SIGNATURE-----";
constexpr std::size_t MaxArmor = 64 * 1024;

std::string_view takeLine(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  return line;
}

// The lines that were signed, their dashes unescaped (§7.1), with CRLF between them; `rest` is left at the signature.
std::optional<std::string> takeSigned(std::string_view& rest) {
  std::string content;
  for (bool first = true;; first = false) {
    if (rest.empty()) return std::nullopt;
    const auto here = rest;
    auto line = takeLine(rest);
    if (line == Signature) {
      rest = here;
      return content;
    }
    if (line.starts_with("- "))
      line.remove_prefix(2);
    else if (line == "-")  // "- " of an empty line, its blank lost
      line = {};
    else if (line.starts_with('-'))
      return std::nullopt;
    if (!first) content += "\r\n";
    content += line;
  }
}

// Names of digests alone: what else stands there is read as text of the author.
bool isHashHeader(std::string_view line) {
  constexpr std::array<std::string_view, 9> Names = {"MD5",    "SHA1",   "RIPEMD160", "SHA224",  "SHA256",
                                                     "SHA384", "SHA512", "SHA3-256",  "SHA3-512"};
  constexpr std::string_view start = "Hash: ";
  if (!line.starts_with(start)) return false;
  for (line.remove_prefix(start.size());;) {
    const auto end = line.find(',');
    if (std::find(Names.begin(), Names.end(), line.substr(0, end)) == Names.end()) return false;
    if (end == std::string_view::npos) return true;
    line.remove_prefix(end + 1);
    if (line.starts_with(' ')) line.remove_prefix(1);
  }
}

// "Comment: …" and what else may stand above the signature: readers see it, and nobody signed it.
bool hasArmorHeaders(std::string_view armored) {
  takeLine(armored);
  return !takeLine(armored).empty();
}

std::optional<std::vector<std::string>> signaturesOf(std::string_view armored) {
  if (armored.size() > MaxArmor) return std::nullopt;
  const auto bytes = dearmor("SIGNATURE", armored, true);
  if (!bytes) return std::nullopt;
  std::vector<std::string> signatures;
  PacketReader reader(*bytes);
  while (const auto packet = reader.next()) {
    if (packet->tag != PacketTag::Signature) return std::nullopt;
    signatures.push_back(pgp::packet(PacketTag::Signature, packet->body));
  }
  if (reader.malformed() || signatures.empty()) return std::nullopt;
  return signatures;
}

// Where the armor of the signature ends; what follows is not signed.
std::size_t endOfArmor(std::string_view text) {
  constexpr std::string_view end = "-----END PGP SIGNATURE-----";
  const auto at = text.find(end);
  return at == std::string_view::npos ? text.size() : at + end.size();
}

bool isBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

bool isClearSigned(std::string_view text) {
  for (std::size_t at = text.find(Begin); at != std::string_view::npos; at = text.find(Begin, at + 1)) {
    auto rest = text.substr(at);
    if ((at == 0 || text[at - 1] == '\n') && takeLine(rest) == Begin) return true;
  }
  return false;
}

SignatureVerdict verifyClearSigned(std::string_view text, std::span<const PublicKey> signers, TimePoint now) {
  SignatureVerdict verdict;
  if (!isClearSigned(text)) return verdict;
  verdict.state = SignatureState::Partial;
  auto rest = text;
  std::string_view line;
  while (!rest.empty() && (line = takeLine(rest)).empty()) {
  }
  if (line != Begin) return verdict;
  verdict.state = SignatureState::Unsupported;
  while (!rest.empty() && !(line = takeLine(rest)).empty())
    if (!isHashHeader(line)) return verdict;
  verdict.state = SignatureState::Invalid;
  const auto content = takeSigned(rest);
  if (!content) return verdict;
  const auto end = endOfArmor(rest);
  if (hasArmorHeaders(rest) || !isBlank(rest.substr(end))) {
    verdict.state = SignatureState::Partial;
    return verdict;
  }
  const auto signatures = signaturesOf(rest.substr(0, end));
  if (!signatures) return verdict;
  return verifyPackets(*content, *signatures, signers, now);
}

}  // namespace postern::pgp
