#include "gateway/smtp/SmtpConnection.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/base/Metrics.h"
#include "gateway/smtp/PendingWork.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace postern::gateway {

namespace {

using Step = net::TlsServerChannel::Step;
using std::chrono::steady_clock;

constexpr int ReadsPerTurn = 32;                    // then others get their turn
constexpr std::uint64_t MaxLingerBytes = 4u << 20;  // thrown away after our last reply

bool wouldBlock() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

SmtpConnection::SmtpConnection(std::uint64_t id, FileDescriptor socket, const SessionSettings& settings,
                               const ConnectionLimits& limits, const Ports& ports, net::TlsServerContext* tls,
                               Arrival arrival)
    : id_(id),
      socket_(std::move(socket)),
      limits_(limits),
      ports_(ports),
      tls_(tls),
      clientAddress_(arrival.client.address),
      arrival_(std::move(arrival)),
      refusal_(arrival_.refusal),
      session_(settings, ports, arrival_.client, {},
               {arrival_.rules.tlsRequired, arrival_.rules.certificate == config::ListenerRules::Certificate::Required,
                arrival_.localAddress}),
      progressAt_(steady_clock::now()),
      transactionAt_(progressAt_),
      phaseAt_(progressAt_) {
  if (arrival_.rules.behindBalancers() && !refusal_)
    phase_ = Phase::Proxy;
  else if (arrival_.implicitTls)
    beginTls();
  setDeadline(progressAt_ + (phase_ == Phase::Proxy       ? limits_.proxyHeader
                             : phase_ == Phase::Handshake ? limits_.handshake
                                                          : limits_.idle));
}

SmtpConnection::~SmtpConnection() {
  hangUp();
}

bool SmtpConnection::claim() {
  bool expected = false;
  return claimed_.compare_exchange_strong(expected, true);
}

void SmtpConnection::park() {
  claimed_.store(false);
}

void SmtpConnection::hangUp() {
  if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);
}

void SmtpConnection::beginTls() {
  if (!tls_) throw Error(ErrorKind::Invariant, "TLS was begun without a certificate");
  const bool asks = arrival_.rules.certificate != config::ListenerRules::Certificate::NotAsked ||
                    (!arrival_.rules.submission && ports_.directory.asksCertificate(clientAddress_));
  channel_.emplace(tls_->newConnection(socket_.get(), {arrival_.rules.tls13, asks}));
  phase_ = Phase::Handshake;
  phaseAt_ = steady_clock::now();
}

app::TlsFacts SmtpConnection::tlsFacts() const {
  return {channel_->version(), channel_->cipher(), channel_->bits(), "none", {}};
}

SmtpConnection::Next SmtpConnection::turn(std::span<char> buffer, const std::function<void()>& blocking) {
  try {
    if (phase_ == Phase::Linger) return lingerOn(buffer);
    if (phase_ == Phase::Proxy) {
      if (const auto next = proxyHeader(buffer)) return *next;
    }
    if (phase_ == Phase::Handshake) {
      if (const auto next = handshake()) return *next;
    }
    const auto next = talk(buffer, blocking);
    inTransaction_.store(session_.inTransaction());
    return next;
  } catch (const std::exception& error) {
    // The boundary of one connection: whatever broke, the others go on.
    log::error("smtp", "a connection broke", {{"client", clientAddress_}, {"reason", error.what()}});
    return Next::Close;
  }
}

