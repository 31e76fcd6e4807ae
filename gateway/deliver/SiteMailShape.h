#pragma once
#include <string_view>

namespace postern::gateway {

// What mail that the site itself writes to people may look like (listd/mailout/SiteMail composes it from
// core/app/texts): a fixed subject, as it stands in the header, and a text in which only numbers, times, a page of ours
// and a signed checkpoint vary. Nothing that somebody typed fits. Pure. Threads: safe for all.

// Whether a mail of that subject is one of these.
bool isSiteMailSubject(std::string_view subject);
// Whether it is the one that may be larger than others, since it has keys in it.
bool isListKeysSubject(std::string_view subject);

// Why it may not leave; null: it may. `from`, `to`: values of the header fields; `body` as it stands behind the header,
// in base64.
// `replyTo`: empty when the field is not there.
const char* siteMailFault(std::string_view subject, std::string_view from, std::string_view to,
                          std::string_view replyTo, std::string_view body);

}  // namespace postern::gateway
