#pragma once
#include "cli/Context.h"
#include "cli/OrderVerbs.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::cli {

std::vector<OrderVerb> backupVerbs();  // backup status

// Where backups are, where that is not said in postern.toml.
struct BackupPlace {
  std::string repository;
  std::string keysRepository;
  std::string passwordFile;
  std::string environmentFile;
};

// `postern backup init`: makes the password and both repositories.
Exit initBackups(const Context& context);
// `postern backup create`: what changed since the last one, encrypted, keys apart. With `scheduled` a site without
// repositories is no error.
Exit createBackup(const Context& context, bool scheduled);
Exit listBackups(const Context& context, const BackupPlace& place);
// `postern backup verify`: the repositories themselves; with `all` every stored byte.
Exit verifyBackups(const Context& context, const BackupPlace& place, bool all);

struct DrillOptions {
  bool scheduled = false;       // a site without repositories is no error
  std::string scratch;          // folder that is made and removed; empty: below the data folder
  std::uint64_t samples = 200;  // messages to open; 0: all
};
// `postern backup drill`: restores the newest backup aside, opens it and records that it can be restored.
Exit drillBackup(const Context& context, const DrillOptions& options);

struct RestoreOptions {
  BackupPlace place;
  std::string target;
  std::string snapshot = "latest";
  std::string rootKey;       // file; empty: it is in the target already, or comes as the settings say
  std::string registerFile;  // of the lost site, if it survived
  std::string anchors;       // folder of checkpoints that were kept elsewhere
  std::string reason;
  std::string requester;
  std::string approver;
};
// `postern backup restore`: a site in an empty folder, ready for `postern run`. Tombstones and holds are in force and
// the roll-back is declared before it can open a port.
Exit restoreBackup(const Context& context, const RestoreOptions& options);

}  // namespace postern::cli
