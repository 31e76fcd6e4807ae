#pragma once
#include <string>
#include <string_view>

// Small rules about bytes and characters that every parser of this room shares.
namespace postern::mail {

std::string lowerAscii(std::string_view text);
bool equalsIgnoreCase(std::string_view a, std::string_view b);  // ASCII letters only
bool isAscii(std::string_view text);
bool hasControl(std::string_view text);        // C0 (tab, CR and LF too) or DEL
std::string_view trim(std::string_view text);  // blanks, tabs, CR and LF at both ends

bool isUtf8(std::string_view text);  // well-formed: shortest form, no surrogates, at most U+10FFFF
// Each byte that is no part of a well-formed character becomes U+FFFD.
std::string repairUtf8(std::string_view text);
// At most `max` octets from the start of valid UTF-8, no character cut in two.
std::string_view cutUtf8(std::string_view text, std::size_t max);

// What a buffer's line ends look like.
struct LineEnds {
  bool bareCr = false;
  bool bareLf = false;
  bool nul = false;
  bool clean() const { return !bareCr && !bareLf && !nul; }
};
LineEnds inspectLineEnds(std::string_view bytes);

// True when every CR is followed by LF, every LF preceded by CR, no NUL is there, and the last line is ended.
// An empty buffer is canonical.
bool isCanonical(std::string_view bytes);

}  // namespace postern::mail
