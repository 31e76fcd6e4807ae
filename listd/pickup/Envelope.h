#pragma once
#include "core/base/Clock.h"
#include "listd/compose/ListFacts.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::listd {

// The envelope mail of a pick-up copy: a fixed text with a link, and for some recipients SecureMessageATT.html with the
// ciphertext. It says which list it is from, or with `neutral` not even that; never who wrote, never the subject. The
// gateway knows this form and nothing else of that protection (gateway/deliver/EnvelopeShape). Pure.
struct EnvelopeFacts {
  mail::Address sender;    // the list, or the postmaster
  std::string senderName;  // UTF-8
  std::string webUrl;      // without a slash at the end
};
EnvelopeFacts envelopeOf(const ListFacts& list, bool neutral, std::string_view hostName, std::string_view webUrl);

struct EnvelopeLetter {
  std::string recipient;
  std::string token;  // of the link
  TimePoint expiresAt;
  TimePoint at;
  std::string messageId;
};
// The whole mail, link only.
std::string envelopeMail(const EnvelopeFacts& facts, const EnvelopeLetter& letter);
// The same up to the file, to be followed by the tail of the content.
std::string envelopeHead(const EnvelopeFacts& facts, const EnvelopeLetter& letter, std::uint64_t contentId);
// The file, shared by all copies.
std::string envelopeTail(std::string_view webUrl, std::uint64_t contentId, std::string_view ciphertext);

}  // namespace postern::listd
