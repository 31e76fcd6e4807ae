#include "core/base/Error.h"

#include <cerrno>
#include <system_error>

namespace postern {

const char* Error::name() const noexcept {
  switch (kind_) {
    case ErrorKind::Io:
      return "I/O error";
    case ErrorKind::DiskFull:
      return "disk full";
    case ErrorKind::Store:
      return "store error";
    case ErrorKind::Tls:
      return "TLS error";
    case ErrorKind::Crypto:
      return "cryptographic error";
    case ErrorKind::Config:
      return "configuration error";
    case ErrorKind::Malformed:
      return "malformed data";
    case ErrorKind::Unavailable:
      return "unavailable";
    case ErrorKind::Invariant:
      return "internal error";
  }
  return "error";
}

void throwErrno(const std::string& doing, const std::string& path) {
  const int code = errno;
  const auto kind = (code == ENOSPC || code == EDQUOT || code == EFBIG) ? ErrorKind::DiskFull : ErrorKind::Io;
  throw Error(kind, "cannot " + doing + " " + path + ": " + std::generic_category().message(code));
}

}  // namespace postern
