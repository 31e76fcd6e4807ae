#pragma once
#include "core/base/Secret.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Checkpoints of the audit log as C2SP signed notes (c2sp.org/tlog-checkpoint, c2sp.org/signed-note), so that existing
// tools and witnesses can check them.
namespace postern::audit {

// What a checkpoint says: the log `origin` had `size` entries and this root.
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  std::string root;  // 32 bytes

  std::string body() const;  // the signed text, with its last line end
};

// A public Ed25519 key of a log in the form NAME+HASH+BASE64 of C2SP signed notes. Immutable value.
class VerifierKey {
public:
  VerifierKey(std::string name, std::string publicKey);  // 32 bytes
  static std::optional<VerifierKey> parse(std::string_view text);

  const std::string& name() const { return name_; }
  const std::string& id() const { return id_; }  // 4 bytes: SHA-256(name || LF || 0x01 || key)
  const std::string& publicKey() const { return publicKey_; }
  std::string text() const;
  bool verify(std::string_view message, std::string_view signature) const;
  bool operator==(const VerifierKey&) const = default;

private:
  std::string name_;
  std::string publicKey_;
  std::string id_;
};

// The private key of a log. Errors: Error(Crypto). Threads: safe for all.
class SignerKey {
public:
  SignerKey(std::string name, Secret seed);  // 32 bytes
  static SignerKey generate(std::string name);

  const VerifierKey& verifier() const { return verifier_; }
  const Secret& seed() const { return seed_; }
  std::string sign(std::string_view message) const;      // 64 bytes
  std::string sign(const Checkpoint& checkpoint) const;  // the whole note

private:
  Secret seed_;
  VerifierKey verifier_;
};

// A checkpoint with the signatures that came with it, none of them believed yet.
struct SignedCheckpoint {
  struct Signature {
    std::string name;
    std::string keyId;  // 4 bytes
    std::string bytes;
  };
  Checkpoint checkpoint;
  std::string body;
  std::vector<Signature> signatures;

  bool isSignedBy(const VerifierKey& key) const;
  bool isSignedByOne(const std::vector<VerifierKey>& keys) const;
};

// Nothing for a text that is no signed checkpoint, or longer than a checkpoint ever is.
std::optional<SignedCheckpoint> parseCheckpoint(std::string_view note);

// The keys of a file: one a line; empty lines and lines from # are left out. Nothing when a line is no key.
std::optional<std::vector<VerifierKey>> parseKeys(std::string_view text);

// What old and new key both sign when a log's key changes.
std::string keyChangeMessage(const VerifierKey& old, const VerifierKey& fresh);

}  // namespace postern::audit
