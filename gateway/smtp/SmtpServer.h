#pragma once
#include "core/base/Mutex.h"
#include "core/config/SiteConfig.h"
#include "gateway/smtp/EventLoop.h"
#include "gateway/smtp/SmtpConnection.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace postern::gateway {

struct ServerSettings {
  SessionSettings session;
  SessionSettings submissionSession;  // made of `session` by the server
  ConnectionLimits limits;
  // Words may stand behind an address (core/config/ListenWords.h).
  std::vector<config::HostPort> listen;         // plain SMTP with STARTTLS; port 0: any free one
  std::vector<config::HostPort> listenTls;      // implicit TLS
  std::vector<config::HostPort> submission;     // for people, with STARTTLS
  std::vector<config::HostPort> submissionTls;  // for people, implicit TLS
  std::uint32_t maxConnections = 10'000;
  std::uint32_t maxConnectionsPerClient = 200;  // per IPv4 address or IPv6 /64
  std::uint32_t workers = 0;                    // 0: four per core, at least 16
  std::uint32_t maxWorkers = 128;               // while workers wait for policy or for the disk, more are started
};
ServerSettings serverSettingsOf(const config::SiteConfig& config);

// The SMTP server: listens, keeps the limits, and lets a bounded pool of threads work on whichever connections have
// something to do. An idle connection costs memory only.
// Invariants:
//  1. Nobody is turned away in silence: over a limit, at a stop and at a time-out the client is told 421.
//  2. A message whose content was complete when stop() came is still accepted and answered.
// Ownership: `ports` and `tls` must outlive the server. `tls` may be null if there is no listenTls: no STARTTLS then.
// Threads: start() and stop() from one thread; the rest is safe for all.
// Errors: start() throws Error(Io) naming the address that cannot be listened on.
class SmtpServer {
public:
  SmtpServer(ServerSettings settings, const Ports& ports, net::TlsServerContext* tls);
  ~SmtpServer();

  // Sockets that listen already, in place of those of the settings. REQUIRES: before start().
  void adopt(std::vector<FileDescriptor> plain, std::vector<FileDescriptor> tls,
             std::vector<FileDescriptor> submission = {}, std::vector<FileDescriptor> submissionTls = {});
  void start();
  // Greets no one any more and sends 421 to those who wait. A transaction that is under way may end within three
  // quarters of `grace`, then it is cut by 421, too; what is in accept is finished. Ends after `grace` at the latest
  // for clients that do not move.
  void stop(std::chrono::milliseconds grace = std::chrono::seconds(10));

  // Sizes, counts and time limits for connections from now on; those that are open keep theirs. The rest of the
  // settings, listeners among them, stays as it is.
  void reload(const ServerSettings& fresh);

  std::uint16_t port(std::size_t listener = 0) const;  // in the order listen, listenTls, submission, submissionTls
  std::size_t connections() const;
  std::size_t workers() const;
  // True when the loop that accepts connections and looks at their deadlines came round lately.
  bool turns() const;

private:
  using Handle = std::shared_ptr<SmtpConnection>;
  struct Listener {
    FileDescriptor socket;
    std::uint16_t port = 0;
    bool tls = false;
    config::ListenerRules rules;
  };
  struct Peer {
    std::string address;
    std::string limitKey;      // empty: a load balancer, which names the client that counts
    std::string localAddress;  // of ours
  };

  void listenOn(const config::HostPort& where, bool tls, bool submission = false);
  void addListener(FileDescriptor socket, const std::string& address, bool tls, const config::ListenerRules& rules);
  void adoptAs(std::vector<FileDescriptor> sockets, bool tls, bool submission);
  void acceptLoop();
  void acceptFrom(const Listener& listener);
  void acceptWithoutDescriptors(const Listener& listener);
  void admit(FileDescriptor socket, const Peer& peer, const Listener& listener);
  void turnAway(FileDescriptor socket, const Peer& peer, const Listener& listener, smtp::ReplyId why);
  Handle makeConnection(FileDescriptor socket, const Peer& peer, const Listener& listener,
                        std::optional<smtp::ReplyId> refusal);
  std::optional<smtp::ReplyId> placeFor(std::uint64_t id, const std::string& client);
  void settle(const Handle& connection, SmtpConnection::Next next);
  void sweep();
  void work();
  void startWorker() REQUIRES_LOCK(mutex_);
  void growBeforeBlocking();
  const ServerSettings& inForce() const REQUIRES_LOCK(mutex_) {
    return reloaded_.empty() ? settings_ : reloaded_.back();
  }
  Handle find(std::uint64_t id) const;
  std::optional<smtp::ReplyId> takePlace(const Peer& peer) REQUIRES_LOCK(mutex_);
  void givePlace(const std::string& limitKey) REQUIRES_LOCK(mutex_);
  void remove(const Handle& connection);

  const ServerSettings settings_;
  const Ports ports_;
  net::TlsServerContext* const tls_;
  EventLoop loop_;
  FileDescriptor wake_;
  FileDescriptor spare_;  // given up for a moment to answer when there are no descriptors left
  std::vector<Listener> listeners_;
  std::thread acceptor_;
  SteadyTime sweptAt_;  // acceptor only
  std::atomic<std::chrono::steady_clock::rep> turnedAt_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<std::chrono::steady_clock::rep> cutAt_{0};  // once it stops: of transactions under way
  std::atomic<bool> ended_{false};
  std::atomic<int> freeWorkers_{0};

  mutable Mutex mutex_;
  std::vector<std::thread> workers_ GUARDED_BY(mutex_);
  std::unordered_map<std::uint64_t, Handle> connections_ GUARDED_BY(mutex_);
  std::unordered_map<std::uint64_t, std::string> limitKeys_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::uint32_t> perClient_ GUARDED_BY(mutex_);
  std::deque<ServerSettings> reloaded_ GUARDED_BY(mutex_);  // all that were in force: sessions refer to theirs
  std::uint32_t refusals_ GUARDED_BY(mutex_) = 0;
  std::uint64_t nextId_ GUARDED_BY(mutex_) = 1;
};

}  // namespace postern::gateway
