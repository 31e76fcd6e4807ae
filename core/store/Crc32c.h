#pragma once
#include <cstdint>
#include <string_view>

namespace postern::store {

// CRC-32C (Castagnoli, as in iSCSI and ext4), by the processor's instruction where it has one.
// Continues from `before`, so that pieces can be summed one after the other.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace postern::store
