#include "core/crypto/Der.h"

namespace postern::crypto::der {

std::optional<Item> Reader::next() {
  if (rest_.size() < 2) return std::nullopt;
  Item found;
  found.tag = static_cast<std::uint8_t>(rest_[0]);
  if ((found.tag & 0x1f) == 0x1f) return std::nullopt;  // tags above 30 have no place in what we read
  std::size_t length = static_cast<unsigned char>(rest_[1]);
  std::size_t header = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7f;
    if (count == 0 || count > 4 || rest_.size() < 2 + count) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | static_cast<unsigned char>(rest_[2 + i]);
    if (length < 0x80 || (count > 1 && length >> (8 * (count - 1)) == 0)) return std::nullopt;
    header += count;
  }
  if (length > rest_.size() - header) return std::nullopt;
  found.whole = rest_.substr(0, header + length);
  found.content = found.whole.substr(header);
  rest_.remove_prefix(found.whole.size());
  return found;
}

std::optional<Item> Reader::next(std::uint8_t tag) {
  auto found = next();
  if (found && found->tag != tag) return std::nullopt;
  return found;
}

std::optional<Item> Reader::nextIf(std::uint8_t tag) {
  if (rest_.empty() || static_cast<std::uint8_t>(rest_[0]) != tag) return std::nullopt;
  return next();
}

std::optional<Item> single(std::string_view bytes, std::uint8_t tag) {
  Reader reader(bytes);
  auto found = reader.next(tag);
  if (!reader.atEnd()) return std::nullopt;
  return found;
}

void appendLength(std::string& out, std::size_t length) {
  if (length < 0x80) {
    out.push_back(static_cast<char>(length));
    return;
  }
  unsigned count = 0;
  for (auto rest = length; rest > 0; rest >>= 8) ++count;
  out.push_back(static_cast<char>(0x80 | count));
  while (count-- > 0) out.push_back(static_cast<char>((length >> (8 * count)) & 0xff));
}

std::string item(std::uint8_t tag, std::string_view content) {
  std::string out;
  out.reserve(content.size() + 6);
  out.push_back(static_cast<char>(tag));
  appendLength(out, content.size());
  return out.append(content);
}

}  // namespace postern::crypto::der
