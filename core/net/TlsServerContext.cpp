#include "core/net/TlsServerContext.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

#include <openssl/err.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <map>
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

using ContextMap = std::map<std::string, std::shared_ptr<SSL_CTX>, std::less<>>;

void freeMap(void*, void* map, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<ContextMap*>(map);
}

// Where a context keeps those of the other names: they live exactly as long as it.
int mapIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, freeMap);
  return index;
}

// Where a connection keeps what is wrong with the certificate of its client.
int errorIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Lower case; empty for what cannot be the name of a host, an address among it.
std::string plainName(const char* text) {
  std::string name;
  for (; text != nullptr && *text != '\0'; ++text)
    name += static_cast<char>(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
  if (!name.empty() && name.back() == '.') name.pop_back();
  const bool fits = !name.empty() && name.size() <= 253 &&
                    name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") == std::string::npos &&
                    name.find_first_not_of("0123456789.") != std::string::npos;
  return fits ? name : std::string();
}

int chooseCertificate(SSL* ssl, int*, void* argument) {
  const auto& map = *static_cast<const ContextMap*>(argument);
  const auto found = map.find(plainName(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)));
  if (found == map.end()) return SSL_TLSEXT_ERR_NOACK;
  return SSL_set_SSL_CTX(ssl, found->second.get()) != nullptr ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Takes any certificate, and remembers the first thing that is wrong with it.
int rememberProblem(int fine, X509_STORE_CTX* store) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  if (fine != 1 && ssl != nullptr && SSL_get_ex_data(ssl, errorIndex()) == nullptr)
    SSL_set_ex_data(ssl, errorIndex(),
                    reinterpret_cast<void*>(static_cast<std::intptr_t>(X509_STORE_CTX_get_error(store))));
  return 1;
}

}  // namespace

TlsServerContext::TlsServerContext(std::filesystem::path certificateChain, std::filesystem::path key,
                                   std::filesystem::path clientAuthorities)
    : certificateChain_(std::move(certificateChain)),
      key_(std::move(key)),
      clientAuthorities_(std::move(clientAuthorities)) {
  MutexLock lock(mutex_);
  stamp_ = stampOfFiles();
  context_ = load(certificateChain_, key_);
  addNames(context_.get());
  lastLook_ = ticketKeysSince_ = std::chrono::steady_clock::now();
}

void TlsServerContext::setNames(std::vector<Named> names) {
  MutexLock lock(mutex_);
  names_ = std::move(names);
  if (const auto problem = reloadLocked(); !problem.empty())
    log::warning("tls", "the certificate cannot be read, the old one stays in force", {{"reason", problem}});
}

std::vector<std::pair<std::string, std::string>> TlsServerContext::problems() const {
  MutexLock lock(mutex_);
  return problems_;
}

// Gives a fresh context the certificates of the other names.
void TlsServerContext::addNames(SSL_CTX* context) {
  auto map = std::make_unique<ContextMap>();
  std::vector<std::pair<std::string, ContextHandle>> fresh;
  problems_.clear();
  for (const auto& named : names_) {
    ContextHandle made;
    try {
      made = load(named.certificateChain, named.key);
    } catch (const Error& error) {
      problems_.emplace_back(named.name, error.message());
      log::warning("tls", "the certificate of another name of this server cannot be used",
                   {{"name", named.name}, {"reason", error.message()}});
      for (const auto& [name, old] : named_)
        if (name == named.name) made = old;
    }
    if (!made) continue;
    map->emplace(named.name, made);
    fresh.emplace_back(named.name, std::move(made));
  }
  named_ = std::move(fresh);
  // The macro for it holds a cast of C.
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(chooseCertificate));
  SSL_CTX_set_tlsext_servername_arg(context, map.get());
  if (SSL_CTX_set_ex_data(context, mapIndex(), map.get()) != 1) throwTls("set up TLS");
  map.release();  // freed with the context
}

std::vector<TlsServerContext::Stamp> TlsServerContext::stampOfFiles() const {
  std::vector<std::filesystem::path> files{certificateChain_, key_};
  for (const auto& named : names_) files.insert(files.end(), {named.certificateChain, named.key});
  if (!clientAuthorities_.empty()) files.push_back(clientAuthorities_);
  std::vector<Stamp> stamps;
  for (const auto& file : files) {
    struct stat facts {};
    auto& stamp = stamps.emplace_back();
    if (::stat(file.c_str(), &facts) != 0) continue;
    stamp = {facts.st_mtim.tv_sec * 1'000'000'000LL + facts.st_mtim.tv_nsec, facts.st_ino};
  }
  return stamps;
}

TlsServerContext::ContextHandle TlsServerContext::load(const std::filesystem::path& certificateChain,
                                                       const std::filesystem::path& key) const {
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
  if (SSL_CTX_use_certificate_chain_file(ctx, certificateChain.c_str()) != 1)
    throwTls("load the TLS certificate " + certificateChain.string());
  if (SSL_CTX_use_PrivateKey_file(ctx, key.c_str(), SSL_FILETYPE_PEM) != 1)
    throwTls("load the TLS key " + key.string());
  if (SSL_CTX_check_private_key(ctx) != 1)
    throwTls("use the TLS key " + key.string() + " with the certificate " + certificateChain.string());
  if (!clientAuthorities_.empty() && SSL_CTX_load_verify_file(ctx, clientAuthorities_.c_str()) != 1)
    throwTls("load the CA certificates for clients " + clientAuthorities_.string());
  return context;
}

std::string TlsServerContext::reloadLocked() {
  stamp_ = stampOfFiles();
  try {
    auto fresh = load(certificateChain_, key_);
    addNames(fresh.get());
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

SslHandle TlsServerContext::newConnection(int descriptor, const Demand& demand) {
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
  if (demand.tls13 && SSL_set_min_proto_version(ssl.get(), TLS1_3_VERSION) != 1) throwTls("demand TLS 1.3");
  if (demand.clientCertificate) {
    constexpr int DeepestChain = 5;
    SSL_set_verify(ssl.get(), SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, rememberProblem);
    SSL_set_verify_depth(ssl.get(), DeepestChain);
    SSL_set_options(ssl.get(), SSL_OP_NO_TICKET);
    SSL_set_num_tickets(ssl.get(), 0);
  }
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
std::string TlsServerChannel::serverName() const {
  return plainName(SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name));
}

std::optional<ClientCertificate> TlsServerChannel::clientCertificate() const {
  if (SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_NONE) return std::nullopt;
  const auto remembered = reinterpret_cast<std::intptr_t>(SSL_get_ex_data(ssl_.get(), errorIndex()));
  const auto error = static_cast<long>(remembered);
  return clientCertificateOf(ssl_.get(), error != 0 ? error : SSL_get_verify_result(ssl_.get()));
}

}  // namespace postern::net
