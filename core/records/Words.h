#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// Words as search and rules compare them. Pure; time linear in the text.
namespace postern::records {

constexpr std::size_t MaxWordBytes = 64;  // longer ones are cut there, in texts and in queries alike

// Text with case, width and compatibility forms folded (NFKC_Casefold) and accents taken off: "ÉCOLE", "ｅｃｏｌｅ" and
// "école" are the same. Marks that make another letter (Japanese voicing, vowels of Indic and Thai) stay. Bytes that
// are no UTF-8 become blanks.
std::string foldText(std::string_view text);

// Calls `word` for each word in order, folded: a run of letters, digits and marks; each Han or Kana character alone,
// since such texts have no blanks between words.
void eachWord(std::string_view text, const std::function<void(std::string_view word)>& word);
std::vector<std::string> wordsOf(std::string_view text);

// An address, or "@domain", as it is compared: lower case, the domain in A-labels. What is no valid address is lower
// case only.
std::string addressWord(std::string_view text);

}  // namespace postern::records
