#pragma once
#include "core/base/Clock.h"
#include "core/base/Result.h"
#include "core/mail/Message.h"
#include "listd/compose/ListFacts.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// What every copy of one post shares: made once, stored with the plan, so that a repeated run gives the same bytes.
struct PostStamp {
  std::string messageId;  // mail::makeMessageId(list domain)
  TimePoint at;
};

// A secure post in its two halves (RFC 9788; docs/decisions/0010-header-protection-of-list-posts.md).
struct SecurePost {
  // The message to be signed and then encrypted: a whole MIME entity with the protected header, CRLF.
  std::string inner;
  // Whole fields, each ended with CRLF, without the empty line and without MIME fields: the sealed entity's own
  // MIME-Version and Content-* lines follow it.
  std::string outerHeader;
};

// Whom From names.
struct PostAuthor {
  std::string name;  // never empty
  mail::Address address;
};

struct ListWords;

enum class ComposeError {
  Ambiguous,  // defects or duplicates in the header; two readers may see two messages
  NoAuthor,   // From does not hold exactly one usable address
};
const char* composeErrorText(ComposeError error);

// Turns an accepted post into what the list sends. Pure: no clock, no randomness, no I/O.
// Invariants:
//  1. The outer header of a secure post is made of the list facts and the stamp alone. From the post itself only
//     two things may show there: ids of this list's own earlier posts, and the word of a known Auto-Submitted value.
//  2. No composed header has a bare CR or LF, a line over 998 octets, or a field that the post or an owner smuggled in
//     through a value.
//  3. The body is the received body, byte for byte; beside a sender check or a footer it is a part of a
//     multipart/mixed, or the footer stands under its plain text. What the author signed or encrypted has no footer.
// Immutable; safe for all threads.
class PostComposer {
public:
  explicit PostComposer(ListFacts list) : list_(std::move(list)) {}

  // `senderCheck`: lines of ASCII text that readers find above the post, in a part of its own; empty: none.
  Result<SecurePost, ComposeError> composeSecure(const mail::Message& post, const PostStamp& stamp,
                                                 std::string_view senderCheck = {}) const;

  // The post of a secure list for a copy that only the connection protects (verified TLS): the same inner message with
  // a readable header, which stands outside as well (RFC 9788 with hp="clear"). outerHeader tells all.
  Result<SecurePost, ComposeError> composeSigned(const mail::Message& post, const PostStamp& stamp,
                                                 std::string_view senderCheck = {}) const;

  // Mail of a domain, not of a list: the author's own header, inside whole and outside without what is said in it
  // (subject "[...]"; who wrote to whom, when and in which thread stays). Bcc is nowhere. A subject without a plain
  // mark gets "[encrypt]" inside, so that replies stay marked.
  Result<SecurePost, ComposeError> composeDomain(const mail::Message& message, const PostStamp& stamp) const;

  // The same for a copy that only the connection protects: the message as it came, without Bcc.
  Result<std::string, ComposeError> composeDomainDirect(const mail::Message& message) const;

  // The copy of an open list: the whole message. Throws Error(Invariant) for a secure list.
  Result<std::string, ComposeError> composeOpen(const mail::Message& post, const PostStamp& stamp) const;

private:
  ListWords wordsFor(const mail::Message& post, std::string_view senderCheck) const;
  std::vector<std::string> openAuthorFields(const mail::Message& post, const PostAuthor& author) const;

  ListFacts list_;
};

}  // namespace postern::listd
