#pragma once
#include <string>
#include <string_view>

namespace postern::mail {

// The text of an unstructured value (Subject, Comments): unfolded, RFC 2047 words of both encodings and any charset
// that iconv knows decoded; adjacent words of one charset are joined before decoding, so that a character split over
// two of them comes out whole. A word in a charset that nobody knows is read as ASCII; what is no word by its form
// stays as it stands.
// The result is valid UTF-8 on one line: CR and LF out of a word become blanks. Other controls stay for the caller
// to judge. Time is linear in the value.
std::string decodeUnstructured(std::string_view rawValue);

// A whole field "Name: value CRLF" for the header: ASCII as it is, anything else as RFC 2047 words in UTF-8; folded
// at 78 octets where there is a blank, never over 998. Whatever the text holds, no line end and no further field can
// come out of it: controls become blanks, text that looks like an encoded word is itself encoded.
// Throws Error(Invariant) for a name that is no field name.
std::string encodeUnstructured(std::string_view fieldName, std::string_view utf8);

// Text as a phrase (display name) on one line: an atom sequence, a quoted string or encoded words separated by blanks.
std::string encodePhrase(std::string_view utf8);

// Puts a structured value that is made of blank-separated tokens on folded lines of at most 78 octets where possible:
// "Name: token token CRLF". REQUIRES tokens without controls; throws Error(Invariant) otherwise, or for a token that
// would make a line over 998.
std::string foldTokens(std::string_view fieldName, std::string_view tokens);

}  // namespace postern::mail
