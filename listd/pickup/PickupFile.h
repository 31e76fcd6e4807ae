#pragma once
#include "core/base/Secret.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The encrypted content of a pick-up message (docs/pickup-format.md): a header, then records of 64 KiB, each sealed
// with AES-256-GCM. The header, the number of the record and whether it is the last one are authenticated with each, so
// that records cannot be cut, moved or taken from another file. One key seals one file only. The browser opens the same
// form (webadmin/static/js/pickup.js). Pure. Errors: open throws Error(Crypto) for bytes that are not as they were
// made.
namespace postern::listd::pickupfile {

inline constexpr std::size_t RecordSize = 64 * 1024;
inline constexpr std::size_t Padding = 1024;  // plain sizes are rounded up to it

// What is inside: a card in JSON for showing the message, and the message itself.
struct Inside {
  std::string card;
  std::string message;
};

std::string seal(const Secret& key, std::uint64_t contentId, const Inside& inside);
Inside open(const Secret& key, std::uint64_t contentId, std::string_view file);

// The card alone, sealed apart under a key made of the content's, so that an inbox need not open whole contents.
std::string sealCard(const Secret& key, std::uint64_t contentId, std::string_view card);
std::string openCard(const Secret& key, std::uint64_t contentId, std::string_view sealed);

}  // namespace postern::listd::pickupfile
