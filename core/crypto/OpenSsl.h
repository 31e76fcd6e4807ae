#pragma once
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

namespace postern::crypto {

// Owners of OpenSSL objects: a unique_ptr that calls the right free function.
template <auto Free>
struct OpenSslFree {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
template <class T, auto Free>
using OpenSslPtr = std::unique_ptr<T, OpenSslFree<Free>>;

using BignumPtr = OpenSslPtr<BIGNUM, &BN_clear_free>;
using BioPtr = OpenSslPtr<BIO, &BIO_free_all>;
using CipherContextPtr = OpenSslPtr<EVP_CIPHER_CTX, &EVP_CIPHER_CTX_free>;
using CipherPtr = OpenSslPtr<EVP_CIPHER, &EVP_CIPHER_free>;
using CmsPtr = OpenSslPtr<CMS_ContentInfo, &CMS_ContentInfo_free>;
using DigestContextPtr = OpenSslPtr<EVP_MD_CTX, &EVP_MD_CTX_free>;
using DigestPtr = OpenSslPtr<EVP_MD, &EVP_MD_free>;
using PkeyContextPtr = OpenSslPtr<EVP_PKEY_CTX, &EVP_PKEY_CTX_free>;
using PkeyPtr = OpenSslPtr<EVP_PKEY, &EVP_PKEY_free>;
using X509CrlPtr = OpenSslPtr<X509_CRL, &X509_CRL_free>;
using X509ExtensionPtr = OpenSslPtr<X509_EXTENSION, &X509_EXTENSION_free>;
using X509Ptr = OpenSslPtr<X509, &X509_free>;
using X509StoreContextPtr = OpenSslPtr<X509_STORE_CTX, &X509_STORE_CTX_free>;
using X509StorePtr = OpenSslPtr<X509_STORE, &X509_STORE_free>;

// Empties this thread's OpenSSL error queue and throws Error(Crypto): "cannot DOING: reason; reason".
// Every call of OpenSSL that fails must end here or in clearOpenSslErrors: what is left in the queue would be
// taken for a TLS failure by the next connection on the same thread.
[[noreturn]] void throwOpenSsl(std::string_view doing);
void clearOpenSslErrors();

// `check(EVP_x(...) , "do x")` and `check(EVP_new_y(), "do y")`: throwOpenSsl unless the result is positive or set.
inline void check(int result, std::string_view doing) {
  if (result <= 0) throwOpenSsl(doing);
}
template <class T>
T* check(T* object, std::string_view doing) {
  if (!object) throwOpenSsl(doing);
  return object;
}

// Algorithms looked up once: a look-up per use costs as much as sealing a small record.
const EVP_CIPHER* aes256Gcm();
const EVP_CIPHER* aes256Cbc();
const EVP_CIPHER* aes256Wrap();
const EVP_MD* sha256Algorithm();

// OpenSSL takes bytes as unsigned char.
inline const unsigned char* bytesOf(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
inline unsigned char* bytesOf(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// What a BIO made by BIO_s_mem holds. The view ends with the BIO.
std::string_view contentOf(BIO* bio);
BioPtr readOnlyBio(std::string_view bytes);

}  // namespace postern::crypto
