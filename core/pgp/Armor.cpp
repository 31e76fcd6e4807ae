#include "core/pgp/Armor.h"

#include "core/crypto/Encoding.h"

namespace postern::pgp {

namespace {

using Table = std::array<std::uint32_t, 256>;

// Tables[k][b]: what byte b does to the state when k bytes follow it. Four bytes are taken at a time: the checksum is
// worked out for every copy.
constexpr auto Tables = [] {
  std::array<Table, 4> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i << 16;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x800000) != 0 ? 0x1864cfbu : 0);
    tables[0][i] = crc & 0xffffff;
  }
  for (std::size_t k = 1; k < tables.size(); ++k)
    for (std::size_t i = 0; i < 256; ++i) {
      const auto before = tables[k - 1][i];
      tables[k][i] = ((before << 8) ^ tables[0][before >> 16]) & 0xffffff;
    }
  return tables;
}();

constexpr std::string_view Dashes = "-----";

std::string_view takeLine(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  return line;
}

bool isBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

std::uint32_t crc24(std::uint32_t state, std::string_view bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  auto left = bytes.size();
  for (; left >= 4; left -= 4, at += 4)
    state = Tables[3][(state >> 16) ^ at[0]] ^ Tables[2][((state >> 8) & 0xff) ^ at[1]] ^
            Tables[1][(state & 0xff) ^ at[2]] ^ Tables[0][at[3]];
  for (; left > 0; --left, ++at) state = ((state << 8) ^ Tables[0][((state >> 16) ^ *at) & 0xff]) & 0xffffff;
  return state;
}

std::string crcLine(std::uint32_t state) {
  const char bytes[3] = {static_cast<char>(state >> 16), static_cast<char>(state >> 8), static_cast<char>(state)};
  return "=" + crypto::base64(std::string_view(bytes, 3)) + "\r\n";
}

std::string armor(std::string_view type, std::string_view bytes) {
  std::string out;
  out.append("-----BEGIN PGP ").append(type).append("-----\r\n\r\n");
  out.append(crypto::base64Lines(bytes)).append(crcLine(crc24(Crc24Start, bytes)));
  return out.append("-----END PGP ").append(type).append("-----\r\n");
}

std::optional<std::string> dearmor(std::string_view type, std::string_view text, bool alone) {
  const auto begin = std::string("-----BEGIN PGP ").append(type).append(Dashes);
  const auto end = std::string("-----END PGP ").append(type).append(Dashes);
  for (;;) {
    if (text.empty()) return std::nullopt;
    const auto line = takeLine(text);
    if (line == begin) break;
    if (line.starts_with("-----BEGIN PGP ")) return std::nullopt;
    if (alone && !line.empty()) return std::nullopt;
  }
  for (std::string_view line; !(line = takeLine(text)).empty();)  // "Version: …", "Comment: …"
    if (text.empty() || line.find(": ") == std::string_view::npos) return std::nullopt;
  std::string encoded;
  std::string checksum;
  for (;;) {
    if (text.empty()) return std::nullopt;
    const auto line = takeLine(text);
    if (line == end) break;
    if (line.empty()) continue;
    if (!checksum.empty() || line.starts_with(Dashes)) return std::nullopt;
    if (line.size() == 5 && line.front() == '=')
      checksum = line;
    else
      encoded.append(line);
  }
  if (alone ? !isBlank(text) : text.find("-----BEGIN PGP ") != std::string_view::npos) return std::nullopt;
  auto bytes = crypto::fromBase64(encoded);
  if (!bytes || bytes->empty()) return std::nullopt;
  if (!checksum.empty() && !crcLine(crc24(Crc24Start, *bytes)).starts_with(checksum)) return std::nullopt;
  return bytes;
}

}  // namespace postern::pgp
