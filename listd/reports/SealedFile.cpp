#include "listd/reports/SealedFile.h"

#include "core/base/Error.h"

#include <fcntl.h>
#include <unistd.h>

namespace postern::listd {
namespace {

constexpr std::size_t PieceSize = 256 * 1024;

std::string nameOf(std::string_view context, std::uint64_t number) {
  return std::string(context) + "/" + std::to_string(number);
}

}  // namespace

SealedFileWriter::SealedFileWriter(std::filesystem::path path, const crypto::AeadKey& key, std::string context)
    : path_(std::move(path)), key_(key), context_(std::move(context)) {
  file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_) throwErrno("make", path_.string());
}

void SealedFileWriter::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = std::min(PieceSize - piece_.size(), bytes.size());
    piece_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    if (piece_.size() == PieceSize) sealPiece();
  }
}

void SealedFileWriter::sealPiece() {
  files::writeAll(file_.get(), key_.seal(piece_, nameOf(context_, number_++)), path_.string());
  piece_.clear();
}

void SealedFileWriter::finish() {
  if (!piece_.empty()) sealPiece();
  if (::fsync(file_.get()) != 0) throwErrno("sync", path_.string());
}

std::string readSealedFile(const std::filesystem::path& path, const crypto::AeadKey& key, std::string_view context,
                           std::uint64_t offset) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) throwErrno("open", path.string());
  constexpr auto Sealed = PieceSize + crypto::AeadKey::Overhead;
  const auto number = offset / PieceSize;
  std::string piece(Sealed, '\0');
  std::size_t length = 0;
  while (length < Sealed) {
    const auto count =
        ::pread(file.get(), piece.data() + length, Sealed - length, static_cast<off_t>(number * Sealed + length));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throwErrno("read", path.string());
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
  }
  if (length == 0) return {};
  piece.resize(length);
  const auto plain = key.open(piece, nameOf(context, number));
  return plain.substr(std::min<std::size_t>(offset % PieceSize, plain.size()));
}

}  // namespace postern::listd
