#include "core/base/Error.h"
#include "core/pgp/Armor.h"
#include "core/pgp/SharedBodyContent.h"

namespace postern::pgp {

namespace {

// A part's length byte for 2^exponent.
constexpr char lengthByte(unsigned exponent) {
  return static_cast<char>(0xe0 | exponent);
}
constexpr unsigned FirstExponent = 9;

template <class Exponents>
void appendParts(std::string& head, std::string_view& data, const Exponents& exponents) {
  for (const unsigned exponent : exponents) {
    const auto size = std::size_t(1) << exponent;
    head.append(1, lengthByte(exponent)).append(data.substr(0, size));
    data.remove_prefix(size);
  }
}

// Choice 0 is the ten, the others are the triples.
void appendChoice(std::string& head, std::string_view& data, std::size_t number, bool other) {
  static constexpr std::array<std::array<unsigned, 3>, 2> Tens{{{3, 0, 0}, {2, 2, 1}}};
  static constexpr std::array<std::array<unsigned, 2>, 2> Triples{{{1, 0}, {0, 1}}};
  if (number == 0)
    appendParts(head, data, Tens[other ? 1 : 0]);
  else
    appendParts(head, data, Triples[other ? 1 : 0]);
}

void appendChoices(std::string& head, std::string_view data, std::uint64_t chosen) {
  for (std::size_t i = 0; i < Cuts::Choices; ++i) appendChoice(head, data, i, (chosen >> i & 1) != 0);
}

constexpr std::size_t ChoicesSize = (Cuts::Ten + 3) + (3 + 2) * Cuts::Triples;

}  // namespace

bool Cuts::prepare(std::string_view data) {
  basis = {};
  data.remove_prefix(FirstPart + 2 * Pairs);
  std::size_t found = 0;
  auto left = ChoicesSize;
  for (std::size_t i = 0; i < Choices; ++i) {
    std::string change;
    std::string other;
    auto again = data;
    appendChoice(change, data, i, false);
    appendChoice(other, again, i, true);
    for (std::size_t k = 0; k < change.size(); ++k) change[k] = static_cast<char>(change[k] ^ other[k]);
    left -= change.size();
    change.append(left, '\0');
    Row row{crc24(0, change), std::uint64_t(1) << i};
    for (std::size_t bit = basis.size(); bit-- > 0 && row.change != 0;) {
      if ((row.change >> bit & 1) == 0) continue;
      if (basis[bit].change == 0) {
        basis[bit] = row;
        ++found;
        break;
      }
      row.change ^= basis[bit].change;
      row.choices ^= basis[bit].choices;
    }
  }
  return found == basis.size();
}

void Cuts::append(std::string& head, std::string_view data) const {
  static constexpr std::array<unsigned, 1> Whole{1};
  static constexpr std::array<unsigned, 2> Cut{0, 0};
  appendParts(head, data, std::array{FirstExponent});
  const auto growth = (3 - (head.size() + 3 * Pairs + ChoicesSize) % 3) % 3;
  for (std::size_t i = 0; i < Pairs; ++i) {
    if (i < growth)
      appendParts(head, data, Cut);
    else
      appendParts(head, data, Whole);
  }
  const auto start = head.size();
  appendChoices(head, data, 0);
  auto state = crc24(Crc24Start, head);
  std::uint64_t chosen = 0;
  for (std::size_t bit = basis.size(); bit-- > 0;) {
    if ((state >> bit & 1) == 0) continue;
    state ^= basis[bit].change;
    chosen ^= basis[bit].choices;
  }
  if (state != 0) throw Error(ErrorKind::Invariant, "the checksum of an OpenPGP copy cannot be reached");
  head.resize(start);
  appendChoices(head, data, chosen);
}

}  // namespace postern::pgp
