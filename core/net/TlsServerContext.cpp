#include "core/net/TlsServerContext.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

#include <openssl/err.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace postern::net {

namespace {

constexpr std::chrono::seconds LookInterval{1};
constexpr std::chrono::hours TicketKeyLife{24};
constexpr std::size_t TicketKeyBytes = 80;  // what OpenSSL 3 asks for: name, HMAC key, AES key

std::string lastOpenSslError() {
  const auto code = ERR_peek_last_error();
  if (code == 0) return "unknown reason";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

[[noreturn]] void throwTls(const std::string& doing) {
  throw Error(ErrorKind::Tls, "cannot " + doing + ": " + lastOpenSslError());
}

void keepTicketKeys(SSL_CTX* from, SSL_CTX* to) {
  std::array<unsigned char, TicketKeyBytes> keys{};
  const auto length = static_cast<long>(keys.size());
  if (SSL_CTX_get_tlsext_ticket_keys(from, keys.data(), length) == 1)
    SSL_CTX_set_tlsext_ticket_keys(to, keys.data(), length);
  OPENSSL_cleanse(keys.data(), keys.size());
}

}  // namespace

TlsServerContext::TlsServerContext(std::filesystem::path certificateChain, std::filesystem::path key)
    : certificateChain_(std::move(certificateChain)), key_(std::move(key)) {
  MutexLock lock(mutex_);
  stamp_ = stampOfFiles();
  context_ = load();
  lastLook_ = ticketKeysSince_ = std::chrono::steady_clock::now();
}

TlsServerContext::Stamp TlsServerContext::stampOfFiles() const {
  Stamp stamp;
  struct stat facts {};
  if (::stat(certificateChain_.c_str(), &facts) == 0) {
    stamp.certificateTime = facts.st_mtim.tv_sec * 1'000'000'000LL + facts.st_mtim.tv_nsec;
    stamp.certificateFile = facts.st_ino;
  }
  if (::stat(key_.c_str(), &facts) == 0) {
    stamp.keyTime = facts.st_mtim.tv_sec * 1'000'000'000LL + facts.st_mtim.tv_nsec;
    stamp.keyFile = facts.st_ino;
  }
  return stamp;
}

TlsServerContext::ContextHandle TlsServerContext::load() const {
  ERR_clear_error();
  ContextHandle context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) throwTls("set up TLS");
  SSL_CTX* ctx = context.get();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  // SMTP has its own framing, so a peer that closes without close_notify is no error here; the session treats an end
  // inside a message as abort.
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Forward secrecy only; for TLS 1.2 CBC suites stay, since old mail servers know nothing else.
  if (SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:!aNULL:!eNULL") != 1)
    throwTls("set the TLS ciphers");
  static constexpr unsigned char SessionContext[] = "postern-smtp";
  SSL_CTX_set_session_id_context(ctx, SessionContext, sizeof SessionContext - 1);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);  // tickets only: nothing to keep per client
  if (SSL_CTX_use_certificate_chain_file(ctx, certificateChain_.c_str()) != 1)
    throwTls("load the TLS certificate " + certificateChain_.string());
  if (SSL_CTX_use_PrivateKey_file(ctx, key_.c_str(), SSL_FILETYPE_PEM) != 1)
    throwTls("load the TLS key " + key_.string());
  if (SSL_CTX_check_private_key(ctx) != 1)
    throwTls("use the TLS key " + key_.string() + " with the certificate " + certificateChain_.string());
  return context;
}

std::string TlsServerContext::reloadLocked() {
  stamp_ = stampOfFiles();
  try {
    auto fresh = load();
    const auto now = std::chrono::steady_clock::now();
    if (now - ticketKeysSince_ < TicketKeyLife)
      keepTicketKeys(context_.get(), fresh.get());
    else
      ticketKeysSince_ = now;
    context_ = std::move(fresh);
    return {};
  } catch (const Error& error) {
    return error.message();
  }
}

std::string TlsServerContext::reload() {
  MutexLock lock(mutex_);
  return reloadLocked();
}

void TlsServerContext::refreshIfChanged() {
  const auto now = std::chrono::steady_clock::now();
  if (now - lastLook_ < LookInterval) return;
  lastLook_ = now;
  const bool changed = stampOfFiles() != stamp_;
  if (!changed && now - ticketKeysSince_ < TicketKeyLife) return;
  const auto problem = reloadLocked();
  if (!problem.empty())
    log::warning("tls", "the changed certificate cannot be used, the old one stays in force", {{"reason", problem}});
  else if (changed)
    log::info("tls", "the changed certificate is in force", {{"file", certificateChain_.string()}});
}

SslHandle TlsServerContext::newConnection(int descriptor) {
  ContextHandle context;
  {
    MutexLock lock(mutex_);
    refreshIfChanged();
    context = context_;
  }
  ERR_clear_error();
  SslHandle ssl(SSL_new(context.get()));  // holds a reference to the context of its own
  if (!ssl || SSL_set_fd(ssl.get(), descriptor) != 1) throwTls("begin a TLS connection");
  SSL_set_accept_state(ssl.get());
  return ssl;
}

TlsServerChannel::Step TlsServerChannel::stepOf(int result) {
  const int systemError = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
      return Step::Done;
    case SSL_ERROR_WANT_READ:
      return Step::WantRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::WantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Step::Closed;
    case SSL_ERROR_SYSCALL:
      if (ERR_peek_error() == 0) {
        failure_ = systemError == 0 ? "the peer closed the connection" : std::generic_category().message(systemError);
        return Step::Failed;
      }
      [[fallthrough]];
    default:
      failure_ = lastOpenSslError();
      return Step::Failed;
  }
}

TlsServerChannel::Step TlsServerChannel::handshake() {
  ERR_clear_error();
  errno = 0;
  const auto step = stepOf(SSL_do_handshake(ssl_.get()));
  return step == Step::Closed ? Step::Failed : step;
}

TlsServerChannel::Transfer TlsServerChannel::read(char* to, std::size_t length) {
  ERR_clear_error();
  errno = 0;
  Transfer transfer;
  const int result = SSL_read_ex(ssl_.get(), to, length, &transfer.bytes);
  transfer.step = result == 1 ? Step::Done : stepOf(result);
  return transfer;
}

TlsServerChannel::Transfer TlsServerChannel::write(std::string_view bytes) {
  if (bytes.empty()) return {};
  ERR_clear_error();
  errno = 0;
  Transfer transfer;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &transfer.bytes);
  transfer.step = result == 1 ? Step::Done : stepOf(result);
  return transfer;
}

void TlsServerChannel::closeNotify() {
  // After a fatal error OpenSSL forbids SSL_shutdown.
  if (!failure_.empty() || !SSL_is_init_finished(ssl_.get())) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsServerChannel::version() const {
  return SSL_get_version(ssl_.get());
}
std::string TlsServerChannel::cipher() const {
  return SSL_get_cipher_name(ssl_.get());
}
std::uint16_t TlsServerChannel::bits() const {
  return static_cast<std::uint16_t>(SSL_get_cipher_bits(ssl_.get(), nullptr));
}
bool TlsServerChannel::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

}  // namespace postern::net
