#pragma once
#include "core/mail/Address.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {

// One mailbox out of From, To or Reply-To.
struct Mailbox {
  std::string displayName;         // decoded, valid UTF-8, one line; a comment behind the address if no name is there
  std::string written;             // the address as it was written (comments and blanks taken out)
  std::optional<Address> address;  // none: it is no address that SMTP could carry
};

// What an address field holds. `wellFormed` is false when something had to be skipped or guessed (unclosed quote,
// missing comma, empty angle brackets, text behind the address …) or the limit was reached.
struct MailboxList {
  std::vector<Mailbox> mailboxes;
  bool wellFormed = true;
  bool truncated = false;
};

// Reads an address list (RFC 5322 §3.4 with §4.4, RFC 6532): names, groups (their members are taken into the list),
// comments, obsolete routes (dropped). Tolerant, linear, never recursive; stops at `max` mailboxes.
MailboxList parseMailboxes(std::string_view rawValue, std::size_t max = 10'000);

// `Name <address>` or the bare address, safe for a header value whatever the name holds.
std::string formatMailbox(std::string_view displayName, const Address& address);

// A whole field with folded lines: "Reply-To: A <a@x>, B <b@y> CRLF". REQUIRES at least one mailbox.
std::string mailboxField(std::string_view fieldName, const std::vector<std::pair<std::string, Address>>& mailboxes);

}  // namespace postern::mail
