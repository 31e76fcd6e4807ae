#include "webadmin/KeptForms.h"

#include "webadmin/Tokens.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace postern::webadmin {
namespace {

std::size_t sizeOf(const KeptForms::Form& form) {
  std::size_t bytes = form.path.size() + 256;
  for (const auto* fields : {&form.query, &form.fields})
    for (const auto& [name, value] : fields->items()) bytes += name.size() + value.size() + 64;
  return bytes;
}

}  // namespace

KeptForms::~KeptForms() {
  const MutexLock lock(mutex_);
  while (!kept_.empty()) forget(kept_.begin());
}

std::string KeptForms::keep(std::string_view sessionRef, Form form) {
  const MutexLock lock(mutex_);
  forgetOld(sessionRef);
  const auto bytes = sizeOf(form);
  if (sessionRef.empty() || bytes > MaxBytes - bytes_) return {};
  kept_.push_back({std::string(sessionRef), tokens::random(), clock_.now() + Lifetime, bytes, std::move(form)});
  bytes_ += bytes;
  return kept_.back().name;
}

std::optional<std::string> KeptForms::pathOf(std::string_view sessionRef, std::string_view name) {
  const MutexLock lock(mutex_);
  const auto found = find(sessionRef, name);
  return found == kept_.end() ? std::nullopt : std::optional(found->form.path);
}

std::optional<KeptForms::Form> KeptForms::take(std::string_view sessionRef, std::string_view name) {
  const MutexLock lock(mutex_);
  const auto found = find(sessionRef, name);
  if (found == kept_.end()) return std::nullopt;
  auto form = std::move(found->form);
  bytes_ -= found->bytes;
  kept_.erase(found);
  return form;
}

KeptForms::Place KeptForms::find(std::string_view sessionRef, std::string_view name) {
  return std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return kept.until > clock_.now() && kept.session == sessionRef && tokens::equal(kept.name, name);
  });
}

// Its values may be passwords: nothing of them stays in freed memory.
void KeptForms::forget(Place place) {
  place->form.fields.wipe();
  bytes_ -= place->bytes;
  kept_.erase(place);
}

// What is too old, and of a session that has its share the oldest.
void KeptForms::forgetOld(std::string_view sessionRef) {
  const auto now = clock_.now();
  std::size_t ofSession = 0;
  for (auto place = kept_.end(); place != kept_.begin();) {
    const auto one = std::prev(place);
    ofSession += one->session == sessionRef ? 1 : 0;
    const bool tooMany = one->session == sessionRef && ofSession >= PerSession;
    if (one->until <= now || tooMany)
      forget(one);
    else
      place = one;
  }
}

}  // namespace postern::webadmin
