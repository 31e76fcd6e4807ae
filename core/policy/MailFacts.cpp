#include "core/policy/MailFacts.h"

#include "core/mail/EncodedWord.h"
#include "core/mail/HtmlText.h"
#include "core/mail/Mailboxes.h"
#include "core/mail/Text.h"

#include <algorithm>

namespace postern::policy {

namespace {

constexpr std::size_t MaxName = 255;

bool isContainer(const mail::MimePart& part) {
  return part.type.starts_with("multipart/");
}

// An S/MIME part within the message counts although it may be signed only: nobody but its reader can look into it.
bool isEncrypted(const mail::MimeTree& tree, const mail::MimePart& part) {
  if (part.parent == mail::MimePart::None) return tree.isEncrypted();
  return part.type.ends_with("pkcs7-mime") || part.type == "application/pgp-encrypted" ||
         tree.parts()[part.parent].type == "multipart/encrypted";
}

bool isShown(const mail::MimePart& part) {
  return part.type.starts_with("text/") && part.disposition != "attachment";
}

void addText(const mail::MimePart& part, MessageContent& content) {
  const auto text = part.type == "text/html" ? mail::htmlText(part.text) : part.text;
  if (!content.text.empty() && !text.empty()) content.text += "\n\n";
  const auto room = MaxContentText - std::min(MaxContentText, content.text.size());
  const auto kept = mail::cutUtf8(text, room);
  content.text += kept;
  content.textCut = content.textCut || part.textTruncated || kept.size() < text.size();
}

}  // namespace

MessageFacts describeMessage(const mail::Message& message, const mail::MimeTree& tree) {
  MessageFacts facts;
  facts.subject = message.subject();
  for (const auto& field : message.header().fields())
    facts.headers.push_back({std::string(field.name), mail::decodeUnstructured(field.value), std::string(field.value)});
  if (const auto from = message.from(); from.wellFormed && from.mailboxes.size() == 1 && from.mailboxes[0].address)
    facts.from = from.mailboxes[0].address->text();
  facts.size = message.bytes().size();
  facts.messageId = message.messageId().value_or("");
  facts.isEncrypted = tree.isEncrypted();
  facts.isSigned = tree.isSigned();
  facts.content = [&tree] { return describeContent(tree); };
  return facts;
}

MessageContent describeContent(const mail::MimeTree& tree) {
  MessageContent content;
  for (const auto& part : tree.parts()) {
    if (isContainer(part)) continue;
    content.parts.push_back({std::string(mail::cutUtf8(part.type, MaxName)),
                             std::string(mail::cutUtf8(part.filename, MaxName)), part.size,
                             std::string(mail::cutUtf8(part.disposition, MaxName)), isEncrypted(tree, part)});
    if (isShown(part)) addText(part, content);
  }
  return content;
}

}  // namespace postern::policy
