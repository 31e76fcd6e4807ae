#include "listd/search/MessageCard.h"

#include "core/mail/EncodedWord.h"
#include "core/mail/HtmlText.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"

namespace postern::listd {
namespace {

std::string oneLine(std::string text) {
  for (auto& byte : text)
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) byte = ' ';
  return mail::repairUtf8(text);
}

std::string textOf(const mail::Message& message, std::string_view field) {
  std::string all;
  for (const auto& line : message.header().fields()) {
    if (!mail::equalsIgnoreCase(line.name, field)) continue;
    all += (all.empty() ? "" : ", ") + oneLine(mail::decodeUnstructured(line.value));
  }
  return all;
}

}  // namespace

MessageCard MessageCard::read(std::string_view content, bool withText) {
  MessageCard card;
  const auto message = mail::Message::parse(std::string(content));
  if (!message) return card;
  card.subject = oneLine(message->subject());
  card.from = textOf(*message, "From");
  card.to = textOf(*message, "To");
  card.cc = textOf(*message, "Cc");
  card.bcc = textOf(*message, "Bcc");
  card.date = textOf(*message, "Date");
  card.messageId = message->messageId().value_or("");
  const auto tree = mail::MimeTree::parse(*message);
  card.sealed = tree.isEncrypted();
  for (const auto& part : tree.parts()) {
    if (!part.filename.empty()) card.attachments.push_back(oneLine(part.filename));
    if (!withText || part.text.empty() || part.disposition == "attachment") continue;
    card.text += (part.type == "text/html" ? mail::htmlText(part.text) : part.text) + "\n";
  }
  return card;
}

}  // namespace postern::listd
