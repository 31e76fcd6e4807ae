#include "core/smtp/ClientConnection.h"

#include "core/base/Error.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace postern::smtp {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t TlsRecord = 16384;

std::string errnoText(int code) {
  return std::generic_category().message(code);
}

// The socket address of a textual address; nothing if it is none.
std::optional<std::pair<sockaddr_storage, socklen_t>> socketAddress(const std::string& address, std::uint16_t port) {
  sockaddr_storage storage{};
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET, address.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    return std::pair{storage, socklen_t{sizeof *four}};
  }
  if (::inet_pton(AF_INET6, address.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    return std::pair{storage, socklen_t{sizeof *six}};
  }
  return std::nullopt;
}

Result<FileDescriptor, std::string> connectTo(const ClientTarget& target, net::Deadline deadline,
                                              ClientInterrupt* interrupt) {
  const auto address = socketAddress(target.address, target.port);
  if (!address) return Unexpected("\"" + printable(target.address, 80) + "\" is no address");
  FileDescriptor fd(::socket(address->first.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Unexpected("cannot make a socket: " + errnoText(errno));
  const int one = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (interrupt) interrupt->set(fd.get());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address->first), address->second) == 0) return fd;
  int code = errno;
  if (code == EINPROGRESS) {
    if (!net::waitFor(fd.get(), POLLOUT, deadline)) {
      if (interrupt) interrupt->set(-1);
      return Unexpected(std::string("connection timed out"));
    }
    socklen_t length = sizeof code;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &code, &length);
  }
  if (code == 0) return fd;
  if (interrupt) interrupt->set(-1);
  return Unexpected(errnoText(code));
}

ClientEnvelope envelopeOf(const ClientMessage& message, const ClientTlsFacts& tls) {
  ClientEnvelope envelope{message.mailFrom, message.recipient, message.head->size(), message.head->hasEightBit(),
                          message.head->hasEightBitHeader()};
  envelope.requireTls = (message.requireTls || message.mustRequireTls) && tls.verified;
  envelope.mustRequireTls = message.mustRequireTls;
  if (message.tail) {
    envelope.size += message.tail->size();
    envelope.eightBit = envelope.eightBit || message.tail->hasEightBit();
  }
  return envelope;
}

}  // namespace

void ClientInterrupt::set(int fd) {
  const MutexLock lock(mutex_);
  fd_ = fd;
  if (fired_ && fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

void ClientInterrupt::fire() {
  const MutexLock lock(mutex_);
  fired_ = true;
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

ClientConnection::ClientConnection(const ClientSettings& settings, const ClientTarget& target, FileDescriptor fd,
                                   ClientInterrupt* interrupt)
    : settings_(settings),
      target_(target),
      fd_(std::move(fd)),
      interrupt_(interrupt),
      dialog_(settings.heloName, target.tls) {}

std::uint64_t ClientConnection::nextId() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

ClientConnection::~ClientConnection() {
  if (interrupt_) interrupt_->set(-1);
}

Result<std::unique_ptr<ClientConnection>, ClientFailure> ClientConnection::open(const ClientSettings& settings,
                                                                                const ClientTarget& target,
                                                                                const net::TlsClient& tls,
                                                                                ClientInterrupt* interrupt) {
  auto fd = connectTo(target, steady_clock::now() + settings.connectTimeout, interrupt);
  if (!fd) {
    ClientFailure failure;
    failure.text = "cannot connect: " + fd.error();
    return Unexpected(std::move(failure));
  }
  std::unique_ptr<ClientConnection> connection(new ClientConnection(settings, target, std::move(*fd), interrupt));
  connection->run(&tls);
  if (!connection->usable()) return Unexpected(connection->dialog_.failure());
  return connection;
}

// RFC 5321 §4.5.3.2
net::Deadline ClientConnection::replyDeadline() const {
  const auto unit = settings_.replyTimeout;
  switch (dialog_.timer()) {
    case ClientDialog::Timer::Greeting:
    case ClientDialog::Timer::Command:
      return steady_clock::now() + unit;
    case ClientDialog::Timer::Data:
      return steady_clock::now() + unit * 2 / 5;
    case ClientDialog::Timer::Final:
      return steady_clock::now() + unit * 2;
  }
  return steady_clock::now() + unit;
}

void ClientConnection::run(const net::TlsClient* tls) {
  while (step(tls)) continue;
}

bool ClientConnection::step(const net::TlsClient* tls) {
  if (auto output = dialog_.takeOutput(); !output.empty()) {
    deadline_.reset();
    write({output});
  }
  switch (dialog_.want()) {
    case ClientDialog::Want::Bytes:
      readSome();
      return true;
    case ClientDialog::Want::TlsHandshake:
      if (tls == nullptr) throw Error(ErrorKind::Invariant, "STARTTLS in the middle of a connection");
      startTls(*tls);
      return true;
    case ClientDialog::Want::Content:
    case ClientDialog::Want::Idle:
    case ClientDialog::Want::Closed:
      return false;
  }
  return false;
}

// Reads what is there. One deadline for one reply, however slowly its bytes drip in.
void ClientConnection::readSome() {
  if (!deadline_ || dialog_.repliesTaken() != deadlineReply_) {
    deadline_ = replyDeadline();
    deadlineReply_ = dialog_.repliesTaken();
  }
  const auto deadline = *deadline_;
  char buffer[4096];
  for (;;) {
    std::size_t count = 0;
    if (channel_) {
      auto result = channel_->read(buffer, sizeof buffer, deadline);
      if (!result) return dialog_.broken(result.error());
      count = *result;
    } else {
      auto received = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (!net::waitFor(fd_.get(), POLLIN, deadline)) return dialog_.broken("the server did not reply in time");
        continue;
      }
      if (received < 0) return dialog_.broken("the connection broke: " + errnoText(errno));
      count = static_cast<std::size_t>(received);
    }
    if (count == 0) return dialog_.broken("the server closed the connection");
    const auto taken = dialog_.repliesTaken();
    dialog_.receive({buffer, count});
    if (dialog_.repliesTaken() == taken && steady_clock::now() > deadline)
      dialog_.broken("the server did not reply in time");
    return;
  }
}

void ClientConnection::startTls(const net::TlsClient& tls) {
  net::TlsPeer peer{target_.host, target_.names, target_.tls == ClientTls::Verified, target_.dane};
  auto channel = tls.handshake(fd_.get(), peer, steady_clock::now() + settings_.replyTimeout);
  if (!channel) {
    dialog_.handshakeFailed(channel.error());
    return;
  }
  channel_.emplace(std::move(*channel));
  facts_ = {channel_->version(),      channel_->cipher(),   channel_->bits(),
            channel_->verification(), channel_->peerName(), channel_->verified()};
  if (facts_.verification == "verified") facts_.verification = target_.proof;
  dialog_.tlsStarted();
}

std::optional<net::PeerCertificate> ClientConnection::certificate() const {
  return channel_ ? channel_->certificate() : std::nullopt;
}

void ClientConnection::write(std::vector<std::string_view> parts) {
  // One deadline for the whole write: a server that takes a byte now and then does not hold a connection for ever.
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  const auto deadline = steady_clock::now() + settings_.replyTimeout * (1 + static_cast<long>(size >> 20));
  auto problem = channel_ ? writeTls(parts, deadline) : writePlain(parts, deadline);
  if (!problem) return;
  // The server may have said why before it closed.
  char buffer[4096];
  if (!channel_ && dialog_.want() == ClientDialog::Want::Bytes)
    if (const auto count = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT); count > 0)
      dialog_.receive({buffer, static_cast<std::size_t>(count)});
  dialog_.broken(*problem);
}

std::optional<std::string> ClientConnection::writePlain(std::vector<std::string_view>& parts, net::Deadline deadline) {
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  while (!parts.empty()) {
    iovec vectors[8];
    const auto count = std::min<std::size_t>(parts.size(), std::size(vectors));
    for (std::size_t i = 0; i < count; ++i) vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    msghdr message{};
    message.msg_iov = vectors;
    message.msg_iovlen = count;
    const auto sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (!net::waitFor(fd_.get(), POLLOUT, deadline)) return "the server takes no more bytes";
      continue;
    }
    if (sent < 0) return "the connection broke: " + errnoText(errno);
    auto left = static_cast<std::size_t>(sent);
    while (left > 0) {
      const auto part = std::min(left, parts.front().size());
      parts.front().remove_prefix(part);
      left -= part;
      if (parts.front().empty()) parts.erase(parts.begin());
    }
  }
  return std::nullopt;
}

