#include "gateway/report/ReportKeys.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/mail/Text.h"

#include <algorithm>

namespace postern::gateway {

void ReportKeys::set(std::vector<app::ReportKey> keys) {
  std::vector<mailauth::DkimSigner> signers;
  for (const auto& key : keys) {
    try {  // one key that cannot be read is no reason to leave reports unsigned by the others
      signers.push_back({key.domain, key.selector, mailauth::SigningKey::import(key.key)});
    } catch (const Error& error) {
      log::warning("tls-reports", "a key for reports cannot be used",
                   {{"domain", key.domain}, {"selector", key.selector}, {"why", error.message()}});
    }
  }
  const MutexLock lock(mutex_);
  signers_ = std::move(signers);
  given_ = true;
}

bool ReportKeys::given() const {
  const MutexLock lock(mutex_);
  return given_;
}

std::string ReportKeys::fieldsFor(std::string_view from, std::string_view message, TimePoint now) const {
  std::vector<mailauth::DkimSigner> ours;
  {
    const MutexLock lock(mutex_);
    const auto domain = mail::lowerAscii(from.substr(std::min(from.rfind('@') + 1, from.size())));
    std::copy_if(signers_.begin(), signers_.end(), std::back_inserter(ours),
                 [&](const auto& one) { return one.domain == domain; });
  }
  if (ours.empty()) return {};
  const auto header = mail::HeaderBlock::scan(message);
  if (!header) return {};
  const auto digest =
      mailauth::bodyHash(message.substr(std::min(header->bodyOffset(), message.size())), mailauth::Canonical::Relaxed);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  std::string fields;
  for (const auto& one : ours) fields += one.sign(*header, digest, seconds);
  return fields;
}

}  // namespace postern::gateway
