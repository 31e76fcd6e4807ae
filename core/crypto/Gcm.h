#pragma once
#include "core/crypto/OpenSsl.h"

#include <string>
#include <string_view>

// AES-256-GCM with a nonce of 12 and a tag of 16 bytes, on a context that has its key: what Aead and SealedBox share.
namespace postern::crypto::gcm {

constexpr std::size_t KeySize = 32;
constexpr std::size_t NonceSize = 12;
constexpr std::size_t TagSize = 16;

CipherContextPtr sealingContext(const unsigned char* key);
CipherContextPtr openingContext(const unsigned char* key);

// Appends ciphertext and tag. The nonce must be new for the key.
void seal(EVP_CIPHER_CTX* context, const unsigned char* nonce, std::string_view plain, std::string_view aad,
          std::string& out);

// Writes sealed.size() - TagSize bytes. Throws Error(Crypto) after wiping `out` if the tag does not fit.
void open(EVP_CIPHER_CTX* context, const unsigned char* nonce, std::string_view sealed, std::string_view aad,
          unsigned char* out);

}  // namespace postern::crypto::gcm
