#pragma once
#include <string>
#include <string_view>

namespace postern::mail {

// The words that a reader of an HTML page sees: tags, comments, scripts and styles gone, character references decoded,
// a blank where a block, a cell or a line ends; alt and title texts are taken in. Tags within a word (<b>) do not split
// it. Valid UTF-8 in, valid UTF-8 out, never longer than twice the input. Linear, never recursive; whatever is broken
// is taken as text, so that nothing that a program might show is missed.
std::string htmlText(std::string_view html);

}  // namespace postern::mail
