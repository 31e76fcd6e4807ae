#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A word, pair or address under the index's key.
using Token = std::uint64_t;

// A set of objects of one chunk, by their number in it.
class Bits {
public:
  explicit Bits(std::size_t size, bool value = false);
  void set(std::size_t index) { words_[index / 64] |= std::uint64_t{1} << index % 64; }
  bool test(std::size_t index) const { return (words_[index / 64] >> index % 64 & 1) != 0; }
  bool none() const;
  Bits& operator&=(const Bits& other);
  Bits& operator|=(const Bits& other);
  Bits& flip();
  std::size_t size() const { return size_; }

private:
  std::size_t size_;
  std::vector<std::uint64_t> words_;
};

// A block: tokens ascending from its first one, which stands beside it, each with the numbers of its objects ascending,
// all as differences in varints.
class BlockWriter {
public:
  // `flush` takes each full block: its first token and its bytes.
  explicit BlockWriter(std::function<void(Token first, const std::string& bytes)> flush) : flush_(std::move(flush)) {}
  void add(Token token, std::span<const std::uint32_t> members);  // tokens strictly ascending; members too
  void finish();

private:
  static constexpr std::size_t GoodSize = 3900;  // fills a page of the database with what is around it
  std::function<void(Token, const std::string&)> flush_;
  std::string bytes_;
  Token first_ = 0;
  Token last_ = 0;
};

// Calls `entry` for each token of a block until it returns false. Throws Error(Malformed) for what is no block.
void readBlock(Token first, std::string_view bytes,
               const std::function<bool(Token token, const std::vector<std::uint32_t>& members)>& entry);
// The objects of one token in a block.
void findInBlock(Token first, std::string_view bytes, Token token, Bits& found);

}  // namespace postern::listd
