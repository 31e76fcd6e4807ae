#include "webadmin/TlsCertificate.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <ctime>

namespace postern::webadmin {

namespace {

constexpr std::chrono::seconds LookEvery{1};

std::string opensslReason() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  return reason ? reason : "unknown reason";
}

}  // namespace

TlsCertificate::TlsCertificate(std::filesystem::path certificate, std::filesystem::path key)
    : certificate_(std::move(certificate)), key_(std::move(key)) {
  stamp_ = stamp();
  context_ = load();
  lookedAt_ = std::chrono::steady_clock::now();
}

void TlsCertificate::serve(SSL_CTX* context) {
  SSL_CTX_set_cert_cb(context, &TlsCertificate::choose, this);
}

int TlsCertificate::choose(SSL* ssl, void* self) {
  const auto context = static_cast<TlsCertificate*>(self)->current();
  SSL_set_info_callback(ssl, SSL_CTX_get_info_callback(SSL_get_SSL_CTX(ssl)));  // the new context has none
  return SSL_set_SSL_CTX(ssl, context.get()) ? 1 : 0;
}

TlsCertificate::ContextPtr TlsCertificate::load() const {
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) throw Error(ErrorKind::Tls, "TLS cannot be set up: " + opensslReason());
  const auto fail = [](const std::filesystem::path& file) {
    throw Error(ErrorKind::Tls, "cannot use " + file.string() + ": " + opensslReason() +
                                    "; gateway.certificate and gateway.certificate_key name the files");
  };
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_.c_str()) != 1) fail(certificate_);
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_.c_str(), SSL_FILETYPE_PEM) != 1) fail(key_);
  if (SSL_CTX_check_private_key(context.get()) != 1) fail(key_);
  return context;
}

std::optional<TlsCertificate::Stamp> TlsCertificate::stamp() const {
  std::error_code failed;
  Stamp stamp;
  stamp.certificate = std::filesystem::last_write_time(certificate_, failed);
  if (failed) return std::nullopt;
  stamp.key = std::filesystem::last_write_time(key_, failed);
  if (failed) return std::nullopt;
  return stamp;
}

TlsCertificate::ContextPtr TlsCertificate::current() {
  MutexLock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - lookedAt_ < LookEvery) return context_;
  lookedAt_ = now;
  const auto seen = stamp();
  if (!seen || seen == stamp_) return context_;
  stamp_ = seen;
  try {
    context_ = load();
    log::info("tls", "the server certificate was read again", {{"file", certificate_.string()}});
  } catch (const Error& error) {
    // Half of a renewal may be on disk: the next change of either file brings us here again.
    log::error("tls", error.displayText() + "; the certificate in use stays");
  }
  return context_;
}

std::optional<TimePoint> TlsCertificate::notAfter() const {
  MutexLock lock(mutex_);
  const auto* certificate = SSL_CTX_get0_certificate(context_.get());
  std::tm parts{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return std::nullopt;
  return std::chrono::time_point_cast<std::chrono::microseconds>(
      std::chrono::system_clock::from_time_t(timegm(&parts)));
}

}  // namespace postern::webadmin
