#pragma once
#include <span>
#include <string_view>

namespace postern::app {

// One mail that a list's service writes to people about their membership. listd fills it in and the gateway lets
// nothing else pass, so that both read it here. What varies stands in braces: {mailbox} (a line of its own: an address
// of a list), {time}, {number}, {link} (a line of its own). Lines end with LF.
struct MailText {
  const char* word;  // stable: "join-confirm"
  const char* subject;
  const char* text;
};

// The texts of one language: a file each in core/app/texts, with the same words, and the same slots in each text.
std::span<const MailText> englishTexts();

// Of every language that is there.
std::span<const std::span<const MailText>> subscriptionTexts();

}  // namespace postern::app
