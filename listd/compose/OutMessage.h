#pragma once
#include "core/base/Clock.h"
#include "core/mail/Address.h"

#include <string>
#include <vector>

namespace postern::listd {

struct OutFile {
  std::string name;  // UTF-8; may be empty
  std::string type;  // as in image/png; anything that is no plain type becomes application/octet-stream
  std::string content;
};

// What somebody wrote on a page, to be made a message. A value.
struct OutMessage {
  mail::Address from;
  std::vector<mail::Address> to;
  std::vector<mail::Address> cc;
  std::string subject;    // UTF-8
  std::string text;       // UTF-8, any line ends
  std::string messageId;  // REQUIRES mail::isMessageId
  TimePoint at;
  std::vector<OutFile> files;
};

// The message of RFC 5322 with MIME (RFC 2045, RFC 2231 for names of files), CRLF. Pure. Invariant: the header is these
// fields and no other, whatever subject, text, and names and types of files hold: every value goes through a writer
// that cannot end a line, and every body is base64, in which no boundary can stand.
std::string writeMessage(const OutMessage& message);

}  // namespace postern::listd
