#pragma once
#include <string>
#include <string_view>

namespace postern::webadmin {

// "Firefox on Linux", of a User-Agent field: enough for a person to tell the own sessions apart.
std::string deviceWords(std::string_view userAgent);

}  // namespace postern::webadmin
