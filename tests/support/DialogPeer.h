#pragma once
#include "tests/support/TlsTestCertificates.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace postern::test {

// One connection to a DialogPeer, for its script. Blocking; every call gives up when the client is gone.
class DialogSession {
public:
  explicit DialogSession(int fd) : fd_(fd) {
    const int one = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  ~DialogSession() { close(); }
  DialogSession(const DialogSession&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty() && fd_ >= 0) {
      const auto count = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                              : static_cast<int>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  // The next line without CRLF; nothing when the client closed.
  std::optional<std::string> line() {
    for (;;) {
      if (const auto end = unread_.find("\r\n"); end != std::string::npos) {
        auto line = unread_.substr(0, end);
        unread_.erase(0, end + 2);
        return line;
      }
      if (!more()) return std::nullopt;
    }
  }

  // The content up to the final dot, dots as on the wire.
  std::optional<std::string> content() {
    for (;;) {
      if (unread_.starts_with(".\r\n")) {
        unread_.erase(0, 3);
        return std::string();
      }
      if (const auto end = unread_.find("\r\n.\r\n"); end != std::string::npos) {
        auto content = unread_.substr(0, end + 2);
        unread_.erase(0, end + 5);
        return content;
      }
      if (!more()) return std::nullopt;
    }
  }

  bool startTls(const TlsTestCertificates::Server& server, int maxVersion = 0) {
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    if (maxVersion != 0) {
      SSL_CTX_set_security_level(context.get(), 0);
      SSL_CTX_set_max_proto_version(context.get(), maxVersion);
    }
    SSL_CTX_use_certificate(context.get(), server.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), server.key.get());
    context_ = context;
    ssl_.reset(SSL_new(context.get()), &SSL_free);
    SSL_set_fd(ssl_.get(), fd_);
    const bool done = SSL_accept(ssl_.get()) == 1;
    if (!done) close();
    return done;
  }

  // Waits until the client closes, as a server that has gone silent.
  void hang() {
    while (more()) unread_.clear();
  }

  // Sends nothing and waits until stop() of the peer or the client's close.
  bool more() {
    char buffer[65536];
    if (fd_ < 0) return false;
    const auto count =
        ssl_ ? SSL_read(ssl_.get(), buffer, sizeof buffer) : static_cast<int>(::recv(fd_, buffer, sizeof buffer, 0));
    if (count <= 0) return false;
    unread_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  void close() {
    ssl_.reset();
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void interrupt() { ::shutdown(fd_, SHUT_RDWR); }
  bool hasTls() const { return ssl_ != nullptr; }
  std::string& unread() { return unread_; }

private:
  std::atomic<int> fd_;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
  std::string unread_;
};

// A scripted SMTP server on a loopback port: each connection runs the script in a thread of its own.
class DialogPeer {
public:
  using Script = std::function<void(DialogSession&)>;

  explicit DialogPeer(Script script) : script_(std::move(script)) {
    listen_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listen_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listen_, 128) != 0)
      throw std::runtime_error("cannot listen on loopback");
    socklen_t length = sizeof address;
    ::getsockname(listen_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { accept(); });
  }
  ~DialogPeer() {
    stopping_ = true;
    ::shutdown(listen_, SHUT_RDWR);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (auto* session : live_) session->interrupt();
    }
    for (auto& thread : threads_) thread.join();
    ::close(listen_);
  }
  DialogPeer(const DialogPeer&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

private:
  void accept() {
    while (!stopping_) {
      const int fd = ::accept4(listen_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++connections_;
      threads_.emplace_back([this, fd] {
        DialogSession session(fd);
        {
          const std::lock_guard lock(mutex_);
          live_.insert(&session);
          if (stopping_) session.interrupt();
        }
        script_(session);
        const std::lock_guard lock(mutex_);
        live_.erase(&session);
        session.close();
      });
    }
  }

  Script script_;
  int listen_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::set<DialogSession*> live_;
};

// What a MailSink took.
struct SunkMail {
  std::string mailFrom;  // the whole command line
  std::string recipient;
  std::string content;
  bool tls = false;
  int connection = 0;
};

// A plain mail server as a script: takes everything but for the replies that a test puts in, and keeps it.
// Settings are made before the first connection. Threads: safe for all.
class MailSink {
public:
  std::vector<std::string> extensions{"PIPELINING", "SIZE 50000000", "8BITMIME", "SMTPUTF8"};
  std::optional<TlsTestCertificates::Server> certificate;        // offers STARTTLS
  int maxTlsVersion = 0;                                         // 0: the newest
  std::function<std::string(const std::string& command)> reply;  // for a command line or "." ; empty: the usual one
  std::function<void()> beforeFinalReply;

  void operator()(DialogSession& session) {
    const int number = ++connections_;
    session.send("220 sink ESMTP\r\n");
    SunkMail mail;
    while (auto line = session.line()) {
      auto answer = reply ? reply(*line) : "";
      if (answer == "close") return;
      const auto verb = line->substr(0, 4);
      if (verb == "MAIL") mail = {*line, "", "", session.hasTls(), number};
      if (verb == "RCPT") mail.recipient = *line;
      if (answer.empty()) answer = usual(*line, session);
      session.send(answer);
      if (verb == "QUIT") return;
      if (verb == "STAR" && answer.starts_with("220") && !session.startTls(*certificate, maxTlsVersion)) return;
      if (verb == "DATA" && answer.starts_with("354") && !take(session, mail)) return;
    }
  }

  std::vector<SunkMail> mails() const {
    const std::lock_guard lock(mutex_);
    return mails_;
  }
  bool waitFor(std::size_t count, std::chrono::milliseconds limit = std::chrono::seconds(20)) const {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, limit, [&] { return mails_.size() >= count; });
  }
  int connections() const { return connections_; }

private:
  bool take(DialogSession& session, SunkMail& mail) {
    auto content = session.content();
    if (!content) return false;
    auto answer = reply ? reply(".") : "";
    if (answer == "close") return false;
    if (answer.empty()) answer = "250 2.0.0 taken\r\n";
    if (beforeFinalReply) beforeFinalReply();
    if (answer.starts_with("2")) {
      const std::lock_guard lock(mutex_);
      mail.content = *content;
      mails_.push_back(mail);
      arrived_.notify_all();
    }
    session.send(answer);
    return true;
  }

  std::string usual(const std::string& line, const DialogSession& session) const {
    const auto verb = line.substr(0, 4);
    if (verb == "DATA") return "354 go on\r\n";
    if (verb == "QUIT") return "221 bye\r\n";
    if (verb == "STAR") return certificate ? "220 go on\r\n" : "502 no\r\n";
    if (verb != "EHLO") return "250 2.0.0 ok\r\n";
    std::string text = "250-sink\r\n";
    for (const auto& extension : extensions) text += "250-" + extension + "\r\n";
    if (certificate && !session.hasTls()) text += "250-STARTTLS\r\n";
    return text + "250 ENHANCEDSTATUSCODES\r\n";
  }

  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  std::vector<SunkMail> mails_;
};

}  // namespace postern::test
