#pragma once
#include "core/base/Clock.h"
#include "core/base/Files.h"
#include "core/base/Secret.h"
#include "core/crypto/Digest.h"

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

struct archive;

namespace postern::listd {

// A ZIP archive, written from front to back without temporary files: to one file and encrypted (WinZip AES-256), so
// that nothing of the content is ever on disk in clear, while sizes and names of files stay readable and must tell
// nothing; or compressed to whoever takes its bytes. Threads: one at a time. Errors: Error(DiskFull), Error(Io),
// Error(Crypto), and what the taker throws.
class ZipWriter {
public:
  using Take = std::function<void(std::string_view)>;

  ZipWriter(std::filesystem::path path, const Secret& passphrase);
  explicit ZipWriter(Take take);
  ~ZipWriter();
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  struct File {
    std::string name;
    std::uint64_t bytes = 0;
    std::string sha256;  // hexadecimal
  };
  File add(const std::string& name, std::string_view content, TimePoint time);
  // The same in pieces.
  void begin(const std::string& name, TimePoint time);
  void append(std::string_view content);
  File end();

  // Everything is on disk: the whole archive's size and SHA-256.
  File finish();

private:
  static long write(archive*, void* self, const void* bytes, std::size_t count);
  void open();
  void check(int code, const char* doing);

  const std::filesystem::path path_;
  FileDescriptor file_;
  archive* archive_ = nullptr;
  Take take_;
  int errno_ = 0;  // of the write that failed: exceptions cannot pass through the library
  std::exception_ptr fault_;
  std::uint64_t written_ = 0;
  crypto::Sha256 whole_;
  std::optional<crypto::Sha256> digest_;
  File current_;
};

}  // namespace postern::listd
