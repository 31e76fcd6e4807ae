#pragma once
#include "core/base/Files.h"
#include "core/config/ListenWords.h"
#include "core/net/ProxyHeader.h"
#include "core/net/TlsServerContext.h"
#include "gateway/smtp/SmtpSession.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace postern::gateway {

using SteadyTime = std::chrono::steady_clock::time_point;

struct ConnectionLimits {
  std::chrono::milliseconds idle{300'000};           // without a command done or an octet of content
  std::chrono::milliseconds transaction{1'800'000};  // from MAIL to the end of the content
  std::chrono::milliseconds handshake{30'000};
  std::chrono::milliseconds proxyHeader{5'000};  // of a load balancer, which sends it at once
  std::chrono::milliseconds linger{2'000};       // for the client to see our last reply
};

// How a connection came in.
struct Arrival {
  ClientFacts client;
  std::string localAddress;
  config::ListenerRules rules;
  bool implicitTls = false;
  // Instead of a greeting: a connection over a limit on a port with implicit TLS.
  std::optional<smtp::ReplyId> refusal;
  // Behind a load balancer: counts the client that it names; nothing when there is a place. Outlives the connection.
  std::function<std::optional<smtp::ReplyId>(const std::string& address)> placeFor;
};

// A non-blocking socket, TLS and deadlines around one session.
// Invariant: at any time it is either parked (in the event loop, nobody looks at it) or claimed by one thread.
// Threads: claim() and deadlinePassed() from any; everything else by the claimer only.
class SmtpConnection {
public:
  enum class Next { Read, Write, Close };
  // `tls` may be null: STARTTLS is not offered then. `blocking` is called before a question is answered, which may
  // take time.
  SmtpConnection(std::uint64_t id, FileDescriptor socket, const SessionSettings& settings,
                 const ConnectionLimits& limits, const Ports& ports, net::TlsServerContext* tls, Arrival arrival);
  ~SmtpConnection();

  std::uint64_t id() const { return id_; }
  int descriptor() const { return socket_.get(); }
  bool isRefusal() const { return arrival_.refusal.has_value(); }

  bool claim();
  void park();
  bool inTransaction() const { return inTransaction_.load(); }  // as of its last turn
  bool deadlinePassed(SteadyTime now) const { return now.time_since_epoch().count() > deadline_.load(); }

  // Does what can be done without waiting for the client. What comes next is to be waited for, then turn() again.
  Next turn(std::span<char> buffer, const std::function<void()>& blocking);
  // The deadline has passed, or the server stops: says 421 if that is possible at once, then the connection is done.
  void expire();
  void shutDown();
  void hangUp();  // both directions; the client sees the end at once, whoever still holds this object

  bool isNew = true;  // not yet known to the event loop

private:
  enum class Phase : std::uint8_t { Proxy, Handshake, Talk, Linger };

  std::optional<Next> proxyHeader(std::span<char> buffer);
  Next proxyBroken(const std::string& why);
  std::optional<Next> handshake();
  std::optional<Next> flush(const std::function<void()>& blocking);
  Next talk(std::span<char> buffer, const std::function<void()>& blocking);
  std::optional<Next> receive(std::span<char> buffer, const std::function<void()>& blocking);
  Next finish();
  Next lingerOn(std::span<char> buffer);
  void answer(const std::function<void()>& blocking);
  void beginTls();
  Next waitFor(Next next);
  void setDeadline(SteadyTime when) { deadline_.store(when.time_since_epoch().count()); }
  void sayLast(smtp::ReplyId id);
  app::TlsFacts tlsFacts() const;

  const std::uint64_t id_;
  FileDescriptor socket_;
  const ConnectionLimits& limits_;
  const Ports& ports_;
  net::TlsServerContext* const tls_;
  std::string clientAddress_;
  const Arrival arrival_;
  std::optional<smtp::ReplyId> refusal_;  // also of a client that a load balancer names
  net::ProxyHeaderReader proxy_;
  SmtpSession session_;
  std::optional<net::TlsServerChannel> channel_;
  Phase phase_ = Phase::Talk;
  bool greeted_ = false;
  std::string output_;
  std::size_t sent_ = 0;

  std::uint64_t lastProgress_ = 0;
  std::uint64_t lastTransactions_ = 0;
  std::uint64_t lingered_ = 0;
  SteadyTime progressAt_;
  SteadyTime transactionAt_;
  SteadyTime phaseAt_;
  std::atomic<bool> inTransaction_{false};
  std::atomic<std::int64_t> deadline_{0};
  std::atomic<bool> claimed_{true};
};

}  // namespace postern::gateway