// Nothing when the header is there. Bytes behind it are left to the kernel, for whoever reads next: TLS or the session.
std::optional<SmtpConnection::Next> SmtpConnection::proxyHeader(std::span<char> buffer) {
  while (proxy_.state() == net::ProxyHeaderReader::State::Reading) {
    const auto room = std::min(buffer.size(), net::ProxyHeaderReader::MaxBytes);
    const auto seen = ::recv(socket_.get(), buffer.data(), room, MSG_PEEK);
    if (seen < 0 && errno == EINTR) continue;
    if (seen < 0 && wouldBlock()) return waitFor(Next::Read);
    if (seen <= 0) return Next::Close;
    const auto used = proxy_.feed({buffer.data(), static_cast<std::size_t>(seen)});
    if (::recv(socket_.get(), buffer.data(), used, 0) != static_cast<ssize_t>(used)) return Next::Close;
  }
  if (proxy_.state() == net::ProxyHeaderReader::State::Broken) return proxyBroken(proxy_.problem());
  const auto& header = proxy_.header();
  const auto balancer = clientAddress_;
  if (header.known) clientAddress_ = header.client;
  session_.clientIs({clientAddress_, {}, {}, header.known}, header.known ? header.destination : std::string());
  if (header.known && arrival_.placeFor) refusal_ = arrival_.placeFor(clientAddress_);
  log::debug("smtp", "a load balancer names its client",
             {{"balancer", balancer}, {"client", header.known ? header.client : "unknown"}});
  progressAt_ = steady_clock::now();
  phase_ = Phase::Talk;
  if (arrival_.implicitTls) beginTls();
  return std::nullopt;
}

SmtpConnection::Next SmtpConnection::proxyBroken(const std::string& why) {
  metrics::counter("postern_proxy_headers_refused_total", "Connections of load balancers without a right PROXY header.")
      .add();
  log::warning("smtp", "a connection of a load balancer has no right PROXY header",
               {{"balancer", clientAddress_}, {"reason", why}});
  return Next::Close;
}

// Nothing when the handshake is done.
std::optional<SmtpConnection::Next> SmtpConnection::handshake() {
  switch (channel_->handshake()) {
    case Step::Done:
      break;
    case Step::WantRead:
      return waitFor(Next::Read);
    case Step::WantWrite:
      return waitFor(Next::Write);
    default:
      log::info("smtp", "a TLS handshake failed", {{"client", clientAddress_}, {"reason", channel_->failure()}});
      return Next::Close;
  }
  phase_ = Phase::Talk;
  progressAt_ = steady_clock::now();
  session_.tlsStarted(tlsFacts(), {channel_->serverName(), channel_->clientCertificate()});
  return std::nullopt;
}

SmtpConnection::Next SmtpConnection::talk(std::span<char> buffer, const std::function<void()>& blocking) {
  if (!greeted_) {
    greeted_ = true;
    if (refusal_)
      session_.refuse(*refusal_);
    else
      session_.greet();
  }
  for (int reads = 0;;) {
    if (const auto next = flush(blocking)) return *next;
    if (session_.closed()) return finish();
    if (session_.wantsTls()) {
      beginTls();
      if (const auto next = handshake()) return *next;
      continue;
    }
    // Bytes that TLS has read already are no longer announced by the kernel, so the turn does not end before them.
    if (++reads > ReadsPerTurn && !(channel_ && channel_->hasPending())) return waitFor(Next::Read);
    if (buffer.empty()) return waitFor(Next::Read);
    if (const auto next = receive(buffer, blocking)) return *next;
  }
}

void SmtpConnection::answer(const std::function<void()>& blocking) {
  if (!session_.pending()) return;
  blocking();
  answerPending(session_, ports_);
  progressAt_ = steady_clock::now();  // the time that we took is not the client's
}

// Sends all replies in one write. Nothing when the client has them all.
std::optional<SmtpConnection::Next> SmtpConnection::flush(const std::function<void()>& blocking) {
  for (;;) {
    if (sent_ == output_.size()) {
      output_ = session_.takeOutput();
      sent_ = 0;
      if (output_.empty()) {
        output_.shrink_to_fit();
        session_.resume();
        answer(blocking);
        if (!session_.hasOutput()) return std::nullopt;
        continue;
      }
    }
    const auto rest = std::string_view(output_).substr(sent_);
    if (channel_) {
      const auto sent = channel_->write(rest);
      sent_ += sent.bytes;
      if (sent.step == Step::WantRead) return waitFor(Next::Read);
      if (sent.step == Step::WantWrite) return waitFor(Next::Write);
      if (sent.step != Step::Done) return Next::Close;
    } else {
      const auto sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return wouldBlock() ? waitFor(Next::Write) : Next::Close;
      sent_ += static_cast<std::size_t>(sent);
    }
  }
}

