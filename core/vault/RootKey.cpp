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
constexpr std::size_t KeySize = 32;
}

RootKey RootKey::create(const std::filesystem::path& path) {
  if (path.has_parent_path()) files::makePrivateFolder(path.parent_path());
  // O_EXCL on the name itself: a key that is there is never replaced, whoever else is starting.
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file && errno == EEXIST) throw Error(ErrorKind::Config, "the root key " + path.string() + " is already there");
  if (!file) throwErrno("create", path);
  const auto key = crypto::randomSecret(KeySize);
  Secret text(crypto::hex(key.view()));
  files::writeAll(file.get(), text.view(), path);
  files::writeAll(file.get(), "\n", path);
  if (::fsync(file.get()) != 0) throwErrno("sync", path);
  files::syncFolder(path.has_parent_path() ? path.parent_path() : ".");
  return RootKey(key);
}

RootKey RootKey::load(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0)
    throw Error(ErrorKind::Config, "the root key " + path.string() + " cannot be read: " +
                                       std::generic_category().message(errno) + "; run `postern init` or restore it");
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw Error(ErrorKind::Config, "the root key " + path.string() + " can be read by others: chmod 600 it");
  auto text = Secret::ofSize(2 * KeySize + 2);
  const auto count = ::read(file.get(), text.data(), text.size());
  auto digits = text.view().substr(0, count > 0 ? static_cast<std::size_t>(count) : 0);
  if (digits.ends_with('\n')) digits.remove_suffix(1);
  auto bytes = digits.size() == 2 * KeySize ? crypto::fromHex(digits) : std::nullopt;
  if (!bytes)
    throw Error(ErrorKind::Config, "the root key " + path.string() + " is not 64 hexadecimal digits: restore it");
  Secret key(*bytes);
  explicit_bzero(bytes->data(), bytes->size());
  return RootKey(std::move(key));
}

Secret RootKey::derive(std::string_view label, std::size_t size) const {
  return crypto::hkdfSha256(key_, {}, label, size);
}

}  // namespace postern::vault
