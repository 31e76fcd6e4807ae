#include "gateway/smtp/SmtpServer.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/config/ListenWords.h"
#include "gateway/smtp/SocketAddress.h"

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
constexpr auto HangsAfter = 20s;  // a disk that is slow to sync stops workers, never the loop that accepts
constexpr std::size_t ReadBuffer = 64u << 10;
constexpr std::uint32_t MaxRefusals = 64;  // TLS handshakes spent at one time on telling clients that we are full

// A TLS alert record, fatal internal_error: what a TLS client understands before any handshake.
constexpr std::string_view TlsAlert{"\x15\x03\x01\x00\x02\x02\x50", 7};

struct AddressListFree {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

std::uint32_t workerCount(std::uint32_t wanted) {
  return wanted != 0 ? wanted : std::max(16u, 4 * std::thread::hardware_concurrency());
}

}  // namespace

namespace {

SessionSettings forPeople(SessionSettings session) {
  session.submission = true;
  return session;
}

}  // namespace

ServerSettings serverSettingsOf(const config::SiteConfig& config) {
  ServerSettings settings;
  settings.session.hostName = config.hostName;
  settings.session.maxMessageSize = config.maxMessageSize;
  settings.session.maxRecipients = config.maxRecipients;
  settings.session.maxHops = config.maxHops;
  settings.session.senderTls = config.senderTls;
  if (const auto filters = config::parseRanges(config.xclientHosts)) settings.session.xclientHosts = *filters;
  settings.limits.idle = config.idleTimeout;
  settings.limits.transaction = config.transactionTimeout;
  for (const auto& where : config.listen)
    (config::isSubmission(where) ? settings.submission : settings.listen).push_back(where);
  for (const auto& where : config.listenTls)
    (config::isSubmission(where) ? settings.submissionTls : settings.listenTls).push_back(where);
  settings.maxConnections = config.maxConnections;
  settings.maxConnectionsPerClient = config.maxConnectionsPerClient;
  return settings;
}

SmtpServer::SmtpServer(ServerSettings settings, const Ports& ports, net::TlsServerContext* tls)
    : settings_([&] {
        settings.session.offerTls = tls != nullptr;
        settings.submissionSession = forPeople(settings.session);
        return std::move(settings);
      }()),
      ports_(ports),
      tls_(tls),
      wake_(::eventfd(0, EFD_CLOEXEC)),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  if (!tls_ && !settings_.listenTls.empty())
    throw Error(ErrorKind::Config, "gateway.listen_tls needs a certificate, and there is none");
  if (!tls_ && !(settings_.submission.empty() && settings_.submissionTls.empty()))
    throw Error(ErrorKind::Config, "gateway.submission needs a certificate, and there is none");
}

SmtpServer::~SmtpServer() {
  stop(0ms);
}

void SmtpServer::listenOn(const config::HostPort& listener, bool tls, bool submission) {
  auto rules = config::rulesOf(listener);
  rules.submission = submission;
  const auto where = config::placeOf(listener);
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
  addListener(std::move(socket), where.host, tls, rules);
}

void SmtpServer::addListener(FileDescriptor socket, const std::string& address, bool tls,
                             const config::ListenerRules& rules) {
  const auto port = portOf(socket.get());
  listeners_.push_back({std::move(socket), port, tls, rules});
  log::info("smtp", "listening",
            {{"address", address},
             {"port", port},
             {"tls", tls ? "implicit" : "starttls"},
             {"for", rules.submission ? "people" : "servers"}});
}

// Sockets of systemd have no words of their own: what a listener of the settings for the same port demands holds.
void SmtpServer::adoptAs(std::vector<FileDescriptor> sockets, bool tls, bool submission) {
  const auto& known = tls          ? submission ? settings_.submissionTls : settings_.listenTls
                      : submission ? settings_.submission
                                   : settings_.listen;
  for (auto& socket : sockets) {
    config::ListenerRules rules;
    for (const auto& where : known)
      if (where.port == portOf(socket.get())) rules = config::rulesOf(where);
    rules.submission = submission;
    addListener(std::move(socket), "handed over", tls, rules);
  }
}

void SmtpServer::adopt(std::vector<FileDescriptor> plain, std::vector<FileDescriptor> tls,
                       std::vector<FileDescriptor> submission, std::vector<FileDescriptor> submissionTls) {
  adoptAs(std::move(plain), false, false);
  adoptAs(std::move(tls), true, false);
  adoptAs(std::move(submission), false, true);
  adoptAs(std::move(submissionTls), true, true);
}

void SmtpServer::start() {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  if (listeners_.empty()) {
    for (const auto& where : settings_.listen) listenOn(where, false);
    for (const auto& where : settings_.listenTls) listenOn(where, true);
    for (const auto& where : settings_.submission) listenOn(where, false, true);
    for (const auto& where : settings_.submissionTls) listenOn(where, true, true);
  }
  {
    MutexLock lock(mutex_);
    for (auto count = workerCount(settings_.workers); count > 0; --count) startWorker();
  }
  acceptor_ = std::thread([this] { acceptLoop(); });
}

