#pragma once
#include <span>
#include <string_view>

namespace postern::app {

// One mail that the site itself writes to people. listd fills it in and the gateway lets nothing else pass, so that
// both read it here. What varies stands in braces: {mailbox} (an address, a line of its own), {address} (an address at
// the end of a sentence and line), {time}, {number}, {word} (of an order), {link} (a line of its own), and blocks of
// lines: {certificates} {openpgp} {checkpoint}. UTF-8; lines end with LF.
struct MailText {
  const char* word;     // stable: "join-confirm"
  const char* subject;  // differs from the subjects of all other mail of the site in every language
  const char* text;
};

// The texts of one language: a file each in core/app/texts, with the same words in the same order, and the same slots
// in the same order in each text.
std::span<const MailText> englishTexts();
std::span<const MailText> germanTexts();
std::span<const MailText> frenchTexts();
std::span<const MailText> spanishTexts();

// Of one of Languages; in English for any other word.
std::span<const MailText> mailTexts(std::string_view language);

}  // namespace postern::app
