#include "core/vault/KeyBackup.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Aead.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/store/Database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace postern::vault {

namespace {

constexpr std::string_view Magic = "PSTNKBK1";
constexpr std::size_t PieceSize = 1u << 20;
constexpr std::string_view Ending = ".postern-keys";

struct Header {
  KeyBackupFacts facts;
  std::uint64_t keysSize = 0;
  std::uint64_t registerSize = 0;

  std::string bytes() const {
    Writer writer;
    writer.i64(toMicros(facts.at)).string(facts.rootCheck).u64(facts.epochs).u64(facts.objects);
    writer.u64(facts.registerRecords).u64(keysSize).u64(registerSize);
    return std::move(writer).bytes();
  }
  static Header parse(std::string_view bytes) {
    Reader reader(bytes);
    Header header;
    header.facts.at = fromMicros(reader.i64());
    header.facts.rootCheck = reader.string();
    header.facts.epochs = reader.u64();
    header.facts.objects = reader.u64();
    header.facts.registerRecords = reader.u64();
    header.keysSize = reader.u64();
    header.registerSize = reader.u64();
    reader.expectEnd();
    return header;
  }
};

std::string pieceContext(const std::string& header, std::uint64_t number, bool last) {
  Writer writer;
  writer.string("postern key backup piece").string(crypto::sha256(header)).u64(number).boolean(last);
  return std::move(writer).bytes();
}

// A file that must not stay readable: overwritten and removed, whatever happens.
class Passing {
public:
  explicit Passing(std::filesystem::path path) : path_(std::move(path)) { clear(); }
  ~Passing() {
    try {
      clear();
    } catch (const std::exception&) {  // a destructor; what is left is wrapped all the same
    }
  }
  Passing(const Passing&) = delete;
  Passing& operator=(const Passing&) = delete;
  const std::filesystem::path& path() const { return path_; }
  void clear() const {
    for (const auto* end : {"", "-wal", "-shm", ".lock"}) {
      const std::filesystem::path part = path_.string() + end;
      if (!std::filesystem::exists(part)) continue;
      {
        const FileDescriptor fd(::open(part.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
        if (fd) files::writeAll(fd.get(), std::string(std::filesystem::file_size(part), '\0'), part);
        if (fd) ::fsync(fd.get());
      }
      std::filesystem::remove(part);
    }
  }

private:
  std::filesystem::path path_;
};

struct Opened {
  Header header;
  std::string keys;
  std::string registerBytes;
};

Opened openBackup(const std::filesystem::path& backup, const RootKeySource& source) {
  const auto bytes = files::read(backup);
  if (!bytes.starts_with(Magic))
    throw Error(ErrorKind::Config, backup.string() + " is not a backup of the keys of Postern");
  Reader reader(std::string_view(bytes).substr(Magic.size()));
  Opened opened;
  const auto headerBytes = reader.string();
  opened.header = Header::parse(headerBytes);
  for (const auto& [root, next] : source.candidates()) {
    if (root.checkValue() != opened.header.facts.rootCheck) continue;
    const crypto::AeadKey key(root.derive(RootKey::BackupKey));
    std::string plain;
    for (std::uint64_t number = 0; plain.size() < opened.header.keysSize + opened.header.registerSize || number == 0;
         ++number) {
      const auto piece = reader.view();
      plain += key.open(piece, pieceContext(headerBytes, number, reader.atEnd()));
    }
    reader.expectEnd();
    if (plain.size() != opened.header.keysSize + opened.header.registerSize)
      throw Error(ErrorKind::Crypto, backup.string() + " does not hold what it says");
    opened.keys = plain.substr(0, static_cast<std::size_t>(opened.header.keysSize));
    opened.registerBytes = plain.substr(static_cast<std::size_t>(opened.header.keysSize));
    return opened;
  }
  throw Error(ErrorKind::Config, backup.string() +
                                     " was made under another root key; it cannot be opened by this one: a change of "
                                     "the root key ends all backups of the keys that were made before");
}

// A backup of a damaged register would be believed one day, and a restore could take what it forbids for nothing.
void requireSound(const Journal& journal) {
  if (const auto trouble = journal.trouble())
    throw Error(ErrorKind::Store, *trouble + ": put an undamaged copy of the register back first");
}

}  // namespace

RootKey currentRoot(const KeyStore& keys, const RootKeySource& source) {
  const auto wanted = keys.rootFacts().checkValue;
  for (const auto& [root, next] : source.candidates())
    if (root.checkValue() == wanted) return root;
  throw Error(ErrorKind::Config, "the root key that keys.db is under is no longer where it was");
}

KeyBackupFacts writeKeyBackup(const KeyStore& keys, const RootKey& root, const std::filesystem::path& target,
                              TimePoint now) {
  if (std::filesystem::exists(target)) throw Error(ErrorKind::Config, target.string() + " is there already");
  const Passing copy(target.string() + ".copy");
  Header header;
  // keys.db first, and the register, which only grows, after it: so it has every record that the copy knows of.
  keys.backupTo(copy.path());
  std::string plain = files::read(copy.path());
  header.keysSize = plain.size();
  header.facts.at = now;
  header.facts.rootCheck = root.checkValue();
  {
    auto database = store::Database::openReader(copy.path());
    KeyStore::countIn(database, header.facts.epochs, header.facts.objects);
    KeyStore::checkWrapped(database, root);  // a backup with keys that do not open is none
  }
  if (const auto* journal = keys.journal()) {
    requireSound(*journal);
    header.facts.registerRecords = journal->last();
    const auto bytes = files::read(journal->file());
    header.registerSize = bytes.size();
    plain += bytes;
  }
  const auto headerBytes = header.bytes();
  const crypto::AeadKey key(root.derive(RootKey::BackupKey));
  Writer out;
  out.raw(Magic).string(headerBytes);
  for (std::size_t at = 0, number = 0; at < plain.size(); at += PieceSize, ++number)
    out.string(key.seal(std::string_view(plain).substr(at, PieceSize),
                        pieceContext(headerBytes, number, at + PieceSize >= plain.size())));
  files::replaceDurably(target, out.bytes());
  return header.facts;
}

KeyBackupFacts verifyKeyBackup(const std::filesystem::path& backup, RootKeySource& source) {
  const auto opened = openBackup(backup, source);
  const Passing copy((std::filesystem::temp_directory_path() / ("postern-verify-" + std::to_string(::getpid()))));
  files::replaceDurably(copy.path(), opened.keys);
  auto database = store::Database::openReader(copy.path());
  if (const auto fault = database.findFault())
    throw Error(ErrorKind::Store, "the keys.db in " + backup.string() + " is damaged: " + *fault);
  for (const auto& [root, next] : source.candidates())
    if (root.checkValue() == opened.header.facts.rootCheck) KeyStore::checkWrapped(database, root);
  return opened.header.facts;
}

KeyRestore restoreKeyBackup(const std::filesystem::path& backup, RootKeySource& source,
                            const std::filesystem::path& keysFile, const std::filesystem::path& registerFile,
                            bool replace) {
  if (std::filesystem::exists(keysFile) && !replace)
    throw Error(ErrorKind::Config,
                keysFile.string() + " is there: say --replace to lose the keys in it that the backup has not");
  const auto opened = openBackup(backup, source);
  if (std::filesystem::exists(keysFile)) store::Database::openWriter(keysFile);  // refused while listd runs
  std::uint64_t here = 0;
  if (std::filesystem::exists(registerFile)) {
    const Journal journal(registerFile);
    requireSound(journal);
    here = journal.last();
  }
  if (here < opened.header.facts.registerRecords) {
    files::makePrivateFolder(registerFile.parent_path());
    files::replaceDurably(registerFile, opened.registerBytes);
  }
  const std::filesystem::path fresh = keysFile.string() + ".restored";
  const Passing passing(fresh);
  files::makePrivateFolder(keysFile.parent_path());
  files::replaceDurably(fresh, opened.keys);
  KeyRestore result{opened.header.facts, 0};
  {
    // Opening applies the tombstones; nothing else has seen the file yet.
    Journal journal(registerFile);
    const auto before = opened.header.facts.objects;
    const KeyStore restored(fresh, source, &journal);
    result.destroyed = before - std::min(before, restored.objects());
    const auto said = std::to_string(toMicros(result.backup.at));
    journal.append(Journal::Kind::Rollback, "keys.db restored from a backup of " + said);
  }
  for (const auto* end : {"-wal", "-shm"}) std::filesystem::remove(keysFile.string() + end);
  if (::rename(fresh.c_str(), keysFile.c_str()) != 0) throwErrno("rename", fresh);
  files::syncFolder(keysFile.parent_path());
  return result;
}

std::size_t removeOldKeyBackups(const std::filesystem::path& folder, TimePoint now) {
  std::size_t removed = 0;
  if (!std::filesystem::exists(folder)) return 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    struct stat facts {};
    if (!name.ends_with(Ending) || ::stat(entry.path().c_str(), &facts) != 0) continue;
    if (TimePoint(std::chrono::seconds(facts.st_mtime)) + KeyBackupLife > now) continue;
    std::filesystem::remove(entry.path());
    ++removed;
  }
  return removed;
}

}  // namespace postern::vault
