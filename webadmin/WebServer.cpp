#include "webadmin/WebServer.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "webadmin/HttpExchange.h"

#include <fcntl.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerConnection.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SecureSocketImpl.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/TCPServer.h>
#include <Poco/Net/TCPServerConnectionFactory.h>
#include <Poco/ThreadPool.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <thread>

namespace postern::webadmin {

namespace net = Poco::Net;

namespace {

constexpr int MaxThreads = 64;
constexpr int MaxQueued = 1024;  // POCO closes what comes beyond without a word
constexpr unsigned MaxPerClient = 16;
const Poco::Timespan RequestTimeout(15, 0);
const Poco::Timespan KeepAliveTimeout(5, 0);

// Of the connection that this thread serves. POCO hands out nothing of OpenSSL's, and shakes hands within the first
// read, which is in the thread that then answers.
thread_local app::HttpsFacts connectionFacts;

void noteHandshake(const SSL* ssl, int where, int) {
  if ((where & SSL_CB_HANDSHAKE_DONE) == 0) return;
  const auto* cipher = SSL_get_current_cipher(ssl);
  connectionFacts = {SSL_get_version(ssl), cipher == nullptr ? "" : SSL_CIPHER_get_name(cipher),
                     static_cast<std::uint16_t>(cipher == nullptr ? 0 : SSL_CIPHER_get_bits(cipher, nullptr))};
}

class Handler : public net::HTTPRequestHandler {
public:
  explicit Handler(Site& site) : site_(site) {}
  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    exchange(site_, request, response, connectionFacts);
  }

private:
  Site& site_;
};

class HandlerFactory : public net::HTTPRequestHandlerFactory {
public:
  explicit HandlerFactory(Site& site) : site_(site) {}
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override { return new Handler(site_); }

private:
  Site& site_;
};

// The connections that are being served: counted by client, and to be woken at the end.
class Connections {
public:
  bool enter(const std::string& client, int descriptor) {
    MutexLock lock(mutex_);
    auto& count = counts_[client];
    if (stopping_ || count >= MaxPerClient) return false;
    ++count;
    descriptors_.insert(descriptor);
    return true;
  }
  void leave(const std::string& client, int descriptor) {
    MutexLock lock(mutex_);
    descriptors_.erase(descriptor);
    if (--counts_[client] == 0) counts_.erase(client);
  }
  // Ends the reading side: who waits for a next request sees the end, who answers one can finish.
  void close() {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (const int descriptor : descriptors_) ::shutdown(descriptor, SHUT_RD);
  }

private:
  Mutex mutex_;
  std::map<std::string, unsigned> counts_ GUARDED_BY(mutex_);
  std::set<int> descriptors_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
};

// One connection. An exception that left run() would end in POCO's error handler, which prints it to nobody.
class Connection : public net::HTTPServerConnection {
public:
  Connection(const net::StreamSocket& socket, net::HTTPServerParams::Ptr params,
             net::HTTPRequestHandlerFactory::Ptr factory, Connections& connections)
      : HTTPServerConnection(socket, params, factory), connections_(connections) {}

