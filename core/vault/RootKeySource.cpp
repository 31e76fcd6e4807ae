#include "core/vault/RootKeySource.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Aead.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Password.h"
#include "core/crypto/Random.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace postern::vault {

namespace {

constexpr std::string_view CredentialPrefix = "credential:";
constexpr std::size_t ShortestPassphrase = 15;

[[noreturn]] void failConfig(const std::string& text) {
  throw Error(ErrorKind::Config, text);
}

std::filesystem::path nextOf(const std::filesystem::path& file) {
  return file.string() + ".next";
}

// What lies in the file is overwritten before its name goes. Flash and copying file systems may keep the old block all
// the same; decision 0012 says what follows from that.
void overwrite(const std::filesystem::path& file) {
  const FileDescriptor fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0) return;
  files::writeAll(fd.get(), std::string(static_cast<std::size_t>(facts.st_size), '\0'), file);
  if (::fsync(fd.get()) != 0) throwErrno("sync", file);
}

// A key kept in a file of ours, in one of two forms; the next one lies beside it.
class KeyFile : public RootKeySource {
public:
  explicit KeyFile(std::filesystem::path file) : file_(std::move(file)) {}

  std::vector<Candidate> candidates() const override {
    std::vector<Candidate> keys;
    const bool next = std::filesystem::exists(nextOf(file_));
    try {
      keys.push_back({read(file_), false});
    } catch (const Error&) {
      if (!next) throw;  // else it may have been overwritten already, and the next one is the key
    }
    if (!next) return keys;
    try {
      keys.push_back({read(nextOf(file_)), true});
    } catch (const Error&) {
      if (keys.empty()) throw;  // else it was being dropped: overwritten already, and the present one is the key
    }
    return keys;
  }

  RootKey prepareNext() override {
    std::filesystem::remove(nextOf(file_));
    auto key = RootKey::generate();
    try {
      write(nextOf(file_), key);
    } catch (const Error& error) {
      failConfig("the next root key cannot be put beside " + file_.string() + " (" + error.message() +
                 "); listd may write below the data folder only: move root_key there, or use another source");
    }
    return key;
  }

  void finishNext() override {
    if (!std::filesystem::exists(nextOf(file_))) return;
    overwrite(file_);
    if (::rename(nextOf(file_).c_str(), file_.c_str()) != 0) throwErrno("rename", nextOf(file_));
    files::syncFolder(file_.parent_path());
  }

  void dropNext() override {
    if (!std::filesystem::exists(nextOf(file_))) return;
    overwrite(nextOf(file_));
    std::filesystem::remove(nextOf(file_));
    files::syncFolder(file_.parent_path());
  }

protected:
  virtual RootKey read(const std::filesystem::path& file) const = 0;
  virtual void write(const std::filesystem::path& file, const RootKey& key) const = 0;
  const std::filesystem::path file_;
};

class PlainFile : public KeyFile {
public:
  using KeyFile::KeyFile;
  const std::string& name() const override { return name_; }

protected:
  RootKey read(const std::filesystem::path& file) const override { return RootKey::load(file); }
  void write(const std::filesystem::path& file, const RootKey& key) const override { RootKey::store(file, key); }

private:
  const std::string name_ = "file";
};

// The text of a key file under a passphrase.
struct SealedKey {
  crypto::PassphraseParameters parameters;
  std::string sealed;

  std::string context() const {
    return "postern root key|argon2id|" + std::to_string(parameters.memoryKib) + "|" +
           std::to_string(parameters.passes) + "|" + std::to_string(parameters.lanes) + "|" +
           crypto::hex(parameters.salt);
  }

  std::string text() const {
    return "postern-root-key 1\nargon2id " + std::to_string(parameters.memoryKib) + " " +
           std::to_string(parameters.passes) + " " + std::to_string(parameters.lanes) + "\nsalt " +
           crypto::hex(parameters.salt) + "\nsealed " + crypto::hex(sealed) + "\n";
  }

  static SealedKey parse(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file))
      failConfig("the root key " + file.string() + " is missing; put it back, nothing can be opened without it");
    std::istringstream in(files::read(file));
    std::string magic, version, kind, saltWord, salt, sealedWord, sealed;
    SealedKey key;
    in >> magic >> version >> kind >> key.parameters.memoryKib >> key.parameters.passes >> key.parameters.lanes >>
        saltWord >> salt >> sealedWord >> sealed;
    const auto saltBytes = crypto::fromHex(salt);
    const auto sealedBytes = crypto::fromHex(sealed);
    if (!in || magic != "postern-root-key" || version != "1" || kind != "argon2id" || saltWord != "salt" ||
        sealedWord != "sealed" || !saltBytes || !sealedBytes)
      failConfig("the root key " + file.string() +
                 " is not one that a passphrase opens: restore it, or set [store] root_key_source to what it is");
    key.parameters.salt = *saltBytes;
    key.sealed = *sealedBytes;
    return key;
  }
};

