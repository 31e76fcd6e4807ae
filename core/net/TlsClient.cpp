#include "core/net/TlsClient.h"

#include "core/base/Error.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <ctime>

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

// How many of the records OpenSSL could take. Usages other than DANE-TA and DANE-EE are kept out: OpenSSL would take
// them and demand a public CA beside them.
int enableDane(SSL* ssl, const TlsPeer& peer) {
  if (SSL_dane_enable(ssl, peer.serverName.c_str()) <= 0)
    throw Error(ErrorKind::Tls, "cannot start DANE for \"" + peer.serverName + "\"");
  SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);  // RFC 7672 §3.1.1
  int usable = 0;
  for (const auto& record : peer.dane) {
    if (!isUsable(record)) continue;
    const auto* data = reinterpret_cast<const unsigned char*>(record.data.data());
    if (SSL_dane_tlsa_add(ssl, record.usage, record.selector, record.matching, data, record.data.size()) == 1) ++usable;
  }
  ERR_clear_error();
  return usable;
}

std::string nameText(const X509_NAME* name) {
  char text[256] = {};
  if (name != nullptr) X509_NAME_oneline(name, text, sizeof text);
  std::string printable = text;
  std::replace_if(
      printable.begin(), printable.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return printable;
}

TimePoint timeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return TimePoint(std::chrono::seconds(::timegm(&parts)));
}

std::vector<std::string> dnsNames(const X509* certificate) {
  constexpr std::size_t MaxNames = 20;
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()) && names.size() < MaxNames; ++i) {
    const auto* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                     std::min<std::size_t>(253, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))));
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c <= 0x20 || c > 0x7e; }, '?');
    names.push_back(std::move(text));
  }
  return names;
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
  if (SSL_CTX_dane_enable(context) != 1) throw Error(ErrorKind::Tls, "cannot set up DANE: " + opensslReason());
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
  if (!peer.dane.empty() && enableDane(ssl, peer) == 0)
    return Unexpected(std::string("certificate not verified: no TLSA record can be used"));
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
    // With TLSA records the verdict has to come from one of them.
    if (!peer.dane.empty())
      channel.verification_ = SSL_get0_dane_authority(ssl, nullptr, nullptr) >= 0 ? "dane" : "no matching TLSA record";
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
  return certificate == nullptr ? std::string() : nameText(X509_get_subject_name(certificate));
}

std::optional<PeerCertificate> TlsChannel::certificate() const {
  const auto* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return std::nullopt;
  return PeerCertificate{nameText(X509_get_subject_name(certificate)), nameText(X509_get_issuer_name(certificate)),
                         timeOf(X509_get0_notBefore(certificate)), timeOf(X509_get0_notAfter(certificate)),
                         dnsNames(certificate)};
}

}  // namespace postern::net
