#include "core/mailauth/SigningKey.h"

#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/mailauth/TagList.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>

namespace postern::mailauth {

namespace {

using crypto::bytesOf;
using crypto::check;

constexpr unsigned MinBits = 1024;  // RFC 8301 §3.2
constexpr unsigned MaxBits = 8192;  // more would buy the sender our time

std::shared_ptr<EVP_PKEY> shared(EVP_PKEY* key) {
  return {key, &EVP_PKEY_free};
}

// RFC 6376 names SubjectPublicKeyInfo in its text and RSAPublicKey in its grammar; both are about.
std::shared_ptr<EVP_PKEY> readRsa(const std::string& der) {
  const auto* at = bytesOf(der);
  auto key = shared(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key) {
    at = bytesOf(der);
    key = shared(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(der.size())));
  }
  crypto::clearOpenSslErrors();
  if (key && EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) key.reset();
  return key;
}

void readKey(const TagList& tags, KeyRecord& record) {
  const auto text = tags.compact("p");
  if (text.empty()) {
    record.revoked = true;
    record.problem = "the key is revoked";
    return;
  }
  const auto der = crypto::fromBase64(text);
  if (!der) {
    record.problem = "the key in the DNS is not base64";
    return;
  }
  if (record.kind == KeyKind::Ed25519) {
    record.key = shared(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytesOf(*der), der->size()));
    crypto::clearOpenSslErrors();
  } else {
    record.key = readRsa(*der);
  }
  if (!record.key) {
    record.problem = "the key in the DNS cannot be read";
    return;
  }
  record.bits = static_cast<unsigned>(EVP_PKEY_get_bits(record.key.get()));
  if (record.kind == KeyKind::Ed25519) return;
  if (record.bits < MinBits) record.problem = "the key is too short: " + std::to_string(record.bits) + " bits";
  if (record.bits > MaxBits) record.problem = "the key is too long: " + std::to_string(record.bits) + " bits";
}

bool holds(const std::vector<std::string>& list, std::string_view wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

}  // namespace

const char* algorithmOf(KeyKind kind) {
  return kind == KeyKind::Rsa ? "rsa-sha256" : "ed25519-sha256";
}

KeyRecord readKeyRecord(std::string_view txt) {
  KeyRecord record;
  const auto tags = TagList::parse(txt);
  if (!tags || !tags->find("p")) {
    record.problem = "the key record in the DNS has a syntax error";
    return record;
  }
  if (const auto version = tags->find("v"); version && (*version != "DKIM1" || tags->tags().front().first != "v")) {
    record.problem = "the key record in the DNS is of another version";
    return record;
  }
  const auto kind = tags->value("k", "rsa");
  if (kind != "rsa" && kind != "ed25519") {
    record.problem = "the key is of a kind that is not known";
    return record;
  }
  record.kind = kind == "rsa" ? KeyKind::Rsa : KeyKind::Ed25519;
  const auto flags = splitCompact(tags->value("t"), ':');
  record.testing = holds(flags, "y");
  record.strict = holds(flags, "s");
  if (tags->find("h") && !holds(splitCompact(tags->value("h"), ':'), "sha256")) {
    record.problem = "the key is not for SHA-256";
    return record;
  }
  const auto services = splitCompact(tags->value("s", "*"), ':');
  if (!holds(services, "*") && !holds(services, "email")) {
    record.problem = "the key is not for mail";
    return record;
  }
  readKey(*tags, record);
  return record;
}

bool verifies(const KeyRecord& record, std::string_view bytes, std::string_view signature) {
  if (!record.key || !record.problem.empty()) return false;
  const crypto::DigestContextPtr context(check(EVP_MD_CTX_new(), "check a signature"));
  const bool ed = record.kind == KeyKind::Ed25519;
  const auto digest = ed ? crypto::sha256(bytes) : std::string();
  if (ed) bytes = digest;
  check(
      EVP_DigestVerifyInit(context.get(), nullptr, ed ? nullptr : crypto::sha256Algorithm(), nullptr, record.key.get()),
      "check a signature");
  const int result =
      EVP_DigestVerify(context.get(), bytesOf(signature), signature.size(), bytesOf(bytes), bytes.size());
  crypto::clearOpenSslErrors();
  return result == 1;
}

SigningKey SigningKey::create(KeyKind kind) {
  auto* key = kind == KeyKind::Rsa ? EVP_RSA_gen(2048) : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  return {kind, shared(check(key, "create a key for DKIM"))};
}

SigningKey SigningKey::import(const Secret& der) {
  const auto bytes = der.view();
  const auto bio = crypto::readOnlyBio(bytes);
  auto key = shared(bytes.starts_with("-----") ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)
                                               : d2i_PrivateKey_bio(bio.get(), nullptr));
  check(key.get(), "read a key for DKIM");
  const int kind = EVP_PKEY_get_base_id(key.get());
  if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_ED25519)
    throw Error(ErrorKind::Crypto, "a key for DKIM must be RSA or Ed25519");
  return {kind == EVP_PKEY_RSA ? KeyKind::Rsa : KeyKind::Ed25519, std::move(key)};
}

Secret SigningKey::exportDer() const {
  const crypto::BioPtr bio(check(BIO_new(BIO_s_mem()), "write a key for DKIM"));
  check(i2d_PKCS8PrivateKey_bio(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr), "write a key for DKIM");
  return Secret(std::string(crypto::contentOf(bio.get())));
}

std::string SigningKey::record() const {
  std::string der;
  if (kind_ == KeyKind::Ed25519) {
    std::size_t size = 32;
    der.resize(size);
    check(EVP_PKEY_get_raw_public_key(key_.get(), bytesOf(der), &size), "write a public key");
    return "v=DKIM1; k=ed25519; p=" + crypto::base64(der);
  }
  der.resize(static_cast<std::size_t>(std::max(0, i2d_PUBKEY(key_.get(), nullptr))));
  auto* at = bytesOf(der);
  check(i2d_PUBKEY(key_.get(), &at), "write a public key");
  return "v=DKIM1; k=rsa; p=" + crypto::base64(der);
}

std::string SigningKey::sign(std::string_view bytes) const {
  const crypto::DigestContextPtr context(check(EVP_MD_CTX_new(), "sign"));
  const bool ed = kind_ == KeyKind::Ed25519;
  const auto digest = ed ? crypto::sha256(bytes) : std::string();
  if (ed) bytes = digest;
  check(EVP_DigestSignInit(context.get(), nullptr, ed ? nullptr : crypto::sha256Algorithm(), nullptr, key_.get()),
        "sign");
  std::size_t size = 0;
  check(EVP_DigestSign(context.get(), nullptr, &size, bytesOf(bytes), bytes.size()), "sign");
  std::string signature(size, '\0');
  check(EVP_DigestSign(context.get(), bytesOf(signature), &size, bytesOf(bytes), bytes.size()), "sign");
  signature.resize(size);
  return signature;
}

}  // namespace postern::mailauth