class PassphraseFile : public KeyFile {
public:
  PassphraseFile(const std::filesystem::path& file, const AskPassphrase& ask) : KeyFile(file) {
    auto at = file;
    if (!std::filesystem::exists(at) && std::filesystem::exists(nextOf(at))) at = nextOf(at);
    // A file that was overwritten already: the next one is under the same passphrase and salt.
    try {
      parameters_ = SealedKey::parse(at).parameters;
    } catch (const Error&) {
      if (!std::filesystem::exists(nextOf(file))) throw;
      parameters_ = SealedKey::parse(nextOf(file)).parameters;
    }
    key_ = crypto::keyOfPassphrase(ask("Passphrase of the root key"), parameters_);
  }

  // A new one.
  PassphraseFile(const std::filesystem::path& file, const Secret& passphrase) : KeyFile(file) {
    parameters_.salt = crypto::randomBytes(16);
    key_ = crypto::keyOfPassphrase(passphrase, parameters_);
    write(file, RootKey::generate());
  }

  const std::string& name() const override { return name_; }

protected:
  RootKey read(const std::filesystem::path& file) const override {
    const auto stored = SealedKey::parse(file);
    try {
      return RootKey::fromBytes(crypto::AeadKey(key_).openSecret(stored.sealed, stored.context()));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Crypto) throw;
      failConfig("the passphrase does not open the root key " + file.string());
    }
  }

  void write(const std::filesystem::path& file, const RootKey& key) const override {
    SealedKey stored{parameters_, {}};
    stored.sealed = crypto::AeadKey(key_).sealSecret(key.bytes(), stored.context());
    files::replaceDurably(file, stored.text());
  }

private:
  const std::string name_ = "passphrase";
  crypto::PassphraseParameters parameters_;
  Secret key_;
};

class Credential : public RootKeySource {
public:
  explicit Credential(const std::string& name) : name_(std::string(CredentialPrefix) + name) {
    const auto* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr)
      failConfig("the root key is to come from the systemd credential " + name +
                 ", but this process was given none: start it by its unit, with LoadCredentialEncrypted=" + name +
                 ":…, or set [store] root_key_source");
    file_ = std::filesystem::path(folder) / name;
  }

  const std::string& name() const override { return name_; }

  std::vector<Candidate> candidates() const override {
    std::vector<Candidate> keys{{read(file_), false}};
    if (std::filesystem::exists(nextOf(file_))) keys.push_back({read(nextOf(file_)), true});
    return keys;
  }

  RootKey prepareNext() override {
    if (!std::filesystem::exists(nextOf(file_)))
      failConfig("the next root key is to come from the systemd credential " + nextOf(file_).filename().string() +
                 ": make 64 hexadecimal digits, give them to the unit under that name, restart and try again");
    return read(nextOf(file_));
  }
  // The unit's owner gives the new key the old one's name; both are tried until then.
  void finishNext() override {}
  void dropNext() override {}

private:
  static RootKey read(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file))
      failConfig("the systemd credential " + file.filename().string() +
                 " was not given to this unit; add it with LoadCredentialEncrypted=");
    return RootKey::loadAnyOwner(file);
  }

  std::string name_;
  std::filesystem::path file_;
};

}  // namespace

bool RootKeySource::isSource(const std::string& text) {
  return text == "file" || text == "passphrase" ||
         (text.starts_with(CredentialPrefix) && text.size() > CredentialPrefix.size() &&
          text.find('/') == std::string::npos && text.find("..") == std::string::npos);
}

std::unique_ptr<RootKeySource> RootKeySource::open(const std::string& source, const std::filesystem::path& file,
                                                   const AskPassphrase& ask) {
  if (!isSource(source)) failConfig("there is no source of root keys \"" + source + "\"");
  if (source == "file") return std::make_unique<PlainFile>(file);
  if (source == "passphrase") return std::make_unique<PassphraseFile>(file, ask);
  return std::make_unique<Credential>(source.substr(CredentialPrefix.size()));
}

std::unique_ptr<RootKeySource> RootKeySource::create(const std::string& source, const std::filesystem::path& file,
                                                     const AskPassphrase& ask) {
  if (source == "file") {
    RootKey::create(file);
    return open(source, file, ask);
  }
  if (source != "passphrase") return open(source, file, ask);  // a credential is made by whoever runs the unit
  if (std::filesystem::exists(file)) failConfig("the root key " + file.string() + " is already there");
  const auto passphrase = ask("New passphrase for the root key, 15 characters or more");
  if (passphrase.size() < ShortestPassphrase)
    failConfig("the passphrase of the root key is too short: 15 characters or more");
  if (file.has_parent_path()) files::makePrivateFolder(file.parent_path());
  return std::make_unique<PassphraseFile>(file, passphrase);
}

}  // namespace postern::vault