  void run() override {
    std::string client;
    const int descriptor = socket().impl()->sockfd();
    try {
      client = socket().peerAddress().host().toString();
    } catch (const Poco::Exception&) {
      return;  // gone before it was served
    }
    if (!connections_.enter(client, descriptor)) {
      log::warning("web", "a connection was closed: the client has too many", {{"client", client}});
      return;
    }
    connectionFacts = {};
    try {
      HTTPServerConnection::run();
    } catch (const Poco::Exception& error) {
      log::debug("web", "a connection ended", {{"client", client}, {"why", error.displayText()}});
    } catch (const std::exception& error) {
      log::error("web", "a connection broke", {{"client", client}, {"why", error.what()}});
    }
    connections_.leave(client, descriptor);
  }

private:
  Connections& connections_;
};

class ConnectionFactory : public net::TCPServerConnectionFactory {
public:
  ConnectionFactory(net::HTTPServerParams::Ptr params, Site& site, Connections& connections)
      : params_(params), handlers_(new HandlerFactory(site)), connections_(connections) {}
  net::TCPServerConnection* createConnection(const net::StreamSocket& socket) override {
    return new Connection(socket, params_, handlers_, connections_);
  }

private:
  net::HTTPServerParams::Ptr params_;
  net::HTTPRequestHandlerFactory::Ptr handlers_;
  Connections& connections_;
};

net::Context::Ptr makeContext(TlsCertificate& certificate) {
  net::Context::Params params;
  params.verificationMode = net::Context::VERIFY_NONE;  // of clients: people sign in with a password and a code
  params.cipherList = "ECDHE+AESGCM:ECDHE+CHACHA20";    // TLS 1.2; those of TLS 1.3 are all good
  net::Context::Ptr context = new net::Context(net::Context::TLS_SERVER_USE, params);
  context->requireMinimumProtocol(net::Context::PROTO_TLSV1_2);
  // A close without close_notify ends an HTTP exchange whose length is known: no error to report.
  SSL_CTX_set_options(context->sslContext(), SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_info_callback(context->sslContext(), noteHandshake);
  certificate.serve(context->sslContext());
  return context;
}

// A descriptor as POCO's own sockets hold it.
class ListeningImpl : public net::ServerSocketImpl {
public:
  explicit ListeningImpl(FileDescriptor socket) { reset(socket.release()); }
};

// A socket that listens already, whose connections speak TLS. POCO's SecureServerSocket can only make its own socket.
class TlsListenerImpl : public net::ServerSocketImpl {
public:
  TlsListenerImpl(FileDescriptor socket, const net::Context::Ptr& context)
      : accepting_(new ListeningImpl(duplicate(socket)), context) {
    reset(socket.release());
  }
  net::SocketImpl* acceptConnection(net::SocketAddress& client) override { return accepting_.acceptConnection(client); }

private:
  static FileDescriptor duplicate(const FileDescriptor& socket) {
    FileDescriptor copy(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) throwErrno("use", "a listening socket");
    return copy;
  }
  net::SecureSocketImpl accepting_;
};

class TlsListener : public net::ServerSocket {
public:
  TlsListener(FileDescriptor socket, const net::Context::Ptr& context)
      : ServerSocket(new TlsListenerImpl(std::move(socket), context), true) {}
};

// Sees each connection in the loop that accepts, before its handshake: those that passes() makes end here.
class Turnstile : public net::TCPServerConnectionFilter {
public:
  bool accept(const net::StreamSocket& socket) override {
    const auto peer = socket.peerAddress();
    if (peer.port() != awaited_ || peer.host() != socket.address().host()) return true;
    awaited_ = 0;
    return false;
  }

  // True when a connection to `where` comes by within five seconds.
  bool passes(const net::SocketAddress& where) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    try {
      net::StreamSocket probe;
      probe.impl()->bind(net::SocketAddress(where.host(), 0));
      awaited_ = probe.address().port();
      probe.connect(where, Poco::Timespan(5, 0));
      while (awaited_ != 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    } catch (const Poco::Exception& error) {
      log::warning("web", "the own port cannot be reached", {{"why", error.displayText()}});
      return false;
    }
    return awaited_.exchange(0) == 0;
  }

private:
  std::atomic<std::uint16_t> awaited_{0};
};

// Where a socket that listens on all addresses can be reached from here.
net::SocketAddress reachable(const net::SocketAddress& bound) {
  if (!bound.host().isWildcard()) return bound;
  return {bound.family() == net::SocketAddress::IPv6 ? "::1" : "127.0.0.1", bound.port()};
}

net::HTTPServerParams::Ptr makeParams() {
  net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
  params->setMaxThreads(MaxThreads);
  params->setMaxQueued(MaxQueued);
  params->setTimeout(RequestTimeout);
  params->setKeepAliveTimeout(KeepAliveTimeout);
  params->setMaxKeepAliveRequests(200);
  return params;
}

}  // namespace

// One TCPServer for each listener; all share the threads.
struct WebServer::Impl {
  struct Entrance {
    TlsListener socket;
    Poco::AutoPtr<Turnstile> turnstile;
    std::unique_ptr<net::TCPServer> server;
  };

  Impl(std::vector<FileDescriptor> listeners, Site& site, TlsCertificate& certificate)
      : params(makeParams()), threads(2, MaxThreads), context(makeContext(certificate)) {
    for (auto& listener : listeners) {
      auto& entrance = entrances.emplace_back(Entrance{{std::move(listener), context}, new Turnstile, nullptr});
      entrance.server = std::make_unique<net::TCPServer>(new ConnectionFactory(params, site, connections), threads,
                                                         entrance.socket, params);
      entrance.server->setConnectionFilter(entrance.turnstile);
      entrance.server->start();
    }
  }

  Connections connections;
  net::HTTPServerParams::Ptr params;
  Poco::ThreadPool threads;
  net::Context::Ptr context;
  std::vector<Entrance> entrances;
  bool stopped = false;
};

std::vector<FileDescriptor> listenersOf(const config::HostPort& where, std::vector<FileDescriptor> handedOver) {
  if (!handedOver.empty()) return handedOver;
  try {
    const net::ServerSocket socket(net::SocketAddress(where.host, where.port), 128);
    FileDescriptor own(::fcntl(socket.impl()->sockfd(), F_DUPFD_CLOEXEC, 0));
    if (!own) throwErrno("use", "a listening socket");
    handedOver.push_back(std::move(own));
    return handedOver;
  } catch (const Poco::Exception& error) {
    throw Error(ErrorKind::Io, "cannot listen on " + where.host + ":" + std::to_string(where.port) +
                                   " (web.listen): " + error.displayText());
  }
}

WebServer::WebServer(std::vector<FileDescriptor> listeners, Site& site, TlsCertificate& certificate)
    : impl_(std::make_unique<Impl>(std::move(listeners), site, certificate)) {}

WebServer::~WebServer() {
  stop();
}

std::vector<std::uint16_t> WebServer::ports() const {
  std::vector<std::uint16_t> all;
  for (const auto& entrance : impl_->entrances) all.push_back(entrance.socket.address().port());
  return all;
}

bool WebServer::turns() {
  return std::all_of(impl_->entrances.begin(), impl_->entrances.end(),
                     [](auto& entrance) { return entrance.turnstile->passes(reachable(entrance.socket.address())); });
}

void WebServer::stop() {
  if (std::exchange(impl_->stopped, true)) return;
  for (auto& entrance : impl_->entrances) {
    entrance.server->stop();
    entrance.socket.close();  // stop() leaves it open
  }
  impl_->connections.close();
  impl_->threads.joinAll();
}

}  // namespace postern::webadmin
