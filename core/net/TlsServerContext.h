#pragma once
#include "core/base/Mutex.h"
#include "core/net/ClientCertificate.h"

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::net {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslHandle = std::unique_ptr<SSL, SslFree>;

// Our side of TLS on the mail ports: TLS 1.2 and up, the certificate read again when its file changes. Other names of
// the server may have certificates of their own, chosen by the name that the client asks for (SNI, RFC 6066 §3);
// whoever asks for no name, or for one that we have not, gets the first. Invariants:
//  1. A certificate that cannot be loaded never replaces one that works: the old one stays in force and the log says
//     why. That of another name never touches the first.
//  2. Running connections keep the certificate they began with; session tickets stay valid over a reload, and their
//     keys are replaced once a day.
//  3. No renegotiation, no compression, no handshake after the handshake.
//  4. A connection that is asked for a client certificate is never resumed, so that what counts was proven now.
// Threads: safe for all.
// Errors: the constructor throws Error(Tls) naming the file.
class TlsServerContext {
public:
  // The certificate of another name; `name` in lower case.
  struct Named {
    std::string name;
    std::filesystem::path certificateChain;
    std::filesystem::path key;
    bool operator==(const Named&) const = default;
  };
  // What one connection has to bring. A client certificate is never enforced here: who has none says so in SMTP.
  struct Demand {
    bool tls13 = false;
    bool clientCertificate = false;
  };

  // `clientAuthorities`: a PEM file of CAs that certificates of clients chain to; empty: none.
  TlsServerContext(std::filesystem::path certificateChain, std::filesystem::path key,
                   std::filesystem::path clientAuthorities = {});

  // In place of the names before. What cannot be loaded keeps what it had, or gets the first certificate.
  void setNames(std::vector<Named> names);
  // The names whose certificates cannot be loaded now, each with the reason.
  std::vector<std::pair<std::string, std::string>> problems() const;

  // A fresh server-side connection on the descriptor, which must outlive it. Looks at most once a second whether the
  // files have changed. Throws Error(Tls).
  SslHandle newConnection(int descriptor, const Demand& demand);
  SslHandle newConnection(int descriptor) { return newConnection(descriptor, Demand{}); }

  // Loads the files now. Returns what is wrong with them, or nothing; then the old certificate stays in force.
  std::string reload();

private:
  struct Stamp {
    std::int64_t time = 0;
    std::uint64_t file = 0;
    bool operator==(const Stamp&) const = default;
  };
  using ContextHandle = std::shared_ptr<SSL_CTX>;

  std::vector<Stamp> stampOfFiles() const REQUIRES_LOCK(mutex_);
  ContextHandle load(const std::filesystem::path& certificateChain, const std::filesystem::path& key) const;
  void addNames(SSL_CTX* context) REQUIRES_LOCK(mutex_);
  std::string reloadLocked() REQUIRES_LOCK(mutex_);
  void refreshIfChanged() REQUIRES_LOCK(mutex_);

  const std::filesystem::path certificateChain_;
  const std::filesystem::path key_;
  const std::filesystem::path clientAuthorities_;
  mutable Mutex mutex_;
  ContextHandle context_ GUARDED_BY(mutex_);
  std::vector<Named> names_ GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, ContextHandle>> named_ GUARDED_BY(mutex_);  // in force
  std::vector<std::pair<std::string, std::string>> problems_ GUARDED_BY(mutex_);
  std::vector<Stamp> stamp_ GUARDED_BY(mutex_);
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
  // The name that the client asked for (SNI), lower case; empty: none, or what is no host name.
  std::string serverName() const;
  // Only where the connection demands one.
  std::optional<ClientCertificate> clientCertificate() const;
  const std::string& failure() const { return failure_; }  // for the log, after Step::Failed

private:
  Step stepOf(int result);
  SslHandle ssl_;
  std::string failure_;
};

}  // namespace postern::net
