#pragma once
#include "core/mail/Message.h"

#include <optional>
#include <string>
#include <string_view>

namespace postern::listd {

// What a mail that came to a bounce address says. Only Failure may count against a member. Everything in it was
// written by a stranger: believe it only for a copy whose VERP tag verified.
struct Bounce {
  enum class Kind {
    Failure,    // a server gave up
    Delay,      // a server still tries
    Success,    // a positive report (delivered, relayed, expanded)
    AutoReply,  // vacation and other responders
    Unknown,    // none of these: a person's mail, spam
  };
  Kind kind = Kind::Unknown;
  int statusClass = 0;  // of a Failure: 5 permanent, 4 given up after transient trouble; else 0
  std::string status;   // "5.1.1", or empty
  std::string text;     // diagnostic, printable ASCII on one line, at most 300 octets

  // Whether it may count against the member: a Failure that says something of the mailbox. A refusal of this message,
  // of its size, its content, its author, or of how it was sent (5.7.x, 5.7.30 of REQUIRETLS among them), of the way
  // there or of the whole server says nothing of it, whoever sends it on.
  bool ofMailbox() const;
};

// Whether a refusal with this enhanced status code (RFC 3463 and its registry) says something of the mailbox; one
// without a code (5.0.0) may.
bool saysOfMailbox(std::string_view status);

// Reads RFC 3464 reports, and the obvious free forms of servers that send none.
Bounce readBounce(const mail::Message& message);

}  // namespace postern::listd
