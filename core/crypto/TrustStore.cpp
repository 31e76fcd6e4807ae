#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <filesystem>
#include <vector>

namespace postern::crypto {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> filesAt(const fs::path& path, std::initializer_list<std::string_view> extensions) {
  std::error_code failure;
  if (!fs::is_directory(path, failure)) return {path};
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(path, failure)) {
    const auto extension = entry.path().extension().string();
    const bool wanted = std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
    if (wanted && entry.is_regular_file()) found.push_back(entry.path());
  }
  if (failure) throw Error(ErrorKind::Io, "cannot read the folder " + path.string() + ": " + failure.message());
  std::sort(found.begin(), found.end());
  return found;
}

// All objects of a file: DER holds one, PEM any number. Read and ReadPem are OpenSSL's readers for the type.
template <class Ptr, class ReadDer, class ReadPem>
std::vector<Ptr> objectsOf(const fs::path& path, ReadDer readDer, ReadPem readPem) {
  const auto bytes = files::read(path);
  std::vector<Ptr> objects;
  const auto bio = readOnlyBio(bytes);
  if (bytes.find("-----BEGIN") == std::string::npos) {
    if (auto* object = readDer(bio.get(), nullptr)) objects.emplace_back(object);
  } else {
    while (auto* object = readPem(bio.get(), nullptr, nullptr, nullptr)) objects.emplace_back(object);
    // The end of the file is PEM_R_NO_START_LINE; anything else is a damaged block.
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) objects.clear();
  }
  clearOpenSslErrors();
  if (objects.empty())
    throw Error(ErrorKind::Config,
                "cannot use " + path.string() + ": it holds no certificate or revocation list, " + "or a damaged one");
  return objects;
}

}  // namespace

TrustStore TrustStore::load(const fs::path& authorities, const fs::path& revocations) {
  TrustStore trust;
  trust.store_.reset(check(X509_STORE_new(), "make a trust store"));
  for (const auto& path : filesAt(authorities, {".pem", ".crt", ".cer", ".der"}))
    for (const auto& certificate : objectsOf<X509Ptr>(path, d2i_X509_bio, PEM_read_bio_X509)) {
      check(X509_STORE_add_cert(trust.store_.get(), certificate.get()), "trust a certificate of " + path.string());
      ++trust.size_;
    }
  if (trust.size_ == 0)
    throw Error(ErrorKind::Config, "there is no CA certificate in " + authorities.string() +
                                       " (.pem, .crt, .cer or .der): no member's certificate could be trusted");
  if (revocations.empty()) return trust;
  bool any = false;
  for (const auto& path : filesAt(revocations, {".pem", ".crl", ".der"}))
    for (const auto& list : objectsOf<X509CrlPtr>(path, d2i_X509_CRL_bio, PEM_read_bio_X509_CRL)) {
      check(X509_STORE_add_crl(trust.store_.get(), list.get()), "use a revocation list of " + path.string());
      any = true;
    }
  if (any)
    check(X509_STORE_set_flags(trust.store_.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL),
          "use revocation lists");
  return trust;
}

void TrustStore::trust(const Certificate& authority) {
  if (!store_) store_.reset(check(X509_STORE_new(), "make a trust store"));
  const auto der = authority.der();
  const auto bio = readOnlyBio(der);
  const X509Ptr certificate(check(d2i_X509_bio(bio.get(), nullptr), "read an authority"));
  check(X509_STORE_add_cert(store_.get(), certificate.get()), "trust an authority");
  ++size_;
}

}  // namespace postern::crypto
