#include "listd/export/ZipWriter.h"

#include "core/base/Error.h"
#include "core/crypto/Encoding.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace postern::listd {

ZipWriter::ZipWriter(std::filesystem::path path, const Secret& passphrase) : path_(std::move(path)) {
  file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_) throwErrno("make", path_.string());
  archive_ = ::archive_write_new();
  if (archive_ == nullptr) throw Error(ErrorKind::Io, "no memory for an archive");
  check(::archive_write_set_format_zip(archive_), "set the format of");
  check(::archive_write_set_options(archive_, "zip:encryption=aes256"), "encrypt");
  check(::archive_write_set_passphrase(archive_, std::string(passphrase.view()).c_str()), "encrypt");
  open();
}

ZipWriter::ZipWriter(Take take) : path_("the archive"), take_(std::move(take)) {
  archive_ = ::archive_write_new();
  if (archive_ == nullptr) throw Error(ErrorKind::Io, "no memory for an archive");
  check(::archive_write_set_format_zip(archive_), "set the format of");
  open();
}

void ZipWriter::open() {
  ::archive_write_set_bytes_per_block(archive_, 64 * 1024);
  ::archive_write_set_bytes_in_last_block(archive_, 1);
  check(::archive_write_open2(archive_, this, nullptr, &ZipWriter::write, nullptr, nullptr), "open");
}

ZipWriter::~ZipWriter() {
  if (archive_ != nullptr) ::archive_write_free(archive_);
}

long ZipWriter::write(archive*, void* self, const void* bytes, std::size_t count) {
  auto& writer = *static_cast<ZipWriter*>(self);
  std::size_t done = writer.take_ ? count : 0;
  if (writer.take_ && !writer.fault_) {
    try {  // the boundary to the library; check() throws it on
      writer.take_({static_cast<const char*>(bytes), count});
    } catch (...) {
      writer.fault_ = std::current_exception();
    }
  }
  while (done < count && writer.errno_ == 0) {
    const auto result = ::write(writer.file_.get(), static_cast<const char*>(bytes) + done, count - done);
    if (result < 0 && errno != EINTR) writer.errno_ = errno;
    if (result > 0) done += static_cast<std::size_t>(result);
  }
  if (writer.errno_ != 0 || writer.fault_) return -1;
  writer.whole_.update({static_cast<const char*>(bytes), count});
  writer.written_ += count;
  return static_cast<long>(count);
}

void ZipWriter::check(int code, const char* doing) {
  if (fault_) std::rethrow_exception(fault_);
  if (code >= ARCHIVE_WARN && errno_ == 0) return;
  if (errno_ != 0) {
    errno = errno_;
    throwErrno("write", path_.string());
  }
  const auto* text = ::archive_error_string(archive_);
  throw Error(ErrorKind::Io, std::string("cannot ") + doing + " " + path_.string() + ": " + (text ? text : "unknown"));
}

void ZipWriter::begin(const std::string& name, TimePoint time) {
  const std::unique_ptr<archive_entry, decltype(&::archive_entry_free)> entry(::archive_entry_new(),
                                                                              &::archive_entry_free);
  ::archive_entry_set_pathname(entry.get(), name.c_str());
  ::archive_entry_set_filetype(entry.get(), AE_IFREG);
  ::archive_entry_set_perm(entry.get(), 0600);
  ::archive_entry_set_mtime(entry.get(), toMicros(time) / 1'000'000, 0);
  check(::archive_write_header(archive_, entry.get()), "write to");
  digest_.emplace();
  current_ = {name, 0, {}};
}

void ZipWriter::append(std::string_view content) {
  digest_->update(content);
  current_.bytes += content.size();
  while (!content.empty()) {
    const auto count = ::archive_write_data(archive_, content.data(), content.size());
    if (count <= 0) check(ARCHIVE_FATAL, "write to");
    content.remove_prefix(static_cast<std::size_t>(count));
  }
}

ZipWriter::File ZipWriter::end() {
  check(::archive_write_finish_entry(archive_), "write to");
  current_.sha256 = crypto::hex(digest_->finish());
  digest_.reset();
  return current_;
}

ZipWriter::File ZipWriter::add(const std::string& name, std::string_view content, TimePoint time) {
  begin(name, time);
  append(content);
  return end();
}

ZipWriter::File ZipWriter::finish() {
  check(::archive_write_close(archive_), "finish");
  if (file_ && ::fsync(file_.get()) != 0) throwErrno("sync", path_.string());
  return {path_.filename().string(), written_, crypto::hex(whole_.finish())};
}

}  // namespace postern::listd
