#pragma once
#include "core/base/Clock.h"
#include "core/base/Result.h"
#include "core/net/Resolver.h"

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::net {

using Deadline = std::chrono::steady_clock::time_point;

// Waits until the descriptor is readable or writable. False: the deadline passed first.
bool waitFor(int fd, short events, Deadline deadline);

// Whom a TLS client expects at the other end.
struct TlsPeer {
  std::string serverName;          // sent as SNI; empty or an address: none is sent
  std::vector<std::string> names;  // host names that count; none: no certificate is ever verified
  bool mustVerify = false;         // the handshake fails unless a trusted chain gives one of `names`
  // Usable TLSA records under validated DNSSEC: they alone decide then, not the trusted CAs (RFC 7672).
  std::vector<TlsaRecord> dane = {};
};

// What a server's certificate says, for people to read. Texts are printable and bounded.
struct PeerCertificate {
  std::string subject;
  std::string issuer;
  TimePoint notBefore;
  TimePoint notAfter;
  std::vector<std::string> names;  // DNS names, at most 20
};

// One established TLS connection on a non-blocking socket that the caller owns and keeps open.
// Threads: one at a time.
class TlsChannel {
public:
  // Bytes read, 0 when the peer closed (with or without close_notify: SMTP has its own framing), or why not.
  Result<std::size_t, std::string> read(char* to, std::size_t room, Deadline deadline);
  // Nothing when all is written, else why not.
  std::optional<std::string> write(std::string_view bytes, Deadline deadline);
  // Says goodbye without waiting for the peer.
  void close();

  std::string version() const;  // "TLSv1.3"
  std::string cipher() const;   // "TLS_AES_256_GCM_SHA384"
  std::uint16_t bits() const;
  // "verified", "dane", "none" when no name was expected, or why not: "self-signed certificate".
  const std::string& verification() const { return verification_; }
  bool verified() const { return verification_ == "verified" || verification_ == "dane"; }
  std::string peerName() const;  // subject of the peer's certificate, printable; empty: none
  std::optional<PeerCertificate> certificate() const;

private:
  friend class TlsClient;
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  explicit TlsChannel(SSL* ssl, int fd) : ssl_(ssl), fd_(fd) {}
  std::optional<std::string> wait(int result, Deadline deadline, const char* doing);

  std::unique_ptr<SSL, Free> ssl_;
  int fd_;
  std::string verification_;
};

// TLS towards other servers: TLS 1.2 or later, certificates always looked at (RFC 5280 chain and RFC 6125 names), so
// that the ledger can say what was proven; `mustVerify` decides whether it has to be.
// Threads: safe for all once made; must outlive no channel.
// Errors: the constructor throws Error(Tls) if the trust anchors cannot be read.
// Effect on the process: SIGPIPE is ignored, because OpenSSL writes to sockets without MSG_NOSIGNAL.
class TlsClient {
public:
  // `trustAnchors`: a PEM file or a folder with hashed names; empty: nothing is trusted.
  explicit TlsClient(const std::filesystem::path& trustAnchors);

  // The handshake on a connected non-blocking socket; on failure the text says why and the socket is of no more use.
  Result<TlsChannel, std::string> handshake(int fd, const TlsPeer& peer, Deadline deadline) const;

private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

}  // namespace postern::net
