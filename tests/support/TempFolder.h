#pragma once
#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

namespace postern::test {

// A folder that lives as long as the object.
class TempFolder {
public:
  TempFolder() {
    char name[] = "/tmp/postern-test-XXXXXX";
    if (mkdtemp(name) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

}  // namespace postern::test
