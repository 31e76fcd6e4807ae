#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::gateway {

// The DKIM-Signature fields that listd puts above a head, judged for the floor guard: they have the one form that our
// signer writes, in which nothing of a message can stand, and name the domain of From. A pure value.
struct SignatureShape {
  static constexpr std::size_t MaxFields = 4;
  static constexpr std::size_t MaxField = 4096;

  std::size_t size = 0;      // of the fields at the front of the head
  std::string problem = {};  // why they may not leave; empty: they may
};

SignatureShape takeSignatures(std::string_view head);

}  // namespace postern::gateway
