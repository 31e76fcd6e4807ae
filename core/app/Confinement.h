#pragma once
#include "core/config/SiteConfig.h"

#include <filesystem>
#include <vector>

namespace postern::app {

// Confines the process to parts of the file system, for good and for all that it starts (Landlock, Linux 5.13 and up).
// What is not named cannot be opened, whoever the process runs as: a hole in a process that faces the network does not
// give the vault. Paths that do not exist are left out.
// REQUIRES: enforce() before the first thread is started, since only later threads inherit it.
class Confinement {
public:
  // What every program needs: the system's libraries and settings, /proc, /dev and the folder of the program itself.
  Confinement();

  Confinement& mayRead(const std::filesystem::path& path);  // and execute
  // The folders of the TLS certificate and its key, so that replaced files are seen. Throws Error(Config) when such a
  // folder holds the data folder or is it: the rule would open the vault and the keys.
  Confinement& mayReadTlsFiles(const config::SiteConfig& config);
  // The folder of one such file. Throws Error(Config) where that would be the site's own.
  Confinement& mayReadTlsFile(const config::SiteConfig& config, const std::filesystem::path& file);
  Confinement& mayWrite(const std::filesystem::path& path);  // and read, create and remove below it

  // False if the kernel has no Landlock: nothing is confined then. Throws Error(Io) if it has and refuses.
  [[nodiscard]] bool enforce() const;

private:
  std::vector<std::filesystem::path> readable_;
  std::vector<std::filesystem::path> writable_;
};

}  // namespace postern::app
