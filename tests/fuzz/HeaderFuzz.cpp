// rooms: mail
// Spans stay within the buffer and in order, edits keep the body, mailbox lists and dates never fall over.
#include "core/mail/Date.h"
#include "core/mail/Mailboxes.h"
#include "core/mail/Message.h"
#include "core/mail/MessageId.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern::mail;
  const auto check = [](bool holds) {
    if (!holds) std::abort();
  };
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto message = Message::parse(input);
  if (!message) return 0;
  check(message->bytes() == input);
  const char* previousEnd = message->bytes().data();
  for (const auto& field : message->header().fields()) {
    check(field.raw.data() >= previousEnd);
    previousEnd = field.raw.data() + field.raw.size();
    check(previousEnd <= message->bytes().data() + message->header().bodyOffset());
    check(field.raw.starts_with(field.name));
    for (const auto& mailbox : parseMailboxes(field.value, 50).mailboxes)
      check(isUtf8(mailbox.displayName) && !hasControl(mailbox.displayName) && isUtf8(mailbox.written));
    (void)parseParameterized(field.value);
    (void)parseDate(field.value);
    for (const auto& id : parseMessageIds(field.value)) check(isMessageId(id));
  }
  const std::string edited = message->edited(
      {HeaderEdit::remove("Subject"), HeaderEdit::replace("To", "To: a@b\r\n"), HeaderEdit::prepend("X: y\r\n")});
  check(edited.ends_with(message->body()));
  const auto again = Message::parse(edited);
  check(again && again->header().count("Subject") == 0 && again->header().count("To") == 1);
  return 0;
}
