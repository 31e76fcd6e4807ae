#pragma once
#include "core/base/Mutex.h"

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace postern::net {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslHandle = std::unique_ptr<SSL, SslFree>;

// Our side of TLS on the mail ports: TLS 1.2 and up, the certificate read again when its file changes.
// Invariants:
//  1. A certificate that cannot be loaded never replaces one that works: the old one stays in force and the log says
//  why.
//  2. Running connections keep the certificate they began with; session tickets stay valid over a reload, and their
//     keys are replaced once a day.
//  3. No renegotiation, no compression.
// Threads: safe for all.
// Errors: the constructor throws Error(Tls) naming the file.
class TlsServerContext {
public:
  TlsServerContext(std::filesystem::path certificateChain, std::filesystem::path key);

  // A fresh server-side connection on the descriptor, which must outlive it. Looks at most once a second whether the
  // files have changed. Throws Error(Tls).
  SslHandle newConnection(int descriptor);

  // Loads the files now. Returns what is wrong with them, or nothing; then the old certificate stays in force.
  std::string reload();

private:
  struct Stamp {
    std::int64_t certificateTime = 0;
    std::int64_t keyTime = 0;
    std::uint64_t certificateFile = 0;
    std::uint64_t keyFile = 0;
    bool operator==(const Stamp&) const = default;
  };
  using ContextHandle = std::shared_ptr<SSL_CTX>;

  Stamp stampOfFiles() const;
  ContextHandle load() const;
  std::string reloadLocked() REQUIRES_LOCK(mutex_);
  void refreshIfChanged() REQUIRES_LOCK(mutex_);

  const std::filesystem::path certificateChain_;
  const std::filesystem::path key_;
  Mutex mutex_;
  ContextHandle context_ GUARDED_BY(mutex_);
  Stamp stamp_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point lastLook_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point ticketKeysSince_ GUARDED_BY(mutex_);
};

// One TLS connection on a non-blocking socket. The error queue of OpenSSL is cleared before each call, because errors
// that other code left on the thread would otherwise be read as ours.
// Threads: one at a time. Errors: a broken peer is a value (Step::Failed), nothing is thrown.
class TlsServerChannel {
public:
  enum class Step { Done, WantRead, WantWrite, Closed, Failed };
  struct Transfer {
    Step step = Step::Done;
    std::size_t bytes = 0;
  };

  explicit TlsServerChannel(SslHandle ssl) : ssl_(std::move(ssl)) {}

  Step handshake();
  Transfer read(char* to, std::size_t length);
  Transfer write(std::string_view bytes);
  bool hasPending() const { return SSL_has_pending(ssl_.get()) == 1; }  // read from the socket, not from here yet
  void closeNotify();                                                   // tells the peer, does not wait

  // After the handshake.
  std::string version() const;  // "TLSv1.3"
  std::string cipher() const;   // "TLS_AES_256_GCM_SHA384"
  std::uint16_t bits() const;
  bool resumed() const;
  const std::string& failure() const { return failure_; }  // for the log, after Step::Failed

private:
  Step stepOf(int result);
  SslHandle ssl_;
  std::string failure_;
};

}  // namespace postern::net