// Small parts are gathered into full TLS records; what fills a record goes from where it lies.
std::optional<std::string> ClientConnection::writeTls(const std::vector<std::string_view>& parts,
                                                      net::Deadline deadline) {
  std::string gathered;
  for (auto part : parts) {
    if (!gathered.empty() || part.size() < TlsRecord) {
      const auto taken = std::min(part.size(), TlsRecord - gathered.size());
      gathered += part.substr(0, taken);
      part.remove_prefix(taken);
    }
    if (gathered.size() == TlsRecord) {
      if (auto problem = channel_->write(gathered, deadline)) return problem;
      gathered.clear();
    }
    const auto whole = part.size() - part.size() % TlsRecord;
    if (auto problem = channel_->write(part.substr(0, whole), deadline)) return problem;
    gathered += part.substr(whole);
  }
  return channel_->write(gathered, deadline);
}

ClientResult ClientConnection::send(const ClientMessage& message, const ClientMessage* next) {
  if (!std::exchange(nextBegun_, false)) {
    if (dialog_.want() == ClientDialog::Want::Closed) {
      ClientResult result;
      result.code = dialog_.failure().code;
      result.text = dialog_.failure().text;
      return result;
    }
    dialog_.begin(envelopeOf(message, facts_));
  }
  for (;;) {
    if (auto result = dialog_.takeResult()) return *result;
    if (!step(nullptr)) {
      if (dialog_.want() == ClientDialog::Want::Content) sendContent(message, next);
    }
  }
}

void ClientConnection::sendContent(const ClientMessage& message, const ClientMessage* next) {
  const auto last = message.tail && message.tail->size() > 0 ? message.tail : message.head;
  const std::string_view end = last->endsLine() ? ".\r\n" : "\r\n.\r\n";
  dialog_.contentSent();
  deadline_.reset();
  std::string commands;
  if (next != nullptr && dialog_.mayBegin()) {
    dialog_.begin(envelopeOf(*next, facts_));
    nextBegun_ = true;
    commands = dialog_.takeOutput();
  }
  write({message.head->wire(), message.tail ? message.tail->wire() : std::string_view(), end, commands});
}

void ClientConnection::quit() {
  if (dialog_.want() != ClientDialog::Want::Idle) return;
  // The answer is not waited for: all results are in, and a slow goodbye must not hold a delivery thread.
  dialog_.quit();
  if (auto output = dialog_.takeOutput(); !output.empty()) write({output});
  if (channel_) channel_->close();
}

}  // namespace postern::smtp
