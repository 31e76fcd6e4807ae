#pragma once
#include "core/mail/Address.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

// A fresh id, "<26 random characters@domain>": 128 random bits, nothing in it tells time, machine or recipient.
std::string makeMessageId(const DomainName& domain);

// msg-id of RFC 5322 §3.6.4 with its angle brackets, at most 250 octets (so that it stays on one line), ASCII, no
// blank, no control, exactly one "<", ">" and at least one "@" between.
bool isMessageId(std::string_view text);

// Every well-formed id of a References or In-Reply-To value, in order, at most `max` (the last ones are kept).
std::vector<std::string> parseMessageIds(std::string_view rawValue, std::size_t max = 100);

}  // namespace postern::mail
