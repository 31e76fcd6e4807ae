#include "core/vault/RootKey.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Hkdf.h"
#include "core/crypto/Random.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postern::vault {

namespace {
constexpr std::size_t KeySize = RootKey::Size;
}

RootKey RootKey::generate() {
  return RootKey(crypto::randomSecret(KeySize));
}

RootKey RootKey::fromBytes(const Secret& bytes) {
  if (bytes.size() != KeySize) throw Error(ErrorKind::Config, "a root key has 32 bytes");
  return RootKey(bytes);
}

RootKey RootKey::withFixed(const Secret& bytes, std::map<std::string, Secret> fixed) {
  auto key = fromBytes(bytes);
  key.fixed_ = std::move(fixed);
  return key;
}

RootKey RootKey::create(const std::filesystem::path& path) {
  const auto key = generate();
  store(path, key);
  return key;
}

void RootKey::store(const std::filesystem::path& path, const RootKey& key) {
  if (path.has_parent_path()) files::makePrivateFolder(path.parent_path());
  // O_EXCL on the name itself: a key that is there is never replaced, whoever else is starting.
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file && errno == EEXIST) throw Error(ErrorKind::Config, "the root key " + path.string() + " is already there");
  if (!file) throwErrno("create", path);
  Secret text(crypto::hex(key.key_.view()));
  files::writeAll(file.get(), text.view(), path);
  files::writeAll(file.get(), "\n", path);
  if (::fsync(file.get()) != 0) throwErrno("sync", path);
  files::syncFolder(path.has_parent_path() ? path.parent_path() : ".");
}

RootKey RootKey::load(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw Error(ErrorKind::Config, "the root key " + path.string() + " can be read by others: chmod 600 it");
  return loadAnyOwner(path);
}

RootKey RootKey::loadAnyOwner(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    throw Error(ErrorKind::Config, "the root key " + path.string() + " cannot be read: " +
                                       std::generic_category().message(errno) + "; run `postern init` or restore it");
  auto text = Secret::ofSize(2 * KeySize + 2);
  const auto count = ::read(file.get(), text.data(), text.size());
  auto digits = text.view().substr(0, count > 0 ? static_cast<std::size_t>(count) : 0);
  if (digits.size() == KeySize) return RootKey(Secret(digits));
  if (digits.ends_with('\n')) digits.remove_suffix(1);
  auto bytes = digits.size() == 2 * KeySize ? crypto::fromHex(digits) : std::nullopt;
  if (!bytes)
    throw Error(ErrorKind::Config, "the root key " + path.string() + " is not 64 hexadecimal digits: restore it");
  Secret key(*bytes);
  explicit_bzero(bytes->data(), bytes->size());
  if (key.view().find_first_not_of('\0') == std::string_view::npos)
    throw Error(ErrorKind::Config, "the root key " + path.string() + " is all zeros: restore it");
  return RootKey(std::move(key));
}

Secret RootKey::derive(std::string_view label, std::size_t size) const {
  const auto fixed = fixed_.find(std::string(label));
  if (fixed != fixed_.end() && fixed->second.size() == size) return fixed->second;
  return crypto::hkdfSha256(key_, {}, label, size);
}

std::string RootKey::checkValue() const {
  return std::string(crypto::hkdfSha256(key_, {}, "postern root check v1", 16).view());
}

}  // namespace postern::vault
