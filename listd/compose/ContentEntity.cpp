#include "listd/compose/ContentEntity.h"

#include "core/mail/Parameters.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <array>

namespace postern::listd {
namespace {

// The field with its line end, also where the received header had none.
std::string wholeField(const mail::HeaderField& field) {
  std::string raw(field.raw);
  if (!raw.ends_with("\r\n")) raw += "\r\n";
  return raw;
}

std::string defaultContentType(std::string_view body) {
  if (mail::isAscii(body)) return "text/plain; charset=us-ascii";
  return mail::isUtf8(body) ? "text/plain; charset=utf-8" : "text/plain";
}

mail::ParameterizedValue contentType(const mail::Message& post) {
  const auto* field = post.header().find("Content-Type");
  return mail::parseParameterized(field == nullptr ? defaultContentType(post.body()) : std::string(field->value));
}

std::string encodingOf(const mail::Message& post) {
  return mail::lowerAscii(post.header().value("Content-Transfer-Encoding").value_or("7bit"));
}

// Charsets in which ASCII text is itself.
bool holdsAscii(std::string_view charset) {
  constexpr std::array<std::string_view, 6> prefixes = {"iso-8859-", "windows-125", "koi8-",
                                                        "utf-8",     "us-ascii",    "gb2312"};
  return charset.empty() ||
         std::any_of(prefixes.begin(), prefixes.end(), [&](auto prefix) { return charset.starts_with(prefix); });
}

std::string withCrlf(std::string_view lines) {
  std::string text;
  for (const char c : lines) {
    if (c == '\n') text += '\r';
    text += c;
  }
  return text;
}

std::string quotedPrintable(std::string_view lines) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string text;
  std::size_t column = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const char c = lines[i];
    if (c == '\n') {
      text += "\r\n";
      column = 0;
      continue;
    }
    const bool last = i + 1 == lines.size() || lines[i + 1] == '\n';
    const bool plain = c > ' ' && c < 0x7f && c != '=';
    if (column > 70) {
      text += "=\r\n";
      column = 0;
    }
    if (plain || (c == ' ' && !last)) {
      text += c;
      ++column;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      (text += '=') += {digits[byte >> 4], digits[byte & 15]};
      column += 3;
    }
  }
  return text;
}

// The footer as it stands under the text of a plain message; nothing where it cannot stand in the same part.
std::optional<std::string> bodyWithFooter(const mail::Message& post, std::string_view footer) {
  const auto type = contentType(post);
  if (type.value != "text/plain") return std::nullopt;
  const auto* charsetParameter = type.find("charset");
  const auto charset = charsetParameter == nullptr ? std::string() : mail::lowerAscii(charsetParameter->value);
  if (mail::isAscii(footer) ? !holdsAscii(charset) : charset != "utf-8") return std::nullopt;
  const auto encoding = encodingOf(post);
  if (encoding != "7bit" && encoding != "8bit" && encoding != "quoted-printable") return std::nullopt;
  if (encoding == "7bit" && !mail::isAscii(footer)) return std::nullopt;
  std::string body(post.body());
  if (encoding == "quoted-printable") {
    while (body.ends_with("=\r\n")) body.resize(body.size() - 3);
    if (!body.ends_with("\r\n")) body += "\r\n";
    return body + quotedPrintable("\n-- \n") + quotedPrintable(footer);
  }
  if (!body.ends_with("\r\n")) body += "\r\n";
  return body + "\r\n-- \r\n" + withCrlf(footer);
}

constexpr std::string_view CheckFields =
    "Content-Type: text/plain; charset=us-ascii\r\nContent-Disposition: inline\r\n\r\n";
constexpr std::string_view FooterFields =
    "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: inline\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n";

std::string inParts(const mail::Message& post, const std::string& type, const PostStamp& stamp, std::string_view mark,
                    const ListWords& words) {
  const auto boundary = "check-" + stamp.messageId.substr(1, stamp.messageId.find('@') - 1);
  const auto delimiter = "\r\n--" + boundary;
  std::string entity = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"" + boundary + "\"" +
                       std::string(mark) + "\r\n";
  if (!words.above.empty()) (entity += delimiter + "\r\n").append(CheckFields).append(words.above);
  (entity += delimiter + "\r\n" + contentFields(post, type) + "\r\n") += contentBody(post);
  if (!words.footer.empty()) (entity += delimiter + "\r\n").append(FooterFields).append(quotedPrintable(words.footer));
  return entity + delimiter + "--\r\n";
}

}  // namespace

std::optional<std::string> markedContentType(const mail::Message& post, std::string_view mark) {
  const auto type = contentType(post);
  if (!type.wellFormed || type.value.find('/') == type.value.npos || type.value.size() > 200) return std::nullopt;
  std::string line = "Content-Type: " + type.value;
  for (const auto& parameter : type.parameters) {
    if (parameter.name == "hp" || parameter.name == "protected-headers") continue;
    if (parameter.raw.size() > 900) return std::nullopt;
    line += ";\r\n " + parameter.raw;
  }
  return line + std::string(mark) + "\r\n";
}

std::string contentFields(const mail::Message& post, const std::string& contentType) {
  std::string fields = contentType;
  for (const auto& field : post.header().fields()) {
    const std::string name = mail::lowerAscii(field.name);
    if (name.starts_with("content-") && name != "content-type" && name != "content-length") fields += wholeField(field);
  }
  const bool declared = post.header().find("Content-Transfer-Encoding") != nullptr;
  if (!declared && !mail::isAscii(post.body())) fields += "Content-Transfer-Encoding: 8bit\r\n";
  return fields;
}

std::string_view contentBody(const mail::Message& post) {
  const auto* field = post.header().find("Content-Type");
  const auto type = mail::parseParameterized(field == nullptr ? std::string() : std::string(field->value));
  const auto* boundary = type.find("boundary");
  if (boundary == nullptr || !type.value.starts_with("multipart/")) return post.body();
  const auto end = post.body().find_last_not_of("\r\n") + 1;
  const bool closed = post.body().substr(0, end).ends_with("--" + boundary->value + "--");
  return closed && post.body().substr(end).starts_with("\r\n") ? post.body().substr(0, end + 2) : post.body();
}

bool isSealedByAuthor(const mail::Message& post) {
  const auto type = contentType(post).value;
  return type == "multipart/signed" || type == "multipart/encrypted" || type.starts_with("application/") ||
         post.body().find("-----BEGIN PGP ") != std::string_view::npos;
}

std::optional<std::string> contentEntity(const mail::Message& post, const PostStamp& stamp, std::string_view mark,
                                         const ListWords& words) {
  const auto type = markedContentType(post, mark);
  if (!type) return std::nullopt;
  const auto single = [&](std::string_view body) {
    return ("MIME-Version: 1.0\r\n" + contentFields(post, *type) + "\r\n").append(body);
  };
  if (words.above.empty() && words.footer.empty()) return single(contentBody(post));
  if (words.above.empty())
    if (const auto body = bodyWithFooter(post, words.footer)) return single(*body);
  return inParts(post, *markedContentType(post, ""), stamp, mark, words);
}

}  // namespace postern::listd
