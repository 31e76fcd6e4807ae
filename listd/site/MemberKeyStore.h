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
  std::string recipientKey;       // RecipientKey::encode() of crypto or pgp; empty for a key that cannot be used
  std::string certificate;        // DER, or a binary OpenPGP key
  std::string origin = "import";  // "import" "signed-mail" "autocrypt" "mail" "web" "lookup"
  bool mailboxProven = false;     // a token that was sent to the address came back with it
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
  void setState(std::string_view fingerprint, KeyState state);  // for all of its addresses
  // For one address only; also writes how it came.
  void setStanding(const MemberKey& key);
  // Deletes a key that is only proposed. False when there is none.
  bool removeProposal(std::string_view address, std::string_view fingerprint);
  std::uint64_t countProposals(std::string_view address) const;
  std::uint64_t countProposals() const;
  // The oldest proposal of the address that came without proof of the mailbox.
  std::optional<MemberKey> oldestUnproven(std::string_view address) const;

  // Up to `limit` keys, of one address or (empty) of all, with ids after `after`.
  std::vector<MemberKey> page(std::string_view address, std::uint64_t after, std::uint32_t limit) const;
  std::vector<MemberKey> pageOf(KeyState state, std::uint64_t after, std::uint32_t limit) const;

  // Addresses with a certificate that began or ended to be valid in (from, to].
  std::vector<std::string> addressesThatTurned(TimePoint from, TimePoint to) const;
  // How many confirmed keys of enabled members end before the time.
  std::uint64_t endingBefore(TimePoint now, TimePoint before) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
