// rooms: webadmin
#include "webadmin/Http.h"

#include <cstddef>
#include <cstdint>

// Forms, uploads, cookies and redirects as a stranger sends them. The first line is the Content-Type.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postern::webadmin;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = input.find('\n');
  const auto type = input.substr(0, line);
  const auto body = line == input.npos ? input : input.substr(line + 1);
  if (const auto form = parseForm(body, type)) {
    std::size_t bytes = 0;
    for (const auto& [name, value] : form->items()) bytes += name.size() + value.size();
    if (bytes > body.size() || form->items().size() > 200) __builtin_trap();
  }
  parseCookies(body);
  if (isLocalPath(body) && (body[0] != '/' || body.substr(0, 2) == "//" || body.find('\n') != body.npos))
    __builtin_trap();
  if (const auto text = percentDecode(body, false); text && *percentDecode(percentEncode(*text), false) != *text)
    __builtin_trap();
  return 0;
}
