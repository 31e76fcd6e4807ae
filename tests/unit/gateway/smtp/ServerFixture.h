#pragma once
#include "core/net/TlsServerContext.h"
#include "gateway/smtp/SmtpServer.h"
#include "tests/unit/gateway/smtp/Fakes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace postern::gateway::fakes {

// A self-signed certificate for `name` and its key, as two PEM files.
inline void writeCertificate(const std::filesystem::path& folder, const std::string& name, bool rsa = false) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"),
                                                                EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const auto open = [&](const char* file) {
    return std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new_file((folder / file).c_str(), "w"), BIO_free);
  };
  PEM_write_bio_X509(open("cert.pem").get(), certificate.get());
  PEM_write_bio_PrivateKey(open("key.pem").get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

// A blocking client with a time limit on each read, in clear or over TLS.
class RawClient {
public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    timeval limit{10, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  bool connected() const { return connected_; }
  int descriptor() const { return fd_.get(); }

  // False when the handshake fails. `maxVersion` as TLS1_1_VERSION.
  // `name`: asked for by SNI. `certificate`: a folder with cert.pem and key.pem to be shown.
  bool startTls(int maxVersion = 0, SSL_SESSION* resume = nullptr, const std::string& name = {},
                const std::filesystem::path& certificate = {}) {
    context_.reset(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!certificate.empty()) {
      SSL_CTX_use_certificate_chain_file(context_.get(), (certificate / "cert.pem").c_str());
      SSL_CTX_use_PrivateKey_file(context_.get(), (certificate / "key.pem").c_str(), SSL_FILETYPE_PEM);
    }
    SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (maxVersion != 0) {
      SSL_CTX_set_security_level(context_.get(), 0);
      SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
      SSL_CTX_set_max_proto_version(context_.get(), maxVersion);
    }
    ssl_.reset(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(ssl_.get(), fd_.get());
    if (resume) SSL_set_session(ssl_.get(), resume);
    if (!name.empty())
      SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str()));
    const bool done = SSL_connect(ssl_.get()) == 1;
    if (!done) ssl_.reset();
    ERR_clear_error();
    return done;
  }
  SSL* ssl() { return ssl_.get(); }
  std::string certificateName() {
    char name[64] = "";
    const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl_.get()), X509_free);
    if (peer) X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name, sizeof name);
    return name;
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                             : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // The next line without CRLF; "<end>" when the server closed, "<timeout>" after ten seconds.
  std::string line() {
    for (;;) {
      if (const auto end = buffer_.find("\r\n"); end != std::string::npos) {
        auto text = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return text;
      }
      char bytes[4096];
      const auto got = ssl_ ? SSL_read(ssl_.get(), bytes, sizeof bytes) : ::recv(fd_.get(), bytes, sizeof bytes, 0);
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return "<timeout>";
      if (got <= 0) return "<end>";
      buffer_.append(bytes, static_cast<std::size_t>(got));
    }
  }
  // All lines of one reply; the last one is returned.
  std::string reply() {
    for (;;) {
      auto text = line();
      if (text.size() < 4 || text[3] != '-') return text;
    }
  }
  std::string ask(std::string_view command) {
    send(std::string(command) + "\r\n");
    return reply();
  }

private:
  FileDescriptor fd_;
  bool connected_ = false;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
  std::string buffer_;
};

// A real server on loopback: listener 0 with STARTTLS, listener 1 with implicit TLS, over a fake site.
struct ServerFixture {
  FakeSite site;
  std::filesystem::path folder;
  std::unique_ptr<net::TlsServerContext> tls;
  std::unique_ptr<SmtpServer> server;
  ServerSettings settings;

  ServerFixture() {
    char name[] = "/tmp/postern-smtp-XXXXXX";
    folder = ::mkdtemp(name);
    writeCertificate(folder, "first.example");
    tls = std::make_unique<net::TlsServerContext>(folder / "cert.pem", folder / "key.pem");
    settings.session.hostName = "mx.lists.example";
    settings.session.maxMessageSize = 1'000'000;
    settings.listen = {{"127.0.0.1", 0}};
    settings.listenTls = {{"127.0.0.1", 0}};
  }
  ~ServerFixture() {
    server.reset();
    std::filesystem::remove_all(folder);
  }
  void start(Acceptor* acceptor = nullptr) {
    const Ports ports{site.directory, site.inspector, acceptor ? *acceptor : site.acceptor, site.observer, site.clock,
                      nullptr,        &site.names};
    server = std::make_unique<SmtpServer>(settings, ports, tls.get());
    server->start();
  }
  RawClient plain() { return RawClient(server->port(0)); }
  RawClient tlsClient() { return RawClient(server->port(1)); }
};

}  // namespace postern::gateway::fakes
