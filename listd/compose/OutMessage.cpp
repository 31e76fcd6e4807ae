#include "listd/compose/OutMessage.h"

#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Date.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/Mailboxes.h"
#include "core/mail/MessageId.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <cctype>

namespace postern::listd {
namespace {

// "_" is not of base64, so it can stand in no body.
constexpr std::string_view Boundary = "=_postern_part_";
constexpr std::string_view AnyType = "application/octet-stream";
constexpr std::size_t LongestName = 200, LongestType = 100;

bool isToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '+' || c == '_';
  });
}

// Types that hold messages or parts may not be base64, and would be looked into.
std::string typeOf(const OutFile& file) {
  const auto type = mail::lowerAscii(file.type);
  const auto slash = type.find('/');
  if (slash == std::string::npos || type.size() > LongestType || !isToken(type.substr(0, slash)) ||
      !isToken(type.substr(slash + 1)) || type.starts_with("message/") || type.starts_with("multipart/"))
    return std::string(AnyType);
  return type;
}

// RFC 2231 §4: every octet but letters, digits and a few is escaped.
std::string extended(std::string_view utf8) {
  std::string text = "utf-8''";
  for (const char c : utf8) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
    text += plain && static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : "%" + crypto::hex({&c, 1});
  }
  return text;
}

std::string dispositionOf(const OutFile& file) {
  auto name = mail::repairUtf8(file.name);
  name = name.substr(name.find_last_of("/\\") + 1);  // the whole path is nobody's business
  name = mail::cutUtf8(name, LongestName);
  if (name.empty()) return "Content-Disposition: attachment\r\n";
  if (isToken(name)) return "Content-Disposition: attachment; filename=\"" + name + "\"\r\n";
  return "Content-Disposition: attachment;\r\n filename*=" + extended(name) + "\r\n";
}

std::string crlf(std::string_view text) {
  std::string lines;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    lines += text[i] == '\n' || text[i] == '\r' ? std::string("\r\n") : std::string(1, text[i]);
  }
  return lines;
}

std::string textPart(const OutMessage& message) {
  return "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         crypto::base64Lines(crlf(mail::repairUtf8(message.text)));
}

std::string addressField(std::string_view name, const std::vector<mail::Address>& addresses) {
  if (addresses.empty()) return {};
  std::vector<std::pair<std::string, mail::Address>> mailboxes;
  for (const auto& address : addresses) mailboxes.emplace_back("", address);
  return mail::mailboxField(name, mailboxes);
}

}  // namespace

std::string writeMessage(const OutMessage& message) {
  if (!mail::isMessageId(message.messageId)) throw Error(ErrorKind::Invariant, "a message was given no Message-ID");
  std::string text = addressField("From", {message.from}) + addressField("To", message.to);
  text += addressField("Cc", message.cc) + mail::encodeUnstructured("Subject", mail::repairUtf8(message.subject));
  text += "Date: " + mail::formatDate(message.at) + "\r\nMessage-ID: " + message.messageId + "\r\n";
  text += "MIME-Version: 1.0\r\n";
  if (message.files.empty()) return text + textPart(message);
  const std::string between = "--" + std::string(Boundary);
  text += "Content-Type: multipart/mixed; boundary=\"" + std::string(Boundary) + "\"\r\n\r\n";
  text += between + "\r\n" + textPart(message);
  for (const auto& file : message.files) {
    text += between + "\r\nContent-Type: " + typeOf(file) + "\r\n" + dispositionOf(file);
    text += "Content-Transfer-Encoding: base64\r\n\r\n" + crypto::base64Lines(file.content);
  }
  return text + between + "--\r\n";
}

}  // namespace postern::listd
