#include "listd/compose/ListFields.h"

#include "core/mail/EncodedWord.h"
#include "core/mail/Text.h"

#include <algorithm>

namespace postern::listd {

namespace {

constexpr std::size_t MaxLink = 500;
constexpr std::size_t MaxPhrase = 200;

std::string percentEncoded(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain)
      result += c;
    else
      (result += '%') += {digits[byte >> 4], digits[byte & 15]};
  }
  return result;
}

std::string mailtoReference(const mail::Address& address, std::string_view subject = {}) {
  return "<" + mailtoLink(address, subject) + ">";
}

}  // namespace

std::string mailtoLink(const mail::Address& address, std::string_view subject) {
  std::string link = "mailto:" + percentEncoded(address.localPart()) + "@" + address.domain();
  if (!subject.empty()) link += "?subject=" + percentEncoded(subject);
  return link;
}

std::string withOneClick(std::string_view fields, const ListFacts& list, std::string_view url) {
  const auto mailto = mailtoReference(subAddress(list.address, "leave"));
  auto result = mail::foldTokens("List-Unsubscribe", "<" + std::string(url) + ">, " + mailto) +
                "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
  bool skipping = false;
  while (!fields.empty()) {
    const auto line = fields.substr(0, std::min(fields.find("\r\n"), fields.size() - 2) + 2);
    fields.remove_prefix(line.size());
    const bool continued = line.front() == ' ' || line.front() == '\t';
    if (!continued) skipping = mail::equalsIgnoreCase(line.substr(0, line.find(':')), "List-Unsubscribe");
    if (!skipping) result += line;
  }
  return result;
}

std::string helpReference(const ListFacts& list) {
  const auto& link = list.helpLink;
  const bool scheme = link.starts_with("https://") || link.starts_with("http://");
  const bool plain = std::all_of(link.begin(), link.end(), [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("<>\"\\^`{|}").find(c) == std::string_view::npos;
  });
  return scheme && plain && link.size() <= MaxLink ? "<" + link + ">" : std::string();
}

std::vector<std::string> listFields(const ListFacts& list, bool withDescription) {
  std::string id = "<" + listId(list.address) + ">";
  if (withDescription) {
    const auto& words = list.description.empty() ? list.shownName() : list.description;
    const std::string clean = mail::repairUtf8(words);
    const std::string phrase = mail::encodePhrase(mail::cutUtf8(clean, MaxPhrase));
    if (!phrase.empty()) id = phrase + " " + id;
  }
  std::string help = mailtoReference(subAddress(list.address, "request"), "help");
  if (const auto link = helpReference(list); !link.empty()) help = link + ", " + help;
  return {
      mail::foldTokens("List-Id", id),
      mail::foldTokens("List-Post", mailtoReference(list.address)),
      mail::foldTokens("List-Help", help),
      mail::foldTokens("List-Unsubscribe", mailtoReference(subAddress(list.address, "leave"))),
      mail::foldTokens("List-Owner", mailtoReference(subAddress(list.address, "owner"))),
      "Precedence: list\r\n",
      mail::foldTokens("X-Loop", list.address.key()),
  };
}

}  // namespace postern::listd
