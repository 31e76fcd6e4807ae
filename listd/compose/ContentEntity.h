#pragma once
#include "core/mail/Message.h"
#include "listd/compose/PostComposer.h"

#include <optional>
#include <string>
#include <string_view>

// The MIME entity of a composed post: the author's content, with what the list says above and below it.
namespace postern::listd {

// The post's Content-Type with a mark of RFC 9788 §2.1; a mark of the author's own is taken off. The older mark
// protected-headers stands beside it: notmuch, Thunderbird and others look for that one alone.
constexpr std::string_view ProtectedMark = ";\r\n hp=\"cipher\"; protected-headers=\"v1\"";
constexpr std::string_view ReadableMark = ";\r\n hp=\"clear\"; protected-headers=\"v1\"";
// Nothing when it is malformed.
std::optional<std::string> markedContentType(const mail::Message& post, std::string_view mark);

// The MIME fields of the post without and its body as it came, but for empty lines after the closing boundary of a
// multipart (Outlook writes one): programs on GMime, such as notmuch, lose them and then call a signature bad.
std::string contentFields(const mail::Message& post, const std::string& contentType);
std::string_view contentBody(const mail::Message& post);

// Whether a footer would spoil or mislead: the content is signed or encrypted by the author.
bool isSealedByAuthor(const mail::Message& post);

// What the list adds. Both empty: the content stays as it is.
struct ListWords {
  std::string_view above;   // ASCII lines ended with CRLF, a part of their own
  std::string_view footer;  // UTF-8 lines ended with LF; within plain text where that is possible, else a last part
};

// MIME fields with `mark`, the empty line and the body. Nothing when Content-Type is malformed. The boundary is made of
// the random id that the post got after it came, so nobody can have written it into the post.
std::optional<std::string> contentEntity(const mail::Message& post, const PostStamp& stamp, std::string_view mark,
                                         const ListWords& words);

}  // namespace postern::listd
