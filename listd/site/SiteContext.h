#pragma once
#include "core/base/Clock.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/Certificate.h"
#include "core/crypto/SigningIdentity.h"
#include "core/mail/Address.h"
#include "core/pgp/SecretKey.h"
#include "core/vault/Journal.h"
#include "core/vault/KeyStore.h"
#include "core/vault/RootKey.h"
#include "core/vault/RootKeySource.h"
#include "core/vault/Vault.h"
#include "listd/compose/ListFacts.h"
#include "listd/compose/Verp.h"
#include "listd/dkim/MailSigner.h"
#include "listd/requests/Requests.h"
#include "listd/site/SiteStore.h"

#include <memory>
#include <optional>
#include <string>

namespace postern::listd {

class ListPolicies;

// Numbers of shared tails, reserved in blocks so that not every post waits for a commit. What is left of a block when
// the process ends is never used. Threads: safe for all. Errors: Error(Store), Error(DiskFull).
class TailNumbers {
public:
  explicit TailNumbers(SiteStore& site) : site_(site) {}
  std::uint64_t next();

private:
  SiteStore& site_;
  Mutex mutex_;
  std::uint64_t next_ GUARDED_BY(mutex_) = 0;
  std::uint64_t end_ GUARDED_BY(mutex_) = 0;
};

// Everything durable of one site, opened in the right order: root key, keys.db, vault, site.db. The first start makes
// them. A missing root key beside existing keys is refused: a new one could not open anything.
// Ownership: `config` and `clock` must outlive it. Threads: safe for all.
// Errors: the constructor throws Error(Config) with what to do; parts throw as they say.
class SiteContext {
public:
  SiteContext(const config::SiteConfig& config, const Clock& clock);

  const config::SiteConfig& config;
  const Clock& clock;
  const std::unique_ptr<vault::RootKeySource> rootSource;
  vault::Journal journal;  // tombstones, holds and locked floors: what no restore may undo
  vault::KeyStore keys;
  const vault::RootKey& root{keys.siteRoot()};  // derive from this; it stays when the root key is changed
  vault::Vault vault;
  SiteStore site;
  TailNumbers tails{site};
  DkimKeyMemory dkimKeys;
  ListPolicies* listPolicies = nullptr;  // whom to ask about posts and members; set once, before any comes
  const Requests requests;
  const Verp verp;

  // What members' certificates must chain to: the authorities of the settings and those that people trust. Null: none,
  // so that certificates are trusted when they are imported. Stays as it is for who holds it.
  std::shared_ptr<const crypto::TrustStore> trustStore() const;
  // After people changed whom they trust.
  void reloadTrust();

  std::string webUrl() const;    // without a slash at the end
  std::string helpLink() const;  // put in refusals and notices

private:
  mutable Mutex trustMutex_;
  std::shared_ptr<const crypto::TrustStore> trust_ GUARDED_BY(trustMutex_);
};

// The authorities of the settings and these; null when there are none at all.
std::shared_ptr<const crypto::TrustStore> loadTrust(const config::SiteConfig& config,
                                                    const std::vector<TrustedAuthority>& trusted);

// The names under which keys.db has a list's first signing keys; later ones have names of their own (List).
constexpr std::string_view ListSigningKey = "smime";
constexpr std::string_view ListOpenPgpKey = "openpgp";

// What composing needs of a list.
ListFacts factsOf(const List& list, const std::string& helpLink);

// The list's signing certificate with its private key. Throws Error(Store) when the key is not there.
crypto::SigningIdentity signingIdentity(const SiteContext& context, const List& list);

// The list's OpenPGP key; made now for a list that has none yet. Never to be called inside a job of SiteStore.
pgp::SecretKey openPgpKey(SiteContext& context, const List& list);

}  // namespace postern::listd
