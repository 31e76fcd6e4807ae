#include "listd/site/SiteContext.h"

#include "core/base/Error.h"
#include "core/base/Files.h"

namespace postern::listd {
namespace {

std::filesystem::path keysFile(const config::SiteConfig& config) {
  return config.dataFolder / "keys/keys.db";
}

std::unique_ptr<vault::RootKeySource> openRootKey(const config::SiteConfig& config) {
  const auto path = config.path(config.rootKey);
  const auto& source = config.rootKeySource;
  const bool known = std::filesystem::exists(keysFile(config));
  if (source != "file" || known || std::filesystem::exists(path)) {
    if (source == "file" && !std::filesystem::exists(path) && !std::filesystem::exists(path.string() + ".next"))
      throw Error(ErrorKind::Config, "the root key " + path.string() + " is missing, but " + keysFile(config).string() +
                                         " was made with one; put the key file back, nothing can be opened without it");
    return vault::RootKeySource::open(source, path, vault::askPassphrase);
  }
  files::makePrivateFolder(path.parent_path());
  return vault::RootKeySource::create(source, path, vault::askPassphrase);
}

std::filesystem::path privateFolder(const std::filesystem::path& folder) {
  files::makePrivateFolder(folder);
  return folder;
}

// As long as the list's certificate is made for.
constexpr std::chrono::days OpenPgpLifetime{3 * 365};

}  // namespace

std::shared_ptr<const crypto::TrustStore> loadTrust(const config::SiteConfig& config,
                                                    const std::vector<TrustedAuthority>& trusted) {
  if (config.certificateAuthorities.empty() && trusted.empty()) return nullptr;
  auto store = config.certificateAuthorities.empty()
                   ? crypto::TrustStore()
                   : crypto::TrustStore::load(config.path(config.certificateAuthorities));
  for (const auto& each : trusted) {
    const auto certificate = crypto::Certificate::parse(each.certificate);
    if (!certificate) throw Error(ErrorKind::Store, "site.db holds a damaged authority: " + each.subject);
    store.trust(*certificate);
  }
  return std::make_shared<const crypto::TrustStore>(std::move(store));
}

std::uint64_t TailNumbers::next() {
  constexpr std::uint64_t Block = 1000;
  const MutexLock lock(mutex_);
  if (next_ == end_) {
    next_ = site_.write([](SiteTables& tables) { return tables.counters.take(CounterStore::Tail, Block); });
    end_ = next_ + Block;
  }
  return next_++;
}

SiteContext::SiteContext(const config::SiteConfig& siteConfig, const Clock& siteClock)
    : config(siteConfig),
      clock(siteClock),
      rootSource(openRootKey(siteConfig)),
      journal(siteConfig.dataFolder / "journal/register.log"),
      keys(privateFolder(siteConfig.dataFolder / "keys") / "keys.db", *rootSource, &journal),
      vault(privateFolder(siteConfig.dataFolder / "vault"), keys, siteClock, siteConfig.minFreeSpace),
      site(siteConfig.dataFolder / "listd/site.db", siteClock),
      verp(root.derive(vault::RootKey::VerpKey)) {
  reloadTrust();
}

std::shared_ptr<const crypto::TrustStore> SiteContext::trustStore() const {
  const MutexLock lock(trustMutex_);
  return trust_;
}

void SiteContext::reloadTrust() {
  auto fresh = loadTrust(config, site.read([](SiteTables& tables) { return tables.directories.authorities(); }));
  const MutexLock lock(trustMutex_);
  trust_ = std::move(fresh);
}

std::string SiteContext::webUrl() const {
  return config.publicUrl();
}

std::string SiteContext::helpLink() const {
  return webUrl() + "/help";
}

ListFacts factsOf(const List& list, const std::string& helpLink) {
  auto address = mail::Address::parse(list.address);
  if (!address) throw Error(ErrorKind::Store, "site.db holds a list with the address " + list.address);
  return {std::move(*address), list.displayName, list.description, list.secure, helpLink, list.shape};
}

crypto::SigningIdentity signingIdentity(const SiteContext& context, const List& list) {
  const auto key = context.keys.signingKey(list.id, list.smimeKeyName);
  if (!key)
    throw Error(ErrorKind::Store, "keys.db has no signing key of " + list.address +
                                      "; restore keys.db from the backup of the same time as site.db");
  return crypto::SigningIdentity::import(list.certificate, *key).withChain(crypto::chainOfPem(list.certificateChain));
}

pgp::SecretKey openPgpKey(SiteContext& context, const List& list) {
  const auto onFile = [&](SiteTables& tables) -> std::optional<pgp::SecretKey> {
    const auto row = tables.lists.find(list.id);
    if (!row || row->openPgpFingerprint.empty()) return std::nullopt;
    const auto stored = context.keys.signingKey(list.id, row->openPgpKeyName);
    if (!stored)
      throw Error(ErrorKind::Store, "keys.db has no OpenPGP key of " + list.address +
                                        "; restore keys.db from the backup of the same time as site.db");
    return pgp::SecretKey::parse(*stored);
  };
  if (auto key = context.site.read(onFile)) return std::move(*key);
  // On the writer's thread, so that two posts at once make one key. Should the commit fail, a key is left that the
  // list does not name, and the next one replaces it.
  return context.site.write([&](SiteTables& tables) {
    if (auto key = onFile(tables)) return std::move(*key);
    const auto facts = factsOf(list, {});
    auto key = pgp::SecretKey::create(facts.shownName(), list.address, context.clock.now(), OpenPgpLifetime);
    context.keys.storeSigningKey(list.id, ListOpenPgpKey, key.serialized());
    tables.lists.setOpenPgpKey(list.id, key.publicKey().bytes(), key.fingerprint());
    return key;
  });
}

}  // namespace postern::listd
