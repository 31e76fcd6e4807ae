#include "gateway/smtp/SmtpServer.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace postern::gateway {

namespace {

using namespace std::chrono_literals;
using smtp::ReplyId;

constexpr auto SweepInterval = 250ms;
constexpr std::size_t ReadBuffer = 64u << 10;
constexpr std::uint32_t MaxRefusals = 64;  // TLS handshakes spent at one time on telling clients that we are full

// A TLS alert record, fatal internal_error: what a TLS client understands before any handshake.
constexpr std::string_view TlsAlert{"\x15\x03\x01\x00\x02\x02\x50", 7};

struct AddressListFree {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// The address as text, and what limits count by: an IPv6 client has a whole /64.
std::pair<std::string, std::string> describe(const sockaddr_storage& from) {
  char text[INET6_ADDRSTRLEN] = "";
  if (from.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(from);
    ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
    return {text, text};
  }
  auto six = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&six)) {
    ::inet_ntop(AF_INET, &six.s6_addr[12], text, sizeof text);
    return {text, text};
  }
  ::inet_ntop(AF_INET6, &six, text, sizeof text);
  const std::string address = text;
  std::fill(std::begin(six.s6_addr) + 8, std::end(six.s6_addr), 0);
  ::inet_ntop(AF_INET6, &six, text, sizeof text);
  return {address, std::string(text) + "/64"};
}

std::uint32_t workerCount(std::uint32_t wanted) {
  return wanted != 0 ? wanted : std::max(16u, 4 * std::thread::hardware_concurrency());
}

}  // namespace

ServerSettings serverSettingsOf(const config::SiteConfig& config) {
  ServerSettings settings;
  settings.session.hostName = config.hostName;
  settings.session.maxMessageSize = config.maxMessageSize;
  settings.session.maxRecipients = config.maxRecipients;
  settings.session.maxHops = config.maxHops;
  settings.limits.idle = config.idleTimeout;
  settings.limits.transaction = config.transactionTimeout;
  settings.listen = config.listen;
  settings.listenTls = config.listenTls;
  settings.maxConnections = config.maxConnections;
  settings.maxConnectionsPerClient = config.maxConnectionsPerClient;
  return settings;
}

SmtpServer::SmtpServer(ServerSettings settings, const Ports& ports, net::TlsServerContext* tls)
    : settings_([&] {
        settings.session.offerTls = tls != nullptr;
        return std::move(settings);
      }()),
      ports_(ports),
      tls_(tls),
      wake_(::eventfd(0, EFD_CLOEXEC)),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  if (!tls_ && !settings_.listenTls.empty())
    throw Error(ErrorKind::Config, "gateway.listen_tls needs a certificate, and there is none");
}

SmtpServer::~SmtpServer() {
  stop(0ms);
}

void SmtpServer::listenOn(const config::HostPort& where, bool tls) {
  const std::string name = where.host + ":" + std::to_string(where.port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const auto host =
      where.host.size() > 2 && where.host.front() == '[' ? where.host.substr(1, where.host.size() - 2) : where.host;
  if (::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(where.port).c_str(), &hints, &found) != 0)
    throw Error(ErrorKind::Config, "cannot listen on " + name + ": give an IP address and a port");
  const std::unique_ptr<addrinfo, AddressListFree> list(found);
  FileDescriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(socket.get(), 4096) != 0)
    throwErrno("listen on", name);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  const auto port = bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(bound).sin_port
                                               : reinterpret_cast<sockaddr_in6&>(bound).sin6_port;
  listeners_.push_back({std::move(socket), ntohs(port), tls});
  log::info("smtp", "listening",
            {{"address", where.host}, {"port", ntohs(port)}, {"tls", tls ? "implicit" : "starttls"}});
}

void SmtpServer::start() {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  for (const auto& where : settings_.listen) listenOn(where, false);
  for (const auto& where : settings_.listenTls) listenOn(where, true);
  {
    MutexLock lock(mutex_);
    for (auto count = workerCount(settings_.workers); count > 0; --count) startWorker();
  }
  acceptor_ = std::thread([this] { acceptLoop(); });
}

std::uint16_t SmtpServer::port(std::size_t listener) const {
  return listeners_.at(listener).port;
}

