#include "listd/dkim/MailSigner.h"

#include "core/base/Error.h"
#include "core/mail/Mailboxes.h"
#include "core/mail/Text.h"
#include "core/vault/KeyStore.h"
#include "listd/site/SiteContext.h"

#include <algorithm>

namespace postern::listd {
namespace {

std::string authorDomain(const mail::HeaderBlock& header) {
  const auto* field = header.count("From") == 1 ? header.find("From") : nullptr;
  if (field == nullptr) return {};
  const auto from = mail::parseMailboxes(field->value);
  if (!from.wellFormed || from.mailboxes.size() != 1 || !from.mailboxes[0].address) return {};
  return mail::lowerAscii(from.mailboxes[0].address->domain());
}

}  // namespace

mailauth::SigningKey DkimKeyMemory::get(const vault::KeyStore& keys, const DkimKey& key) {
  const MutexLock lock(mutex_);
  if (const auto found = known_.find(key.id); found != known_.end()) return found->second;
  const auto secret = keys.siteKey(dkimKeyName(key));
  if (!secret)
    throw Error(ErrorKind::Crypto, "the key " + key.selector + " that signs mail of " + key.domain +
                                       " (DKIM) is not in keys.db; this mail waits: restore keys.db, or make a new key "
                                       "with: postern dkim rotate " +
                                       key.domain);
  return known_.emplace(key.id, mailauth::SigningKey::import(*secret)).first->second;
}

void DkimKeyMemory::forget(std::uint64_t id) {
  const MutexLock lock(mutex_);
  known_.erase(id);
}

MailSigner::MailSigner(SiteContext& context, const std::string& list, const std::vector<std::string>& domains) {
  for (const auto& name : domains)
    if (std::none_of(domains_.begin(), domains_.end(), [&](const auto& one) { return one.name == name; }))
      load(context, list, name);
}

void MailSigner::load(SiteContext& context, const std::string& list, const std::string& name) {
  Domain domain;
  domain.name = name;
  const auto keys = context.site.read([&](SiteTables& tables) {
    domain.signing = tables.dkim.signingOf(list, name);
    return domain.signing == Signing::Off ? std::vector<DkimKey>() : tables.dkim.active(name, "email");
  });
  for (const auto& key : keys) domain.signers.push_back({name, key.selector, context.dkimKeys.get(context.keys, key)});
  domains_.push_back(std::move(domain));
}

std::string MailSigner::fields(std::string_view head, std::string_view tail, TimePoint now) const {
  const bool split = !head.empty();
  const auto header = mail::HeaderBlock::scan(split ? head : tail);
  if (!header) throw Error(ErrorKind::Invariant, "the header of mail that is to be signed cannot be read");
  const auto author = authorDomain(*header);
  const auto found =
      std::find_if(domains_.begin(), domains_.end(), [&](const auto& one) { return one.name == author; });
  if (found == domains_.end()) {
    if (std::any_of(domains_.begin(), domains_.end(), [](const auto& one) { return one.signing == Signing::Required; }))
      throw Error(ErrorKind::Crypto, "this mail must be signed (DKIM), but " + author + " is not a domain of its list");
    return {};
  }
  if (found->signers.empty()) {
    if (found->signing != Signing::Required) return {};
    throw Error(ErrorKind::Crypto, "this mail must be signed (DKIM), but " + author +
                                       " has no key in use; it waits: make one with: postern dkim add " + author);
  }
  mailauth::BodyHasher hasher(mailauth::Canonical::Relaxed);
  const auto first = split ? head : tail;
  hasher.update(first.substr(std::min(header->bodyOffset(), first.size())));
  if (split) hasher.update(tail);
  const auto digest = hasher.finish();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  std::string fields;
  for (const auto& signer : found->signers) fields += signer.sign(*header, digest, seconds);
  return fields;
}

}  // namespace postern::listd
