#pragma once
#include "core/pgp/Pkesk.h"
#include "core/pgp/SharedBody.h"

#include <array>
#include <mutex>

namespace postern::pgp {

// How a head brings its end to where the shared tail can follow. The tail's base64 is the same behind every head only
// if the head has a multiple of three bytes; its checksum only if the checksum so far is the same. Both are reached by
// the cuts of the data packet's first bytes, which stand in the heads as parts (RFC 4880 §4.2.2.4, powers of two):
//   512 | 2 2 | 10 | 3 3 3 …
// Each 2 is one part or two of one byte: the head grows by 0, 1 or 2 bytes. Each 3 is 2+1 or 1+2, and the 10 is 8+1+1
// or 4+4+2: the same length, other bytes in between. What such a choice changes in the checksum does not depend on the
// rest of the head, and adds up (XOR); so those are found that bring the checksum to 0. (The 10 is there because the
// checksum's polynomial is even: to put the same bytes in another order never changes the parity.)
struct Cuts {
  static constexpr std::size_t FirstPart = 512;
  static constexpr std::size_t Pairs = 2;
  static constexpr std::size_t Ten = 10;
  static constexpr std::size_t Triples = 48;
  static constexpr std::size_t Choices = 1 + Triples;
  static constexpr std::size_t Bytes = FirstPart + 2 * Pairs + Ten + 3 * Triples;  // of data in a head

  // Row b of the basis: choices that change bit b of the checksum and no bit above it.
  struct Row {
    std::uint32_t change = 0;
    std::uint64_t choices = 0;
  };
  std::array<Row, 24> basis{};

  // Whether every checksum can be reached, which fails about once in 2^25 draws. REQUIRES: data of Bytes bytes.
  bool prepare(std::string_view data);
  // Appends `data` in parts to what stands in `head` (whole packets and the data packet's tag).
  void append(std::string& head, std::string_view data) const;
};

struct SharedBody::Content {
  Secret sessionKey;  // as a field: cipher, key, sum
  std::string boundary;
  std::string first;     // the data packet's first bytes; all of them if the message is short
  bool isShort = false;  // then all of the packet stands in the head, and the tail is the same for every message
  Cuts cuts;
  std::string tail;

  const EphemeralKey& ephemeral(KeyKind curve) const;

private:
  struct Slot {
    std::once_flag once;
    EphemeralKey key;
  };
  mutable std::array<Slot, 4> slots_;  // Curve25519, P-256, P-384, P-521
};

}  // namespace postern::pgp
