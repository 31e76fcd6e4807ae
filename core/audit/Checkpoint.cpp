#include "core/audit/Checkpoint.h"

#include "core/audit/Merkle.h"
#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/OpenSsl.h"
#include "core/crypto/Random.h"

#include <algorithm>
#include <charconv>

namespace postern::audit {
namespace {

constexpr std::size_t LargestNote = 64 * 1024;
constexpr std::size_t MostSignatures = 100;
constexpr std::string_view SignatureStart = "\xE2\x80\x94 ";  // em dash and a space
constexpr char Ed25519 = 1;
constexpr std::size_t KeySize = 32;
constexpr std::size_t KeyIdSize = 4;

std::string publicOf(const Secret& seed) {
  const crypto::PkeyPtr key(crypto::check(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()), "read the audit key"));
  std::string bytes(KeySize, '\0');
  auto size = bytes.size();
  crypto::check(EVP_PKEY_get_raw_public_key(key.get(), crypto::bytesOf(bytes), &size), "read the audit key");
  return bytes;
}

std::optional<std::uint64_t> numberOf(std::string_view digits) {
  std::uint64_t value = 0;
  const auto end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  return value;
}

std::string_view takeLine(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// Base64 in its one form: what comes back from decoding must be what came in.
std::optional<std::string> strictBase64(std::string_view text) {
  auto bytes = crypto::fromBase64(text);
  if (!bytes || crypto::base64(*bytes) != text) return std::nullopt;
  return bytes;
}

bool isName(std::string_view name) {
  return !name.empty() && name.find_first_of(" +\t\r\n") == std::string_view::npos;
}

}  // namespace

std::string Checkpoint::body() const {
  return origin + "\n" + std::to_string(size) + "\n" + crypto::base64(root) + "\n";
}

VerifierKey::VerifierKey(std::string name, std::string publicKey)
    : name_(std::move(name)),
      publicKey_(std::move(publicKey)),
      id_(crypto::sha256(name_ + "\n" + Ed25519 + publicKey_).substr(0, KeyIdSize)) {}

std::optional<VerifierKey> VerifierKey::parse(std::string_view text) {
  const auto first = text.find('+');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = text.find('+', first + 1);
  if (second == std::string_view::npos || !isName(text.substr(0, first))) return std::nullopt;
  const auto bytes = strictBase64(text.substr(second + 1));
  if (!bytes || bytes->size() != KeySize + 1 || bytes->front() != Ed25519) return std::nullopt;
  VerifierKey key(std::string(text.substr(0, first)), bytes->substr(1));
  if (crypto::hex(key.id_) != text.substr(first + 1, second - first - 1)) return std::nullopt;
  return key;
}

std::string VerifierKey::text() const {
  return name_ + "+" + crypto::hex(id_) + "+" + crypto::base64(Ed25519 + publicKey_);
}

bool VerifierKey::verify(std::string_view message, std::string_view signature) const {
  const crypto::PkeyPtr key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, crypto::bytesOf(publicKey_), publicKey_.size()));
  const crypto::DigestContextPtr context(crypto::check(EVP_MD_CTX_new(), "check a signature"));
  const bool good = key && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                    EVP_DigestVerify(context.get(), crypto::bytesOf(signature), signature.size(),
                                     crypto::bytesOf(message), message.size()) == 1;
  crypto::clearOpenSslErrors();
  return good;
}

SignerKey::SignerKey(std::string name, Secret seed)
    : seed_(std::move(seed)), verifier_(std::move(name), publicOf(seed_)) {}

SignerKey SignerKey::generate(std::string name) {
  return {std::move(name), crypto::randomSecret(KeySize)};
}

std::string SignerKey::sign(std::string_view message) const {
  const crypto::PkeyPtr key(crypto::check(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.data(), seed_.size()), "read the audit key"));
  const crypto::DigestContextPtr context(crypto::check(EVP_MD_CTX_new(), "sign a checkpoint"));
  crypto::check(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()), "sign a checkpoint");
  std::string signature(64, '\0');
  auto size = signature.size();
  crypto::check(
      EVP_DigestSign(context.get(), crypto::bytesOf(signature), &size, crypto::bytesOf(message), message.size()),
      "sign a checkpoint");
  return signature;
}

std::string SignerKey::sign(const Checkpoint& checkpoint) const {
  const auto body = checkpoint.body();
  return body + "\n" + std::string(SignatureStart) + verifier_.name() + " " +
         crypto::base64(verifier_.id() + sign(std::string_view(body))) + "\n";
}

bool SignedCheckpoint::isSignedBy(const VerifierKey& key) const {
  return std::any_of(signatures.begin(), signatures.end(), [&](const Signature& signature) {
    return signature.name == key.name() && signature.keyId == key.id() && key.verify(body, signature.bytes);
  });
}

bool SignedCheckpoint::isSignedByOne(const std::vector<VerifierKey>& keys) const {
  return std::any_of(keys.begin(), keys.end(), [&](const VerifierKey& key) { return isSignedBy(key); });
}

std::optional<SignedCheckpoint> parseCheckpoint(std::string_view note) {
  if (note.size() > LargestNote || !note.ends_with('\n')) return std::nullopt;
  const auto split = note.rfind("\n\n");
  if (split == std::string_view::npos) return std::nullopt;
  SignedCheckpoint parsed;
  parsed.body = std::string(note.substr(0, split + 1));
  auto text = std::string_view(parsed.body);
  parsed.checkpoint.origin = std::string(takeLine(text));
  const auto size = numberOf(takeLine(text));
  const auto root = strictBase64(takeLine(text));
  if (parsed.checkpoint.origin.empty() || !size || !root || root->size() != HashSize) return std::nullopt;
  parsed.checkpoint.size = *size;
  parsed.checkpoint.root = *root;
  for (auto rest = note.substr(split + 2); !rest.empty();) {
    auto line = takeLine(rest);
    if (!line.starts_with(SignatureStart) || parsed.signatures.size() == MostSignatures) return std::nullopt;
    line.remove_prefix(SignatureStart.size());
    const auto space = line.find(' ');
    if (space == std::string_view::npos || !isName(line.substr(0, space))) return std::nullopt;
    const auto bytes = strictBase64(line.substr(space + 1));
    if (!bytes || bytes->size() <= KeyIdSize) return std::nullopt;
    parsed.signatures.push_back(
        {std::string(line.substr(0, space)), bytes->substr(0, KeyIdSize), bytes->substr(KeyIdSize)});
  }
  if (parsed.signatures.empty()) return std::nullopt;
  return parsed;
}

std::optional<std::vector<VerifierKey>> parseKeys(std::string_view text) {
  std::vector<VerifierKey> keys;
  while (!text.empty()) {
    auto line = takeLine(text);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    auto key = VerifierKey::parse(line);
    if (!key) return std::nullopt;
    keys.push_back(std::move(*key));
  }
  return keys;
}

std::string keyChangeMessage(const VerifierKey& old, const VerifierKey& fresh) {
  return "postern-audit-key-change-v1\n" + old.text() + "\n" + fresh.text() + "\n";
}

}  // namespace postern::audit
