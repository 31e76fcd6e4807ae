#pragma once
#include "core/base/Files.h"
#include "core/base/Mutex.h"
#include "core/base/Result.h"
#include "core/net/TlsClient.h"
#include "core/smtp/Client.h"
#include "core/smtp/ClientText.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::smtp {

// Ends the waiting of a connection from another thread: fire() closes the socket that is set, now or later.
// Threads: safe for all.
class ClientInterrupt {
public:
  void set(int fd);  // -1: none
  void fire();

private:
  Mutex mutex_;
  int fd_ GUARDED_BY(mutex_) = -1;
  bool fired_ GUARDED_BY(mutex_) = false;
};

struct ClientSettings {
  std::string heloName;
  std::chrono::milliseconds connectTimeout{30000};
  // The longest wait for a reply; the deadlines of RFC 5321 §4.5.3.2 keep their relation to it
  // (greeting and commands 1, DATA 2/5, final dot 2).
  std::chrono::milliseconds replyTimeout{300000};
};

// One server to try.
struct ClientTarget {
  std::string host;     // its name: sent as SNI, shown in the ledger
  std::string address;  // IPv4 or IPv6
  std::uint16_t port = 25;
  ClientTls tls = ClientTls::Opportunistic;
  std::vector<std::string> names;          // certificate names that prove that the server is meant
  std::vector<net::TlsaRecord> dane = {};  // usable ones under validated DNSSEC: they decide (RFC 7672)
  std::string proof = "verified";          // how a certificate for one of the names counts, in the ledger's words
  std::string demand = {};                 // who wants TLS or more here, in words; empty: nobody
};

// What TLS a connection has; empty version: none.
struct ClientTlsFacts {
  std::string version;
  std::string cipher;
  std::uint16_t bits = 0;
  std::string verification;
  std::string peerName;
  bool verified = false;
};

struct ClientMessage {
  std::string_view mailFrom;
  std::string_view recipient;
  const ClientText* head = nullptr;
  const ClientText* tail = nullptr;  // null: none
  bool requireTls = false;           // by RFC 8689, where the peer is verified and offers it
  bool mustRequireTls = false;       // … and not at all where it does not
};

// A connection to another mail server that is ready for messages.
// Ownership: the TlsClient and the interrupt must outlive it. Threads: one at a time.
// Errors: what the network and the peer do are values; Error only for what is broken here.
class ClientConnection {
public:
  static Result<std::unique_ptr<ClientConnection>, ClientFailure> open(const ClientSettings& settings,
                                                                       const ClientTarget& target,
                                                                       const net::TlsClient& tls,
                                                                       ClientInterrupt* interrupt = nullptr);
  ~ClientConnection();

  // Sends one message and waits for the outcome. `next`, if given, is the message of the following call; where the
  // server takes pipelined commands, its MAIL, RCPT and DATA go out behind this one's final dot and save a round trip.
  ClientResult send(const ClientMessage& message, const ClientMessage* next = nullptr);

  bool usable() const { return dialog_.want() == ClientDialog::Want::Idle || nextBegun_; }
  bool pipelining() const { return dialog_.pipelining(); }
  bool offers(const std::string& keyword) const { return dialog_.offers(keyword); }
  std::optional<net::PeerCertificate> certificate() const;
  const ClientTarget& target() const { return target_; }
  const ClientTlsFacts& tls() const { return facts_; }
  std::uint64_t id() const { return id_; }  // never used again in this process
  void quit();

private:
  ClientConnection(const ClientSettings& settings, const ClientTarget& target, FileDescriptor fd,
                   ClientInterrupt* interrupt);
  void run(const net::TlsClient* tls);  // until the dialogue is idle, wants content or is closed
  bool step(const net::TlsClient* tls);
  void readSome();
  void startTls(const net::TlsClient& tls);
  void write(std::vector<std::string_view> parts);
  std::optional<std::string> writePlain(std::vector<std::string_view>& parts, net::Deadline deadline);
  std::optional<std::string> writeTls(const std::vector<std::string_view>& parts, net::Deadline deadline);
  void sendContent(const ClientMessage& message, const ClientMessage* next);
  net::Deadline replyDeadline() const;

  static std::uint64_t nextId();

  const std::uint64_t id_ = nextId();
  const ClientSettings settings_;
  const ClientTarget target_;
  FileDescriptor fd_;
  ClientInterrupt* const interrupt_;
  std::optional<net::TlsChannel> channel_;
  ClientDialog dialog_;
  ClientTlsFacts facts_;
  std::optional<net::Deadline> deadline_;  // of the reply that is waited for
  std::uint64_t deadlineReply_ = 0;        // number of that reply
  bool nextBegun_ = false;
};

}  // namespace postern::smtp
