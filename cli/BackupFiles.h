#pragma once
#include "cli/BackupVerbs.h"
#include "cli/Restic.h"

#include <string>

namespace postern::cli {

// The two places of a site's backups. Keys lie apart, for a destroyed key must not come back from an old backup.
struct Repositories {
  Restic content;
  Restic keys;
};

// As the settings say. Error(Config) when they name none, or one place for both.
Repositories repositoriesOf(const config::SiteConfig& site);
// As given, else as the settings of the site say.
Repositories repositoriesAt(const Context& context, const BackupPlace& place);

std::string oneLine(std::string text);

}  // namespace postern::cli
