#include "listd/subscribe/Bans.h"

#include "core/mail/Address.h"
#include "core/mail/Text.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::size_t MaxPattern = 300;

// Greedy with one point to go back to: at most pattern times text steps.
bool fitsStars(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

}  // namespace

std::optional<std::string> banPattern(std::string_view text) {
  auto pattern = mail::lowerAscii(mail::trim(text));
  if (pattern.size() > MaxPattern || mail::hasControl(pattern) || pattern.find(' ') != std::string::npos)
    return std::nullopt;
  if (pattern.starts_with('@')) {
    const auto domain = mail::DomainName::parse(pattern.substr(1));
    if (!domain) return std::nullopt;
    return "@" + mail::lowerAscii(domain->text());
  }
  if (pattern.find('*') == std::string::npos) {
    const auto address = mail::Address::parse(pattern);
    if (!address) return std::nullopt;
    return address->key();
  }
  // Stars, '@' and dots alone shut out everybody.
  if (pattern.find_first_not_of("*@.") == std::string::npos) return std::nullopt;
  return pattern;
}

bool fitsBan(std::string_view pattern, std::string_view address) {
  if (pattern.find('*') != pattern.npos) return fitsStars(pattern, address);
  if (!pattern.starts_with('@')) return pattern == address;
  const auto domain = address.substr(std::min(address.rfind('@') + 1, address.size()));
  const auto name = pattern.substr(1);
  return domain == name ||
         (domain.size() > name.size() && domain.ends_with(name) && domain[domain.size() - name.size() - 1] == '.');
}

std::optional<Ban> banOf(const SiteTables& tables, std::uint64_t listId, std::string_view address) {
  for (const auto id : {listId, std::uint64_t{0}})
    for (auto& ban : tables.subscriptions.bans(id))
      if (fitsBan(ban.pattern, address)) return std::move(ban);
  return std::nullopt;
}

}  // namespace postern::listd
