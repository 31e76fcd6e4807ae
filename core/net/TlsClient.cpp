#include "core/net/TlsClient.h"

#include "core/base/Error.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <algorithm>
#include <csignal>

namespace postern::net {

namespace {

std::string opensslReason() {
  std::string reason;
  // The last error names the cause; the ones before it are the way there.
  while (const auto code = ERR_get_error()) {
    const char* text = ERR_reason_error_string(code);
    reason = text ? text : "error " + std::to_string(code);
  }
  return reason;
}

bool isAddress(const std::string& name) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

void expectNames(SSL* ssl, const TlsPeer& peer) {
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  for (const auto& name : peer.names) {
    const bool done = isAddress(name) ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1
                                      : SSL_add1_host(ssl, name.c_str()) == 1;
    if (!done) throw Error(ErrorKind::Tls, "cannot expect the host name \"" + name + "\" in a certificate");
  }
}

}  // namespace

bool waitFor(int fd, short events, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd polled{fd, events, 0};
    const int count = ::poll(&polled, 1, static_cast<int>(std::min<long>(left, 1 << 30)));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) throwErrno("wait for", "a connection");
  }
}

TlsClient::TlsClient(const std::filesystem::path& trustAnchors) : context_(SSL_CTX_new(TLS_client_method())) {
  std::signal(SIGPIPE, SIG_IGN);
  ERR_clear_error();
  auto* context = context_.get();
  if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
    throw Error(ErrorKind::Tls, "cannot set up TLS for delivery: " + opensslReason());
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
  if (trustAnchors.empty()) return;
  const bool folder = std::filesystem::is_directory(trustAnchors);
  const bool read = folder ? SSL_CTX_load_verify_dir(context, trustAnchors.c_str()) == 1
                           : SSL_CTX_load_verify_file(context, trustAnchors.c_str()) == 1;
  if (!read)
    throw Error(ErrorKind::Tls, "cannot read the trust anchors " + trustAnchors.string() +
                                    " for delivery: " + opensslReason() + "; see trustAnchors under [delivery]");
}

Result<TlsChannel, std::string> TlsClient::handshake(int fd, const TlsPeer& peer, Deadline deadline) const {
  ERR_clear_error();
  TlsChannel channel(SSL_new(context_.get()), fd);
  auto* ssl = channel.ssl_.get();
  if (!ssl || SSL_set_fd(ssl, fd) != 1) throw Error(ErrorKind::Tls, "cannot start TLS: " + opensslReason());
  if (peer.mustVerify && peer.names.empty()) return Unexpected(std::string("no name is known that could be verified"));
  expectNames(ssl, peer);
  if (!peer.serverName.empty() && !isAddress(peer.serverName))
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(peer.serverName.c_str()));
  if (peer.mustVerify) SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl);
    if (result == 1) break;
    const auto verify = SSL_get_verify_result(ssl);
    if (auto problem = channel.wait(result, deadline, "TLS handshake")) {
      if (peer.mustVerify && verify != X509_V_OK)
        return Unexpected(std::string("certificate not verified: ") + X509_verify_cert_error_string(verify));
      return Unexpected(std::move(*problem));
    }
  }
  const auto verify = SSL_get_verify_result(ssl);
  // Anonymous suites give no certificate and X509_V_OK: nothing is proven by that.
  if (SSL_get0_peer_certificate(ssl) == nullptr) {
    channel.verification_ = "no certificate";
  } else if (verify != X509_V_OK) {
    channel.verification_ = X509_verify_cert_error_string(verify);
  } else {
    channel.verification_ = peer.names.empty() ? "none" : "verified";
  }
  if (peer.mustVerify && !channel.verified()) return Unexpected("certificate not verified: " + channel.verification_);
  return channel;
}

// Turns the result of an SSL call into a wait for the socket; a text when the connection is of no more use.
std::optional<std::string> TlsChannel::wait(int result, Deadline deadline, const char* doing) {
  const std::string what = doing;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      if (waitFor(fd_, POLLIN, deadline)) return std::nullopt;
      return what + ": timed out";
    case SSL_ERROR_WANT_WRITE:
      if (waitFor(fd_, POLLOUT, deadline)) return std::nullopt;
      return what + ": timed out";
    case SSL_ERROR_ZERO_RETURN:
      return what + ": the peer closed the connection";
    case SSL_ERROR_SYSCALL: {
      auto reason = opensslReason();
      return what + ": the connection broke" + (reason.empty() ? "" : " (" + reason + ")");
    }
    default:
      return what + ": " + opensslReason();
  }
}

Result<std::size_t, std::string> TlsChannel::read(char* to, std::size_t room, Deadline deadline) {
  for (;;) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), to, room, &count);
    if (result == 1) return count;
    if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
    if (auto problem = wait(result, deadline, "TLS")) return Unexpected(std::move(*problem));
  }
}

std::optional<std::string> TlsChannel::write(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    if (result == 1) {
      bytes.remove_prefix(count);
    } else if (auto problem = wait(result, deadline, "TLS")) {
      return problem;
    }
  }
  return std::nullopt;
}

void TlsChannel::close() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsChannel::version() const {
  return SSL_get_version(ssl_.get());
}

std::string TlsChannel::cipher() const {
  return SSL_get_cipher_name(ssl_.get());
}

std::uint16_t TlsChannel::bits() const {
  return static_cast<std::uint16_t>(SSL_get_cipher_bits(ssl_.get(), nullptr));
}

std::string TlsChannel::peerName() const {
  const auto* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return {};
  char text[256] = {};
  X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof text);
  std::string name = text;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return name;
}

}  // namespace postern::net