// Reads once and lets the session have it. Nothing when there may be more.
std::optional<SmtpConnection::Next> SmtpConnection::receive(std::span<char> buffer,
                                                            const std::function<void()>& blocking) {
  std::size_t length = 0;
  if (channel_) {
    const auto got = channel_->read(buffer.data(), buffer.size());
    if (got.step == Step::WantRead) return waitFor(Next::Read);
    if (got.step == Step::WantWrite) return waitFor(Next::Write);
    // An end within a message, with or without close_notify, is an abort: the session dies with what it collected.
    if (got.step != Step::Done) return Next::Close;
    length = got.bytes;
  } else {
    const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) return std::nullopt;
    if (got < 0) return wouldBlock() ? waitFor(Next::Read) : Next::Close;
    if (got == 0) return Next::Close;
    length = static_cast<std::size_t>(got);
  }
  session_.feed({buffer.data(), length});
  answer(blocking);
  return std::nullopt;
}

SmtpConnection::Next SmtpConnection::finish() {
  if (channel_) channel_->closeNotify();
  if (session_.saidQuit()) return Next::Close;
  // Closing with unread bytes makes the kernel send a reset, which can wipe out our last reply at the client.
  ::shutdown(socket_.get(), SHUT_WR);
  phase_ = Phase::Linger;
  phaseAt_ = steady_clock::now();
  return waitFor(Next::Read);
}

SmtpConnection::Next SmtpConnection::lingerOn(std::span<char> buffer) {
  while (lingered_ < MaxLingerBytes) {
    const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && wouldBlock()) return waitFor(Next::Read);
    if (got <= 0) return Next::Close;
    lingered_ += static_cast<std::uint64_t>(got);
  }
  return Next::Close;
}

SmtpConnection::Next SmtpConnection::waitFor(Next next) {
  if (phase_ == Phase::Proxy) {
    setDeadline(progressAt_ + limits_.proxyHeader);
    return next;
  }
  if (phase_ == Phase::Handshake) {
    setDeadline(phaseAt_ + limits_.handshake);
    return next;
  }
  if (phase_ == Phase::Linger) {
    setDeadline(phaseAt_ + limits_.linger);
    return next;
  }
  const auto now = steady_clock::now();
  if (session_.progress() != lastProgress_) {
    lastProgress_ = session_.progress();
    progressAt_ = now;
  }
  if (session_.transactions() != lastTransactions_) {
    lastTransactions_ = session_.transactions();
    transactionAt_ = now;
  }
  auto deadline = progressAt_ + limits_.idle;
  if (session_.inTransaction()) deadline = std::min(deadline, transactionAt_ + limits_.transaction);
  setDeadline(deadline);
  return next;
}

// One try to say a last word; whoever does not take it at once does without.
void SmtpConnection::sayLast(smtp::ReplyId id) {
  if (phase_ == Phase::Talk && greeted_ && !session_.closed() && !session_.wantsTls()) {
    session_.refuse(id);
    output_.erase(0, std::exchange(sent_, 0));
    output_ += session_.takeOutput();
    if (channel_) {
      channel_->write(output_);
      channel_->closeNotify();
    } else {
      [[maybe_unused]] const auto sent = ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL);
    }
    ::shutdown(socket_.get(), SHUT_WR);
  }
}

void SmtpConnection::expire() {
  const bool transaction = session_.inTransaction() && steady_clock::now() >= transactionAt_ + limits_.transaction;
  sayLast(transaction ? smtp::ReplyId::TransactionTimeout : smtp::ReplyId::IdleTimeout);
}

void SmtpConnection::shutDown() {
  sayLast(smtp::ReplyId::ShuttingDown);
}

}  // namespace postern::gateway
