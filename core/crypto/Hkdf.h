#pragma once
#include "core/base/Secret.h"

#include <cstddef>
#include <string_view>

namespace postern::crypto {

// RFC 5869 with SHA-256. `info` separates the uses of one key: "postern queue key 1", "postern vault …".
Secret hkdfSha256(std::string_view key, std::string_view salt, std::string_view info, std::size_t length = 32);
inline Secret hkdfSha256(const Secret& key, std::string_view salt, std::string_view info, std::size_t length = 32) {
  return hkdfSha256(key.view(), salt, info, length);
}

}  // namespace postern::crypto
