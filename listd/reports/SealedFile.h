#pragma once
#include "core/base/Files.h"
#include "core/crypto/Aead.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace postern::listd {

// A long file that lies sealed on disk, in pieces of one size, and is read from any place. Each piece is bound to its
// number and to `context`. Threads: one at a time. Errors: Error(DiskFull), Error(Io), Error(Crypto).
class SealedFileWriter {
public:
  SealedFileWriter(std::filesystem::path path, const crypto::AeadKey& key, std::string context);
  void append(std::string_view bytes);
  void finish();  // all of it is on disk

private:
  void sealPiece();

  const std::filesystem::path path_;
  const crypto::AeadKey& key_;
  const std::string context_;
  FileDescriptor file_;
  std::string piece_;
  std::uint64_t number_ = 0;
};

// From `offset` to the end of its piece, at least one byte; empty at the end of the file.
std::string readSealedFile(const std::filesystem::path& path, const crypto::AeadKey& key, std::string_view context,
                           std::uint64_t offset);

}  // namespace postern::listd
