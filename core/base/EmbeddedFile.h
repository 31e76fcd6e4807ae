#pragma once
#include <string_view>

namespace postern {

// A file that was compiled into the program (cmake/PosternEmbed.cmake). Lives as long as the program.
struct EmbeddedFile {
  std::string_view path;
  std::string_view content;
};

}  // namespace postern
