#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::listd {

// Where an answer to a post goes.
enum class ReplyGoes : std::uint8_t {
  Author,  // to the author
  Asked,   // to where the author's own Reply-To says, else to the author
  List,
  Both,  // to the author and the list
};

// Whom readers see as the author.
enum class AuthorShown : std::uint8_t {
  Via,     // "Ann via Board" with the address of the list, as DMARC of the author's domain needs
  Own,     // the author, where the site signs for the author's domain; else as Via
  Nobody,  // the list alone: an anonymous list
};

// How the posts of a list look to its readers. A value; chosen by owners, so writers encode it.
struct ListShape {
  std::string subjectPrefix;  // UTF-8 on one line; empty: none
  std::string footer;         // UTF-8, lines ended with LF; empty: none
  ReplyGoes replyTo = ReplyGoes::Author;
  AuthorShown author = AuthorShown::Via;
};

constexpr std::size_t MaxSubjectPrefix = 60;
constexpr std::size_t MaxFooter = 2000;

const char* replyGoesWord(ReplyGoes where);     // "author" "asked" "list" "both"
const char* authorShownWord(AuthorShown whom);  // "via" "own" "nobody"
// Throw Error(Store) for another word: it came from the database.
ReplyGoes readReplyGoes(std::string_view word);
AuthorShown readAuthorShown(std::string_view word);

// The lines that owners typed as they are kept: LF alone, no blanks at their ends, no empty lines at the end.
std::string footerLines(std::string_view typed);

}  // namespace postern::listd
