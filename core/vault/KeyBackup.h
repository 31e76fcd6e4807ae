#pragma once
#include "core/base/Clock.h"
#include "core/vault/KeyStore.h"
#include "core/vault/RootKeySource.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace postern::vault {

// A backup of keys.db: the file as it was, sealed under the root key of its time, with a copy of the register for the
// day when the whole machine is lost. It lives for 35 days: an object that is destroyed today can be brought back by
// nobody once every older backup is gone, so older ones are not kept, and a change of the root key ends all of them.
// Form: "PSTNKBK1", a header in clear (authenticated with every piece), pieces of 1 MB sealed with AES-256-GCM under
// RootKey::BackupKey, each bound to its number and to being the last.
constexpr std::chrono::days KeyBackupLife{35};

struct KeyBackupFacts {
  TimePoint at;
  std::string rootCheck;  // RootKey::checkValue of the root key that opens it
  std::uint64_t epochs = 0;
  std::uint64_t objects = 0;
  std::uint64_t registerRecords = 0;
};

// The root key that keys.db is under just now.
RootKey currentRoot(const KeyStore& keys, const RootKeySource& source);

// Writes a new file, durably, once every key in it was opened. Error(Io), Error(DiskFull); Error(Config) when it is
// there; Error(Crypto) for a key that does not open, so that an epoch key that is missing is told now.
KeyBackupFacts writeKeyBackup(const KeyStore& keys, const RootKey& root, const std::filesystem::path& target,
                              TimePoint now);
// Opens the whole of it, keys.db and each wrapped key in it included. Error(Config) for a file that is none or needs
// another root key, Error(Crypto) for one that was changed or cut, Error(Store) for a damaged keys.db in it.
KeyBackupFacts verifyKeyBackup(const std::filesystem::path& backup, RootKeySource& source);
// Puts the backup in the place of keys.db while nothing runs. The register decides before anything is opened: keys
// whose tombstones it holds are destroyed in the restored file first. The register on this machine stands when it has
// at least as many records; else the copy in the backup is taken. `replace`: also when there is a keys.db.
struct KeyRestore {
  KeyBackupFacts backup;
  std::uint64_t destroyed = 0;  // keys that the register kept from coming back
};
KeyRestore restoreKeyBackup(const std::filesystem::path& backup, RootKeySource& source,
                            const std::filesystem::path& keysFile, const std::filesystem::path& registerFile,
                            bool replace);
// Removes backups in a folder whose life is over; how many.
std::size_t removeOldKeyBackups(const std::filesystem::path& folder, TimePoint now);

}  // namespace postern::vault
