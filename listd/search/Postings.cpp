#include "listd/search/Postings.h"

#include "core/base/Error.h"

#include <algorithm>

namespace postern::listd {
namespace {

void writeVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

class VarintReader {
public:
  explicit VarintReader(std::string_view bytes) : bytes_(bytes) {}
  bool atEnd() const { return at_ == bytes_.size(); }

  std::uint64_t next() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; at_ < bytes_.size() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    throw Error(ErrorKind::Malformed, "a block of the search index is damaged");
  }

private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace

Bits::Bits(std::size_t size, bool value) : size_(size), words_((size + 63) / 64, value ? ~std::uint64_t{0} : 0) {
  if (value && size % 64 != 0) words_.back() >>= 64 - size % 64;
}

bool Bits::none() const {
  return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
}

Bits& Bits::operator&=(const Bits& other) {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  return *this;
}

Bits& Bits::operator|=(const Bits& other) {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  return *this;
}

Bits& Bits::flip() {
  for (auto& word : words_) word = ~word;
  if (size_ % 64 != 0) words_.back() &= ~std::uint64_t{0} >> (64 - size_ % 64);
  return *this;
}

void BlockWriter::add(Token token, std::span<const std::uint32_t> members) {
  if (bytes_.empty()) {
    first_ = token;
    last_ = token;
  }
  writeVarint(bytes_, token - last_);
  writeVarint(bytes_, members.size());
  std::uint32_t before = 0;
  for (const auto member : members) {
    writeVarint(bytes_, member - before);
    before = member;
  }
  last_ = token;
  if (bytes_.size() >= GoodSize) finish();
}

void BlockWriter::finish() {
  if (!bytes_.empty()) flush_(first_, bytes_);
  bytes_.clear();
}

void readBlock(Token first, std::string_view bytes,
               const std::function<bool(Token token, const std::vector<std::uint32_t>& members)>& entry) {
  VarintReader reader(bytes);
  Token token = first;
  std::vector<std::uint32_t> members;
  while (!reader.atEnd()) {
    token += reader.next();
    members.clear();
    const auto count = reader.next();
    std::uint64_t member = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      member += reader.next();
      members.push_back(static_cast<std::uint32_t>(member));
    }
    if (!entry(token, members)) return;
  }
}

void findInBlock(Token first, std::string_view bytes, Token token, Bits& found) {
  VarintReader reader(bytes);
  Token current = first;
  while (!reader.atEnd()) {
    current += reader.next();
    if (current > token) return;
    std::uint64_t member = 0;
    for (auto count = reader.next(); count > 0; --count) {
      member += reader.next();
      if (current == token && member < found.size()) found.set(member);
    }
    if (current == token) return;
  }
}

}  // namespace postern::listd
