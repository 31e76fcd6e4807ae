// rooms: gateway
#include "gateway/deliver/FloorGuard.h"

#include <cstdlib>

// Whatever the bytes of a copy are: the guard never crashes, gives one verdict however they are cut into head and
// tail, and lets no plain text pass as sealed.
using namespace postern;
using namespace postern::gateway;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view message(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto check = [](std::string_view head, const OutboundTail* tail) {
    return FloorGuard::check(app::Copy::Kind::Content, app::Protection::OpenPgp, app::Protection::OpenPgp, head, tail,
                             {})
        .has_value();
  };
  const bool whole = check(message, nullptr);
  const auto body = message.find("\r\n\r\n");
  if (body == std::string_view::npos) {
    if (whole) std::abort();
    return 0;
  }
  const auto room = message.size() - body - 4;
  const auto cut = body + 4 + (room == 0 ? 0 : (data[0] * 256u + data[1]) % room);
  const auto tail = OutboundTail::make(std::make_shared<const std::string>(message.substr(cut)));
  if (tail.has_value() && check(message.substr(0, cut), tail->get()) != whole) std::abort();
  return 0;
}
