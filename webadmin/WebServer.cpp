#include "webadmin/WebServer.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "webadmin/HttpExchange.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerConnection.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/TCPServer.h>
#include <Poco/Net/TCPServerConnectionFactory.h>
#include <Poco/ThreadPool.h>
#include <sys/socket.h>

#include <map>
#include <set>

namespace postern::webadmin {

namespace net = Poco::Net;

namespace {

constexpr int MaxThreads = 64;
constexpr int MaxQueued = 1024;  // POCO closes what comes beyond without a word
constexpr unsigned MaxPerClient = 16;
const Poco::Timespan RequestTimeout(15, 0);
const Poco::Timespan KeepAliveTimeout(5, 0);

class Handler : public net::HTTPRequestHandler {
public:
  explicit Handler(Site& site) : site_(site) {}
  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    exchange(site_, request, response);
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
  certificate.serve(context->sslContext());
  return context;
}

net::SecureServerSocket listenOn(const config::HostPort& where, net::Context::Ptr context) {
  try {
    return net::SecureServerSocket(net::SocketAddress(where.host, where.port), 128, context);
  } catch (const Poco::Exception& error) {
    throw Error(ErrorKind::Io, "cannot listen on " + where.host + ":" + std::to_string(where.port) +
                                   " (web.listen): " + error.displayText());
  }
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

struct WebServer::Impl {
  Impl(const config::HostPort& listen, Site& site, TlsCertificate& certificate)
      : params(makeParams()),
        threads(2, MaxThreads),
        socket(listenOn(listen, makeContext(certificate))),
        server(new ConnectionFactory(params, site, connections), threads, socket, params) {
    server.start();
  }

  Connections connections;
  net::HTTPServerParams::Ptr params;
  Poco::ThreadPool threads;
  net::SecureServerSocket socket;
  net::TCPServer server;
  bool stopped = false;
};

WebServer::WebServer(const config::HostPort& listen, Site& site, TlsCertificate& certificate)
    : impl_(std::make_unique<Impl>(listen, site, certificate)) {}

WebServer::~WebServer() {
  stop();
}

std::uint16_t WebServer::port() const {
  return impl_->socket.address().port();
}

void WebServer::stop() {
  if (std::exchange(impl_->stopped, true)) return;
  impl_->server.stop();
  impl_->socket.close();  // stop() leaves it open
  impl_->connections.close();
  impl_->threads.joinAll();
}

}  // namespace postern::webadmin
