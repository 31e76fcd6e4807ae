#pragma once
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/store/Database.h"
#include "core/vault/KeyBackup.h"
#include "core/vault/RootKeySource.h"
#include "core/vault/Vault.h"
#include "tests/support/FaultyDisk.h"
#include "tests/support/TempFolder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// A site's keys and contents, for tests of what happens to them over the years.
namespace postern::vault::keylife {

inline bool isConfig(const Error& error) {
  return error.kind() == ErrorKind::Config;
}
inline bool isStore(const Error& error) {
  return error.kind() == ErrorKind::Store;
}

inline std::vector<std::string> filesWith(const std::filesystem::path& folder, std::string_view needle) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && files::read(entry.path()).find(needle) != std::string::npos)
      found.push_back(entry.path().string());
  return found;
}

inline Secret noPassphrase(const std::string&) {
  throw Error(ErrorKind::Invariant, "no passphrase is to be asked for");
}

// A site's keys and contents, closed and opened again as often as wanted.
struct Site {
  test::TempFolder folder;
  SystemClock clock;
  std::filesystem::path keysFile = folder / "keys/keys.db";
  std::filesystem::path rootFile = folder / "keys/root.key";
  std::unique_ptr<RootKeySource> source = RootKeySource::create("file", rootFile, noPassphrase);
  std::unique_ptr<Journal> journal;
  std::unique_ptr<KeyStore> keys;
  std::unique_ptr<Vault> vault;

  Site() { open(); }
  void open() {
    close();
    source = RootKeySource::open("file", rootFile, noPassphrase);
    journal = std::make_unique<Journal>(folder / "journal/register.log");
    keys = std::make_unique<KeyStore>(keysFile, *source, journal.get());
    vault = std::make_unique<Vault>(folder / "vault", *keys, clock);
  }
  void close() {
    vault.reset();
    keys.reset();
    journal.reset();
  }
  void put(std::uint64_t from, std::uint64_t to, std::uint64_t list = 7) {
    for (auto id = from; id <= to; ++id) vault->put(id, list, content(id));
  }
  static std::string content(std::uint64_t id) { return "canary content " + std::to_string(id); }
  bool reads(std::uint64_t from, std::uint64_t to) {
    for (auto id = from; id <= to; ++id)
      if (vault->get(id) != content(id)) return false;
    return true;
  }
  // As it stands in keys.db.
  std::string wrappedKey(std::uint64_t id) {
    auto database = store::Database::openReader(keysFile);
    auto select = database.prepare("SELECT wrapped FROM object_keys WHERE object_id = ?");
    return select.bind(id).step() ? select.blob(0) : std::string();
  }
  std::string ciphertext(std::uint64_t id) {
    const auto place = keys->objectKey(id)->place;
    const auto path = folder / "vault/segments/0000000000000001.seg";
    return files::read(path).substr(place.offset + 40, 16);
  }
  void rotateLists() {
    for (const auto list : keys->listsWithKeys()) {
      const auto epoch = keys->startEpoch(list, clock.now());
      while (keys->rewrapObjectKeys(epoch, 40) > 0) {
      }
    }
  }
};

}  // namespace postern::vault::keylife
