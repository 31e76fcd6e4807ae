#include "listd/people/PasswordRule.h"

#include "core/base/Error.h"
#include "core/mail/Text.h"
#include "listd/CommonPasswords.h"

#include <algorithm>
#include <set>

namespace postern::listd {
namespace {

// Characters, not bytes: the bytes that begin one in UTF-8.
std::size_t lengthOf(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool isLetter(char c) {
  return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

// "__ada2026!" -> "ada"
std::string_view withoutDecoration(std::string_view text) {
  while (!text.empty() && !isLetter(text.front())) text.remove_prefix(1);
  while (!text.empty() && !isLetter(text.back())) text.remove_suffix(1);
  return text;
}

// One per line, lower case.
std::set<std::string_view> readCommon() {
  const auto* file = passwords::find("orders/common-passwords.txt");
  if (!file) throw Error(ErrorKind::Invariant, "the list of common passwords is not in this program");
  std::set<std::string_view> lines;
  for (auto rest = file->content; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    lines.insert(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

bool isCommon(std::string_view lower) {
  static const auto Common = readCommon();
  return Common.contains(lower) || lower.find_first_not_of(lower.front()) == lower.npos;
}

bool isName(std::string_view lower, std::string_view name) {
  const auto known = mail::lowerAscii(name);
  const auto bare = withoutDecoration(lower);
  if (lower == known || bare == known || (!bare.empty() && bare == withoutDecoration(known))) return true;
  for (std::string_view rest = known; !rest.empty();) {
    const auto end = std::min(rest.find('.'), rest.size());
    if (end > 0 && (bare == rest.substr(0, end) || lower == rest.substr(0, end))) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

std::optional<PasswordFault> passwordFault(std::string_view password, std::initializer_list<std::string_view> names) {
  if (lengthOf(password) < ShortestPassword)
    return PasswordFault{"the password is too short",
                         "use at least " + std::to_string(ShortestPassword) + " characters; a sentence is good"};
  const auto lower = mail::lowerAscii(password);
  if (isCommon(lower))
    return PasswordFault{"this password is one of the common ones, which attackers try first",
                         "choose another; some words that do not belong together are good"};
  for (const auto name : {"postern", "admin", "administrator"})
    if (isName(lower, name)) return PasswordFault{"this password is easy to guess for this site", "choose another one"};
  for (const auto name : names)
    if (isName(lower, name))
      return PasswordFault{"the password is the name of the account or of the site", "choose another one"};
  return std::nullopt;
}

}  // namespace postern::listd
