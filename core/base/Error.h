#pragma once
#include <Poco/Exception.h>

#include <string>

namespace postern {

enum class ErrorKind {
  Io,           // a file or socket could not be read or written
  DiskFull,     // no room, or less than the configured reserve
  Store,        // the database refused or is damaged
  Tls,          // TLS could not be set up
  Crypto,       // a cryptographic operation failed or a ciphertext did not verify
  Config,       // the configuration or the installation is wrong
  Malformed,    // bytes from another process or from disk do not parse
  Unavailable,  // another process or service does not answer
  Invariant,    // a bug: something that the code promises does not hold
};

// Something is broken and the work at hand cannot go on. Thrown anywhere, caught only at the named boundaries
// (SMTP connection, queue job, HTTP request, Lua call, order, main), which log it once and answer fail-closed.
// The text is for the administrator: what failed, on what, and what to do. It never goes to a mail peer.
class Error : public Poco::Exception {
public:
  Error(ErrorKind kind, const std::string& text) : Poco::Exception(text), kind_(kind) {}

  ErrorKind kind() const { return kind_; }
  const char* name() const noexcept override;
  const char* className() const noexcept override { return "postern::Error"; }
  const char* what() const noexcept override { return message().c_str(); }
  Poco::Exception* clone() const override { return new Error(*this); }
  void rethrow() const override { throw *this; }

private:
  ErrorKind kind_;
};

// Throws Error(Io or DiskFull) with the text of errno: "cannot DOING PATH: reason".
[[noreturn]] void throwErrno(const std::string& doing, const std::string& path);

}  // namespace postern
