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
  TimePoint checkedAt;            // by the nightly look; zero: not yet
  std::string issuerSays;         // "good" "revoked" "unknown"; empty: not asked
  std::string issuerDetail;       // why it is unknown, or when it was revoked
};

// A key in use that ends soon, of a member who has none that ends later.
struct EndingKey {
  std::string address;
  std::string fingerprint;
  TimePoint endsAt;
};

// Public keys of members. Threads: those of the connection. Errors: Error(Store).
class MemberKeyStore {
public:
  explicit MemberKeyStore(store::Database& database) : database_(database) {}

  void add(const MemberKey& key);
  // The same key imported again: state, verdict, validity and bytes are as found now.
  void replaceVerdict(const MemberKey& key);
  // Verdict and validity alone, for the key with this id. False when its bytes are others by now.
  bool rejudge(const MemberKey& key);
  void noteChecked(std::uint64_t after, std::uint64_t upTo, TimePoint at);  // ids in (after, upTo]
  // Certificates that wait for their issuer to be asked for the first time.
  std::vector<MemberKey> withoutIssuersWord(std::uint32_t limit) const;
  std::uint64_t count() const;
  // Of the members of a list.
  std::vector<std::string> addressesOn(std::uint64_t listId) const;  // with a key on file
  std::vector<MemberKey> proposalsOn(std::uint64_t listId, std::uint32_t limit) const;
  std::uint64_t countProposalsOn(std::uint64_t listId) const;
  std::vector<MemberKey> endingOn(std::uint64_t listId, TimePoint from, TimePoint to, std::uint32_t limit) const;
  std::uint64_t countEndingOn(std::uint64_t listId, TimePoint from, TimePoint to) const;
  std::vector<EndingKey> ending(TimePoint from, TimePoint to) const;  // in (from, to]
  std::optional<MemberKey> find(std::string_view address, std::string_view fingerprint) const;
  std::vector<MemberKey> withFingerprint(std::string_view fingerprint) const;
  // Confirmed OpenPGP keys of enabled members of a list in which the key id (8 octets) stands: as that of the key, or
  // of a subkey that signs. A scan over the list's keys.
  std::vector<MemberKey> withKeyId(std::uint64_t listId, std::string_view keyId, std::uint32_t limit) const;
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
