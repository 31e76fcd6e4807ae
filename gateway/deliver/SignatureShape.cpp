#include "gateway/deliver/SignatureShape.h"

#include "core/mail/Address.h"
#include "core/mail/Header.h"
#include "core/mail/Message.h"
#include "core/mail/Text.h"
#include "core/mailauth/Dkim.h"

#include <algorithm>

namespace postern::gateway {
namespace {

using namespace std::string_view_literals;

constexpr auto FieldName = "DKIM-Signature:"sv;

// The field with its folds at the front of the text; empty: there is none.
std::string_view firstField(std::string_view text) {
  if (!text.starts_with(FieldName)) return {};
  for (std::size_t from = 0;;) {
    const auto end = text.find("\r\n", from);
    if (end == text.npos) return {};
    const auto next = end + 2;
    if (next == text.size() || (text[next] != ' ' && text[next] != '\t')) return text.substr(0, next);
    from = next;
  }
}

bool all(std::string_view text, std::size_t most, std::string_view extra) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || extra.find(c) != extra.npos;
  });
}

bool isBase64(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == text.npos;
}

bool isNumber(std::string_view text) {
  return !text.empty() && text.size() <= 12 && text.find_first_not_of("0123456789") == text.npos;
}

bool areSignedNames(std::string_view text) {
  const auto& known = mailauth::signedFieldNames();
  while (!text.empty()) {
    const auto end = std::min(text.find(':'), text.size());
    if (std::find(known.begin(), known.end(), text.substr(0, end)) == known.end()) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

// Takes "name=value;" off the front; the last tag has no semicolon.
std::string_view take(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name)) return {};
  text.remove_prefix(name.size());
  const auto end = std::min(text.find(';'), text.size());
  const auto value = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return value;
}

// The domain that the field names, if it is of our form; else empty.
std::string domainOf(std::string_view field) {
  std::string compact;
  for (const char c : field.substr(FieldName.size()))
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') compact += c;
  std::string_view rest = compact;
  if (take(rest, "v=") != "1") return {};
  const auto algorithm = take(rest, "a=");
  if (algorithm != "rsa-sha256" && algorithm != "ed25519-sha256") return {};
  if (take(rest, "c=") != "relaxed/relaxed") return {};
  const auto domain = take(rest, "d=");
  const auto selector = take(rest, "s=");
  const auto time = take(rest, "t=");
  const auto names = take(rest, "h=");
  const auto hash = take(rest, "bh=");
  const auto signature = take(rest, "b=");
  const bool fits = all(domain, 253, ".-") && all(selector, 63, "-") && isNumber(time) && !names.empty() &&
                    areSignedNames(names) && isBase64(hash, 44) && isBase64(signature, 1024) && rest.empty();
  return fits ? std::string(domain) : std::string();
}

std::string authorDomain(std::string_view head) {
  const auto header = mail::HeaderBlock::scan(head);
  const auto* field = header && header->count("From") == 1 ? header->find("From") : nullptr;
  if (field == nullptr) return {};
  const auto from = mail::parseMailboxes(field->value);
  if (!from.wellFormed || from.mailboxes.size() != 1 || !from.mailboxes[0].address) return {};
  return mail::lowerAscii(from.mailboxes[0].address->domain());
}

}  // namespace

SignatureShape takeSignatures(std::string_view head) {
  SignatureShape shape;
  if (!head.starts_with(FieldName)) return shape;
  const auto author = authorDomain(head);
  std::size_t count = 0;
  for (;;) {
    const auto field = firstField(head.substr(shape.size));
    if (field.empty()) break;
    if (++count > SignatureShape::MaxFields || field.size() > SignatureShape::MaxField)
      return {shape.size, "there are too many signatures, or one is too long"};
    const auto domain = domainOf(field);
    if (domain.empty()) return {shape.size, "a signature is not of its form"};
    if (domain != author) return {shape.size, "a signature names another domain than From"};
    shape.size += field.size();
  }
  return shape;
}

}  // namespace postern::gateway
