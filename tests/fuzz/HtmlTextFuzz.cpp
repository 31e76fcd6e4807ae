// rooms: mail
// Whatever an HTML page holds, its text is valid UTF-8 of bounded size, and a page without markup is its own text.
#include "core/mail/HtmlText.h"
#include "core/mail/Text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern;
  const auto html = mail::repairUtf8({reinterpret_cast<const char*>(data), size});
  const auto text = mail::htmlText(html);
  if (!mail::isUtf8(text) || text.size() > 2 * html.size() + 2) std::abort();
  if (html.find_first_of("<&") == std::string::npos && text != html) std::abort();
  return 0;
}