void SmtpServer::reload(const ServerSettings& fresh) {
  auto next = settings_;
  next.session.maxMessageSize = fresh.session.maxMessageSize;
  next.session.maxRecipients = fresh.session.maxRecipients;
  next.session.maxHops = fresh.session.maxHops;
  next.session.senderTls = fresh.session.senderTls;
  next.session.xclientHosts = fresh.session.xclientHosts;
  next.submissionSession = forPeople(next.session);
  next.limits = fresh.limits;
  next.maxConnections = fresh.maxConnections;
  next.maxConnectionsPerClient = fresh.maxConnectionsPerClient;
  MutexLock lock(mutex_);
  reloaded_.push_back(std::move(next));
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

bool SmtpServer::turns() const {
  const SteadyTime turnedAt{std::chrono::steady_clock::duration{turnedAt_.load()}};
  return std::chrono::steady_clock::now() - turnedAt < HangsAfter;
}

void SmtpServer::stop(std::chrono::milliseconds grace) {
  if (!acceptor_.joinable()) return;
  cutAt_ = (std::chrono::steady_clock::now() + grace * 3 / 4).time_since_epoch().count();
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
    turnedAt_ = std::chrono::steady_clock::now().time_since_epoch().count();
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
    if (listener.rules.behindBalancers()) limitKey.clear();
    auto local = localAddressOf(socket.get());
    admit(std::move(socket), {std::move(address), std::move(limitKey), std::move(local)}, listener);
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
  const auto& settings = inForce();
  if (connections_.size() - refusals_ >= settings.maxConnections) return ReplyId::TooManyConnections;
  if (peer.limitKey.empty()) return std::nullopt;
  auto& count = perClient_[peer.limitKey];
  if (count >= settings.maxConnectionsPerClient) return ReplyId::TooManyFromClient;
  ++count;
  return std::nullopt;
}

// The client that a load balancer names takes a place, as if it had come itself.
std::optional<ReplyId> SmtpServer::placeFor(std::uint64_t id, const std::string& client) {
  const auto key = limitKeyOf(client);
  MutexLock lock(mutex_);
  auto& count = perClient_[key];
  if (count >= inForce().maxConnectionsPerClient) return ReplyId::TooManyFromClient;
  ++count;
  limitKeys_.emplace(id, key);
  return std::nullopt;
}

SmtpServer::Handle SmtpServer::makeConnection(FileDescriptor socket, const Peer& peer, const Listener& listener,
                                              std::optional<ReplyId> refusal) {
  MutexLock lock(mutex_);
  const auto id = nextId_++;
  const auto& settings = inForce();
  auto connection = std::make_shared<SmtpConnection>(
      id, std::move(socket), listener.rules.submission ? settings.submissionSession : settings.session, settings.limits,
      ports_, tls_,
      Arrival{{peer.address, {}},
              peer.localAddress,
              listener.rules,
              listener.tls,
              refusal,
              [this, id](const std::string& client) { return placeFor(id, client); }});
  connections_.emplace(id, connection);
  if (refusal)
    ++refusals_;
  else if (!peer.limitKey.empty())
    limitKeys_.emplace(id, peer.limitKey);
  return connection;
}

void SmtpServer::admit(FileDescriptor socket, const Peer& peer, const Listener& listener) {
  std::optional<ReplyId> refusal;
  const auto& balancers = listener.rules.balancers;
  if (listener.rules.behindBalancers() && std::none_of(balancers.begin(), balancers.end(), [&](const auto& range) {
        return range.contains(peer.address);
      })) {
    log::warning("smtp", "a client that is no load balancer came to a listener for these", {{"client", peer.address}});
    refusal = ReplyId::NotABalancer;
  } else {
    MutexLock lock(mutex_);
    refusal = takePlace(peer);
  }
  if (refusal) return turnAway(std::move(socket), peer, listener, *refusal);
  Handle connection;
  try {
    connection = makeConnection(std::move(socket), peer, listener, std::nullopt);
  } catch (const std::exception& error) {
    log::error("smtp", "a connection could not be begun", {{"client", peer.address}, {"reason", error.what()}});
    MutexLock lock(mutex_);
    return givePlace(peer.limitKey);
  }
  ports_.observer.sessionOpened();
  // The greeting needs no worker: it is out even when all of them wait for the disk. A handshake is work.
  const bool reads = listener.tls || listener.rules.behindBalancers();
  settle(connection, reads ? SmtpConnection::Next::Read : connection->turn({}, [] {}));
}

void SmtpServer::turnAway(FileDescriptor socket, const Peer& peer, const Listener& listener, ReplyId why) {
  ports_.observer.connectionRefused();
  if (!listener.tls) {
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
    settle(makeConnection(std::move(socket), peer, listener, why), SmtpConnection::Next::Read);
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
  const bool cut = all && now.time_since_epoch().count() >= cutAt_.load();
  if (!all && now - sweptAt_ < SweepInterval) return;  // it looks at every connection, so not after every accept
  sweptAt_ = now;
  std::vector<Handle> due;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, connection] : connections_)
      if (((all && (cut || !connection->inTransaction())) || connection->deadlinePassed(now)) && connection->claim())
        due.push_back(connection);
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
