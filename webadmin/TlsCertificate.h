#pragma once
#include "core/base/Mutex.h"
#include "webadmin/Visit.h"

#include <openssl/ssl.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

namespace postern::webadmin {

// The server's certificate and key, read again when a file changes, so that a renewal needs no restart. A pair that
// does not load or does not belong together is logged and the one in use stays.
// Threads: safe for all. Errors: the constructor throws Error(Tls) naming the files; later nothing is thrown.
class TlsCertificate : public CertificateFacts {
public:
  TlsCertificate(std::filesystem::path certificate, std::filesystem::path key);

  // Gives every handshake of `context` the newest pair. This object must outlive the context.
  void serve(SSL_CTX* context);

  std::optional<TimePoint> notAfter() const override;

private:
  using ContextPtr = std::shared_ptr<SSL_CTX>;
  struct Stamp {
    std::filesystem::file_time_type certificate;
    std::filesystem::file_time_type key;
    bool operator==(const Stamp&) const = default;
  };

  static int choose(SSL* ssl, void* self);
  ContextPtr load() const;
  std::optional<Stamp> stamp() const;
  ContextPtr current() EXCLUDES_LOCK(mutex_);

  const std::filesystem::path certificate_;
  const std::filesystem::path key_;
  mutable Mutex mutex_;
  ContextPtr context_ GUARDED_BY(mutex_);
  std::optional<Stamp> stamp_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point lookedAt_ GUARDED_BY(mutex_);
};

}  // namespace postern::webadmin
