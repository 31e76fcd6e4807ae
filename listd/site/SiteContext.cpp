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

std::optional<crypto::TrustStore> loadTrust(const config::SiteConfig& config) {
  if (config.certificateAuthorities.empty()) return std::nullopt;
  return crypto::TrustStore::load(config.path(config.certificateAuthorities));
}

}  // namespace

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
      verp(root.derive(vault::RootKey::VerpKey)),
      trust(loadTrust(siteConfig)) {}

std::string SiteContext::webUrl() const {
  return config.publicUrl();
}

std::string SiteContext::helpLink() const {
  return webUrl() + "/help";
}

ListFacts factsOf(const List& list, const std::string& helpLink) {
  auto address = mail::Address::parse(list.address);
  if (!address) throw Error(ErrorKind::Store, "site.db holds a list with the address " + list.address);
  return {std::move(*address), list.displayName, list.description, list.secure, helpLink};
}

crypto::SigningIdentity signingIdentity(const SiteContext& context, const List& list) {
  const auto key = context.keys.signingKey(list.id, ListSigningKey);
  if (!key)
    throw Error(ErrorKind::Store, "keys.db has no signing key of " + list.address +
                                      "; restore keys.db from the backup of the same time as site.db");
  return crypto::SigningIdentity::import(list.certificate, *key);
}

}  // namespace postern::listd
