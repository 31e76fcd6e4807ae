#pragma once
#include "core/base/Clock.h"
#include "core/base/Files.h"
#include "core/base/Secret.h"
#include "core/crypto/Digest.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

struct archive;

namespace postern::listd {

// A ZIP archive whose files are encrypted (WinZip AES-256), written to one file from front to back: nothing of the
// content is ever on disk in clear, there are no temporary files. Sizes of files and their names stay readable, so
// names must tell nothing. Threads: one at a time. Errors: Error(DiskFull), Error(Io), Error(Crypto).
class ZipWriter {
public:
  ZipWriter(std::filesystem::path path, const Secret& passphrase);
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
  void check(int code, const char* doing);

  const std::filesystem::path path_;
  FileDescriptor file_;
  archive* archive_ = nullptr;
  int errno_ = 0;  // of the write that failed: exceptions cannot pass through the library
  std::uint64_t written_ = 0;
  crypto::Sha256 whole_;
  std::optional<crypto::Sha256> digest_;
  File current_;
};

}  // namespace postern::listd
