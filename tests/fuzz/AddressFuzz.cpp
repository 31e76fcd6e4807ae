// rooms: mail
// An address that parses keeps its invariants and reads back from its own text.
#include "core/mail/Address.h"
#include "core/mail/Text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern::mail;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto address = Address::parse(input);
  if (!address) return 0;
  const auto again = Address::parse(address->text());
  const bool holds = address->localPart().size() <= 64 && address->domain().size() <= 255 && isUtf8(address->text()) &&
                     !hasControl(address->text()) && isAscii(address->domain()) && again &&
                     again->text() == address->text() && again->key() == address->key();
  if (!holds) std::abort();
  return 0;
}