std::size_t SmtpServer::connections() const {
  MutexLock lock(mutex_);
  return connections_.size();
}

std::size_t SmtpServer::workers() const {
  MutexLock lock(mutex_);
  return workers_.size();
}

void SmtpServer::stop(std::chrono::milliseconds grace) {
  if (!acceptor_.joinable()) return;
  stopping_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  const auto until = std::chrono::steady_clock::now() + grace;
  while (connections() > 0 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(5ms);
  ended_ = true;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, connection] : connections_) connection->hangUp();
  }
  acceptor_.join();
  loop_.wakeAll();
  std::vector<std::thread> workers;
  {
    MutexLock lock(mutex_);
    workers.swap(workers_);
  }
  for (auto& worker : workers) worker.join();
  MutexLock lock(mutex_);
  connections_.clear();
}

// ---- accepting -------------------------------------------------------------------------------------------------

void SmtpServer::acceptLoop() {
  std::vector<pollfd> waits;
  for (const auto& listener : listeners_) waits.push_back({listener.socket.get(), POLLIN, 0});
  waits.push_back({wake_.get(), POLLIN, 0});
  while (!stopping_) {
    ::poll(waits.data(), waits.size(), static_cast<int>(SweepInterval.count()));
    for (std::size_t i = 0; i < listeners_.size() && !stopping_; ++i)
      if (waits[i].revents != 0) acceptFrom(listeners_[i]);
    sweep();
  }
  for (auto& listener : listeners_) listener.socket.reset();
  // A worker may park a connection just behind a sweep, so this goes on until nobody is left.
  while (!ended_ && connections() > 0) {
    sweep();
    std::this_thread::sleep_for(5ms);
  }
}

void SmtpServer::acceptFrom(const Listener& listener) {
  for (int i = 0; i < 256; ++i) {  // then the deadlines of others get looked at
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    FileDescriptor socket(
        ::accept4(listener.socket.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EMFILE || errno == ENFILE) acceptWithoutDescriptors(listener);
      return;
    }
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto [address, limitKey] = describe(from);
    admit(std::move(socket), {std::move(address), std::move(limitKey)}, listener.tls);
  }
}

void SmtpServer::acceptWithoutDescriptors(const Listener& listener) {
  spare_.reset();
  if (FileDescriptor socket(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)); socket) {
    const auto reply = smtp::makeReply(ReplyId::TooManyConnections, {settings_.session.hostName}).render();
    const std::string_view bytes = listener.tls ? TlsAlert : std::string_view(reply);
    [[maybe_unused]] const auto sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  spare_ = FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ports_.observer.connectionRefused();
  log::warning("smtp", "no file descriptors left, clients are turned away; raise LimitNOFILE");
}

std::optional<ReplyId> SmtpServer::takePlace(const Peer& peer) {
  if (connections_.size() - refusals_ >= settings_.maxConnections) return ReplyId::TooManyConnections;
  auto& count = perClient_[peer.limitKey];
  if (count >= settings_.maxConnectionsPerClient) return ReplyId::TooManyFromClient;
  ++count;
  return std::nullopt;
}

SmtpServer::Handle SmtpServer::makeConnection(FileDescriptor socket, const Peer& peer, bool tls,
                                              std::optional<ReplyId> refusal) {
  MutexLock lock(mutex_);
  const auto id = nextId_++;
  auto connection = std::make_shared<SmtpConnection>(id, std::move(socket), settings_.session, settings_.limits, ports_,
                                                     tls_, tls, ClientFacts{peer.address, {}}, refusal);
  connections_.emplace(id, connection);
  if (refusal)
    ++refusals_;
  else
    limitKeys_.emplace(id, peer.limitKey);
  return connection;
}

void SmtpServer::admit(FileDescriptor socket, const Peer& peer, bool tls) {
  std::optional<ReplyId> refusal;
  {
    MutexLock lock(mutex_);
    refusal = takePlace(peer);
  }
  if (refusal) return turnAway(std::move(socket), peer, tls, *refusal);
  Handle connection;
  try {
    connection = makeConnection(std::move(socket), peer, tls, std::nullopt);
  } catch (const std::exception& error) {
    log::error("smtp", "a connection could not be begun", {{"client", peer.address}, {"reason", error.what()}});
    MutexLock lock(mutex_);
    return givePlace(peer.limitKey);
  }
  ports_.observer.sessionOpened();
  // The greeting needs no worker: it is out even when all of them wait for the disk. A handshake is work.
  settle(connection, tls ? SmtpConnection::Next::Read : connection->turn({}, [] {}));
}

