#pragma once
#include "core/config/SiteConfig.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace postern::cli {

// One repository of restic: encrypted, incremental, on a path, over SFTP or in an S3 store. The program does the work;
// here it is started, its progress read and its end judged. Threads: one at a time.
// Errors: Error(Config) when restic is not installed, Error(Io) with what it said when it fails.
class Restic {
public:
  struct Access {
    std::filesystem::path passwordFile;
    std::filesystem::path environmentFile;  // lines NAME=VALUE; empty: none
    std::filesystem::path cache;
  };
  Restic(std::string repository, Access access) : repository_(std::move(repository)), access_(std::move(access)) {}

  const std::string& repository() const { return repository_; }

  bool exists() const;  // false also when it cannot be reached
  void init() const;

  struct Stored {
    std::string snapshot;
    std::uint64_t added = 0;  // bytes that were new, as stored
  };
  using Progress = std::function<void(double part)>;
  // The items, relative to the folder. A file below `mayGo` that vanishes while it is read is left out; any other that
  // cannot be read is an error.
  Stored store(const std::filesystem::path& folder, const std::vector<std::string>& items, const std::string& tag,
               const std::string& mayGo, const Progress& progress) const;

  struct Snapshot {
    std::string id;
    std::string time;  // RFC 3339
    std::vector<std::string> tags;
  };
  std::vector<Snapshot> snapshots() const;  // oldest first
  void restore(const std::string& snapshot, const std::filesystem::path& target) const;
  void forgetOlderThan(std::uint32_t days) const;
  // Verifies the repository's structure; with `all` also every stored byte.
  void check(bool all) const;

private:
  std::string run(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                  const std::function<void(const nlohmann::json&)>& message, int& code) const;
  std::string runOrThrow(const std::vector<std::string>& arguments) const;

  std::string repository_;
  Access access_;
};

}  // namespace postern::cli
