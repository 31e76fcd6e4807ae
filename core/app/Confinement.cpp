#include "core/app/Confinement.h"

#include "core/base/Error.h"
#include "core/base/Files.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace postern::app {

namespace {

constexpr std::uint64_t ReadRights =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

constexpr std::uint64_t WriteRights = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                      LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                      LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                      LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                      LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

// What may be said of a file that is no folder.
constexpr std::uint64_t FileRights =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;

void allow(int ruleset, const std::filesystem::path& path, std::uint64_t rights) {
  FileDescriptor target(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!target) return;
  struct stat facts {};
  if (::fstat(target.get(), &facts) != 0) throwErrno("look at", path);
  landlock_path_beneath_attr rule{};
  rule.allowed_access = S_ISDIR(facts.st_mode) ? rights : rights & FileRights;
  rule.parent_fd = target.get();
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    throwErrno("confine the process to", path);
}

}  // namespace

Confinement::Confinement() {
  for (const auto* path : {"/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/run/systemd/resolve"}) mayRead(path);
  mayRead(std::filesystem::read_symlink("/proc/self/exe").parent_path());
  for (const auto* path : {"/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"}) mayWrite(path);
}

Confinement& Confinement::mayRead(const std::filesystem::path& path) {
  readable_.push_back(path);
  return *this;
}

Confinement& Confinement::mayReadTlsFiles(const config::SiteConfig& config) {
  return mayReadTlsFile(config, config.certificate).mayReadTlsFile(config, config.certificateKey);
}

Confinement& Confinement::mayReadTlsFile(const config::SiteConfig& config, const std::filesystem::path& file) {
  const auto data = std::filesystem::weakly_canonical(config.dataFolder);
  const auto folder = std::filesystem::weakly_canonical(config.path(file).parent_path());
  const bool holdsData = *data.lexically_relative(folder).begin() != "..";
  if (holdsData)
    throw Error(ErrorKind::Config, "the TLS file " + config.path(file).string() +
                                       " needs a folder of its own: the processes that face the network may read all "
                                       "of " +
                                       folder.string() + ", which holds the site's keys");
  return mayRead(folder);
}

Confinement& Confinement::mayWrite(const std::filesystem::path& path) {
  writable_.push_back(path);
  return *this;
}

bool Confinement::enforce() const {
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = ReadRights | WriteRights;
  FileDescriptor ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!ruleset) return false;
  for (const auto& path : readable_) allow(ruleset.get(), path, ReadRights);
  for (const auto& path : writable_) allow(ruleset.get(), path, ReadRights | WriteRights);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
    throwErrno("confine", "the process");
  return true;
}

}  // namespace postern::app
