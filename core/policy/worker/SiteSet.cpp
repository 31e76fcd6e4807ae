#include "core/policy/worker/SiteSet.h"

#include "core/mail/Text.h"

#include <utf8proc.h>

#include <cstdlib>

namespace postern::policy::worker {

namespace {

// Letters in lower case, accents kept: müller.example is not muller.example.
std::string lowered(std::string_view text) {
  if (mail::isAscii(text) || !mail::isUtf8(text)) return mail::lowerAscii(text);
  utf8proc_uint8_t* raw = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &raw, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> mapped(raw, &std::free);
  if (size < 0) return mail::lowerAscii(text);
  return {reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size)};
}

}  // namespace

SiteSet::SiteSet(std::vector<std::string> entries) : entries_(std::move(entries)) {
  for (const auto& entry : entries_) {
    auto value = lowered(entry);
    if (value.size() > 1 && value[0] == '.') {
      exact_.insert(value.substr(1));
      below_.insert(std::move(value));
    } else {
      exact_.insert(std::move(value));
    }
  }
}

bool SiteSet::contains(std::string_view value) const {
  const auto wanted = lowered(value);
  if (exact_.contains(wanted)) return true;
  // Only a domain has domains below it: in an address the part before the @ is anybody's.
  if (below_.empty() || wanted.find('@') != std::string::npos) return false;
  for (auto dot = wanted.find('.', 1); dot != std::string::npos; dot = wanted.find('.', dot + 1))
    if (below_.contains(wanted.substr(dot))) return true;
  return false;
}

const WordIndex& SiteSet::words() const {
  if (!words_) words_.emplace(entries_);
  return *words_;
}

}  // namespace postern::policy::worker
