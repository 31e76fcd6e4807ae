#include "cli/BackupFiles.h"

#include "core/base/Error.h"

#include <algorithm>

namespace postern::cli {

namespace {

void requireApart(const std::string& content, const std::string& keys) {
  if (content.empty() || keys.empty())
    throw Error(
        ErrorKind::Config,
        "it is not said where backups go: set repository and keys_repository in section [backup] of postern.toml, "
        "then: postern backup init");
  if (content == keys)
    throw Error(
        ErrorKind::Config,
        "repository and keys_repository of [backup] are the same; keys belong in another place, since theirs are "
        "kept for 35 days only");
}

}  // namespace

Repositories repositoriesOf(const config::SiteConfig& site) {
  requireApart(site.backupRepository, site.backupKeysRepository);
  const Restic::Access access{
      site.path(site.backupPasswordFile),
      site.backupEnvironmentFile.empty() ? std::filesystem::path() : site.path(site.backupEnvironmentFile),
      site.path("backup/cache")};
  return {Restic(site.backupRepository, access), Restic(site.backupKeysRepository, access)};
}

Repositories repositoriesAt(const Context& context, const BackupPlace& place) {
  if (place.repository.empty()) return repositoriesOf(config::loadSiteConfig(context.dataFolder));
  requireApart(place.repository, place.keysRepository);
  if (place.passwordFile.empty())
    throw Error(ErrorKind::Config, "say where the password of the repositories is: --password-file FILE");
  const Restic::Access access{place.passwordFile, place.environmentFile,
                              std::filesystem::temp_directory_path() / "postern-restic-cache"};
  return {Restic(place.repository, access), Restic(place.keysRepository, access)};
}

std::string oneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text.substr(0, 1500);
}

}  // namespace postern::cli
