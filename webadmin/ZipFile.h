#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::webadmin {

// A ZIP archive (APPNOTE 4.3, method "stored") of small files in memory. Names are plain file names: anything else in
// them becomes an underscore. REQUIRES: below 4 GB and 65,535 files in all.
std::string zipOf(const std::vector<std::pair<std::string, std::string>>& files);

std::uint32_t crc32Of(std::string_view bytes);

}  // namespace postern::webadmin