void SmtpServer::turnAway(FileDescriptor socket, const Peer& peer, bool tls, ReplyId why) {
  ports_.observer.connectionRefused();
  if (!tls) {
    const auto reply = smtp::makeReply(why, {settings_.session.hostName}).render();
    [[maybe_unused]] const auto sent = ::send(socket.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
    return;
  }
  bool full = false;
  {
    MutexLock lock(mutex_);
    full = refusals_ >= MaxRefusals;
  }
  if (full) {
    [[maybe_unused]] const auto sent = ::send(socket.get(), TlsAlert.data(), TlsAlert.size(), MSG_NOSIGNAL);
    return;
  }
  try {
    settle(makeConnection(std::move(socket), peer, tls, why), SmtpConnection::Next::Read);
  } catch (const std::exception& error) {
    log::error("smtp", "a connection could not be begun", {{"client", peer.address}, {"reason", error.what()}});
  }
}

// ---- working ---------------------------------------------------------------------------------------------------

void SmtpServer::settle(const Handle& connection, SmtpConnection::Next next) {
  if (next == SmtpConnection::Next::Close) return remove(connection);
  const bool isNew = std::exchange(connection->isNew, false);
  connection->park();
  try {
    loop_.arm(connection->descriptor(), connection->id(),
              next == SmtpConnection::Next::Read ? EventLoop::For::Read : EventLoop::For::Write, isNew);
  } catch (const Error& error) {
    log::error("smtp", "a connection was lost", {{"reason", error.message()}});
    if (connection->claim()) remove(connection);
  }
}

void SmtpServer::work() {
  std::vector<char> buffer(ReadBuffer);
  const std::function<void()> blocking = [this] { growBeforeBlocking(); };
  for (;;) {
    const auto id = loop_.wait();
    freeWorkers_.fetch_sub(1);
    if (!id) return;
    if (const auto connection = find(*id); connection && connection->claim())
      settle(connection, connection->turn(buffer, blocking));
    freeWorkers_.fetch_add(1);
  }
}

void SmtpServer::startWorker() {
  freeWorkers_.fetch_add(1);
  workers_.emplace_back([this] { work(); });
}

// Called by a worker that is about to wait for policy or the disk. One must be left who serves the others, and the
// more messages wait for the disk together, the more of them one sync makes durable.
void SmtpServer::growBeforeBlocking() {
  if (freeWorkers_.load() > 0) return;
  MutexLock lock(mutex_);
  if (freeWorkers_.load() > 0 || ended_ || workers_.size() >= settings_.maxWorkers) return;
  startWorker();
}

SmtpServer::Handle SmtpServer::find(std::uint64_t id) const {
  MutexLock lock(mutex_);
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second;
}

void SmtpServer::givePlace(const std::string& limitKey) {
  if (const auto count = perClient_.find(limitKey); count != perClient_.end() && --count->second == 0)
    perClient_.erase(count);
}

void SmtpServer::remove(const Handle& connection) {
  connection->hangUp();
  {
    MutexLock lock(mutex_);
    if (connections_.erase(connection->id()) == 0) return;
    if (connection->isRefusal()) {
      --refusals_;
      return;
    }
    if (const auto key = limitKeys_.find(connection->id()); key != limitKeys_.end()) {
      givePlace(key->second);
      limitKeys_.erase(key);
    }
  }
  ports_.observer.sessionClosed();
}

// Ends connections whose deadline has passed; all that wait, once the server stops.
void SmtpServer::sweep() {
  const auto now = std::chrono::steady_clock::now();
  const bool all = stopping_;
  if (!all && now - sweptAt_ < SweepInterval) return;  // it looks at every connection, so not after every accept
  sweptAt_ = now;
  std::vector<Handle> due;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, connection] : connections_)
      if ((all || connection->deadlinePassed(now)) && connection->claim()) due.push_back(connection);
  }
  for (const auto& connection : due) {
    if (all)
      connection->shutDown();
    else
      connection->expire();
    remove(connection);
  }
}

}  // namespace postern::gateway
