#include "webadmin/ZipFile.h"

#include <array>

namespace postern::webadmin {

namespace {

constexpr std::array<std::uint32_t, 256> makeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    auto value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) ? 0xedb88320u ^ (value >> 1) : value >> 1;
    table[i] = value;
  }
  return table;
}
constexpr auto Table = makeTable();

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

std::string plainName(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    plain += fine ? c : '_';
  }
  return plain.empty() || plain.find_first_not_of('.') == std::string::npos ? "file" : plain;
}

// What the local and the central header share: version, flags, method, time, checksum, lengths.
std::string commonFields(std::string_view name, std::string_view bytes) {
  constexpr std::uint32_t FirstDay = 0x0021'0000;  // 1980-01-01 00:00: the archive says nothing of times
  std::string out;
  put(out, 20, 2);
  put(out, 0, 4);  // no flags, stored
  put(out, FirstDay, 4);
  put(out, crc32Of(bytes), 4);
  put(out, bytes.size(), 4);
  put(out, bytes.size(), 4);
  put(out, name.size(), 2);
  put(out, 0, 2);
  return out;
}

}  // namespace

std::uint32_t crc32Of(std::string_view bytes) {
  std::uint32_t value = 0xffffffffu;
  for (const char c : bytes) value = Table[(value ^ static_cast<unsigned char>(c)) & 0xff] ^ (value >> 8);
  return value ^ 0xffffffffu;
}

std::string zipOf(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string out, directory;
  for (const auto& [given, bytes] : files) {
    const auto name = plainName(given);
    const auto fields = commonFields(name, bytes);
    const auto offset = out.size();
    out += "PK\x03\x04" + fields + name + bytes;
    directory += "PK\x01\x02";
    put(directory, 20, 2);
    directory += fields;
    put(directory, 0, 10);  // comment, disk, attributes
    put(directory, offset, 4);
    directory += name;
  }
  const auto start = out.size();
  out += directory;
  out += "PK\x05\x06";
  put(out, 0, 4);
  put(out, files.size(), 2);
  put(out, files.size(), 2);
  put(out, directory.size(), 4);
  put(out, start, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace postern::webadmin
