// rooms: mail
// Decoding gives valid UTF-8 on one line; what is written is one clean field and reads back.
#include "core/mail/EncodedWord.h"
#include "core/mail/Mailboxes.h"
#include "core/mail/Message.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern::mail;
  const auto check = [](bool holds) {
    if (!holds) std::abort();
  };
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string decoded = decodeUnstructured(input);
  check(isUtf8(decoded) && decoded.find_first_of("\r\n") == decoded.npos);

  const std::string field = encodeUnstructured("Subject", input);
  check(areWholeFields(field));
  const auto block = HeaderBlock::scan(field);
  check(block && block->fields().size() == 1);
  std::string expected = repairUtf8(input);
  for (char& c : expected)
    if (hasControl({&c, 1})) c = ' ';
  if (expected.find(std::string(64, ' ')) == expected.npos)
    check(decodeUnstructured(block->fields().front().value) == trim(expected));

  const auto address = *Address::parse("a@x.example");
  const auto mailbox = mailboxField("From", {{std::string(input), address}});
  check(areWholeFields(mailbox));
  const auto list = parseMailboxes(HeaderBlock::scan(mailbox)->fields().front().value);
  check(list.wellFormed && list.mailboxes.size() == 1 && list.mailboxes.front().address == address);
  return 0;
}
