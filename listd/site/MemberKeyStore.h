#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"
#include "listd/plan/Decision.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A public key on file for one address. A key that serves two addresses is two of these.
struct MemberKey {
  std::uint64_t id = 0;
  std::string address;
  KeyFacts facts;
  std::string algorithm;  // "RSA 2048"
  std::uint32_t bits = 0;
  std::string subject;
  std::string issuer;
  TimePoint addedAt;
  std::string recipientKey;  // RecipientKey::encode() of crypto or pgp; empty for a key that cannot be used
  std::string certificate;   // DER, or a binary OpenPGP key
};

// Public keys of members. Threads: those of the connection. Errors: Error(Store).
class MemberKeyStore {
public:
  explicit MemberKeyStore(store::Database& database) : database_(database) {}

  void add(const MemberKey& key);
  // The same key imported again: state, verdict, validity and bytes are as found now.
  void replaceVerdict(const MemberKey& key);
  std::optional<MemberKey> find(std::string_view address, std::string_view fingerprint) const;
  std::vector<MemberKey> withFingerprint(std::string_view fingerprint) const;
  std::vector<MemberKey> withFingerprintPrefix(std::string_view prefix) const;  // at most 100
  std::vector<KeyFacts> factsOf(std::string_view address) const;
  void setState(std::string_view fingerprint, KeyState state);

  // Up to `limit` keys, of one address or (empty) of all, with ids after `after`.
  std::vector<MemberKey> page(std::string_view address, std::uint64_t after, std::uint32_t limit) const;

  // Addresses with a certificate that began or ended to be valid in (from, to].
  std::vector<std::string> addressesThatTurned(TimePoint from, TimePoint to) const;
  // How many confirmed keys of enabled members end before the time.
  std::uint64_t endingBefore(TimePoint now, TimePoint before) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
