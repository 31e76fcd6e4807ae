#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A mail about keys that an address was sent; its number stands in the token of the link.
struct KeyLink {
  std::uint64_t id = 0;
  std::string address;
  std::string purpose;    // "confirm" "upload"; "answer": keys of a list went to the address, there is no link
  std::string candidate;  // of "confirm": the key that waits for its link; of "upload": why one by mail was not taken
  TimePoint madeAt;
  TimePoint endsAt;
  TimePoint usedAt;  // zero: not yet
};

// A key of a list beside the one in use; the private half is in keys.db under `name`.
struct ListKey {
  std::uint64_t id = 0;
  std::uint64_t listId = 0;
  std::string kind;         // "smime" "openpgp"
  std::string state;        // "requested" "former" "ended"
  std::string name;         // in keys.db
  std::string fingerprint;  // empty while requested
  std::string publicPart;   // DER certificate, OpenPGP key, or PEM of the request to a CA
  TimePoint madeAt;
  TimePoint endsAt;       // of a former key: when it is destroyed
  TimePoint announcedAt;  // of a former key: when the members were told; zero: not yet
};

// What revocation lists and responders said last.
struct RevocationNote {
  std::string state;   // "good" "revoked" "unknown"
  std::string detail;  // why it is unknown
  TimePoint checkedAt;
  TimePoint freshUntil;
};

// What belongs to the ring of keys beside the keys themselves. Threads: those of the connection. Errors: Error(Store).
class KeyRingStore {
public:
  explicit KeyRingStore(store::Database& database) : database_(database) {}

  bool isRefused(std::string_view address, std::string_view fingerprint) const;
  bool isRefusedByPerson(std::string_view address, std::string_view fingerprint) const;
  std::uint64_t countRefusals(std::string_view address) const;
  void addRefusal(std::string_view address, std::string_view fingerprint, std::string_view reason, TimePoint at,
                  std::string_view by);
  void forgetRefusal(std::string_view address, std::string_view fingerprint);

  std::uint64_t addLink(const KeyLink& link);
  std::optional<KeyLink> link(std::uint64_t id) const;
  // False when it was used already.
  bool useLink(std::uint64_t id, TimePoint at);
  std::uint64_t linksSince(std::string_view address, TimePoint from) const;
  std::uint64_t answersSince(TimePoint from) const;  // mails that brought keys of lists, to whomever
  void sweepLinks(TimePoint endedBefore);

  // False when that reminder was sent already.
  bool noteReminder(std::string_view address, std::string_view fingerprint, int step, TimePoint at);

  // Reminders of keys that got a later end, or are gone: the next end is a new one.
  void forgetReminders(TimePoint endAfter);

  std::optional<RevocationNote> revocation(std::string_view fingerprint) const;
  // Of the keys with ids in (after, upTo], by fingerprint.
  std::map<std::string, RevocationNote> revocations(std::uint64_t after, std::uint64_t upTo) const;
  // What is revoked stays so until the issuer says that it is good: no answer changes nothing.
  void noteRevocation(std::string_view fingerprint, const RevocationNote& note);

  struct FetchedList {
    std::string body;
    TimePoint freshUntil;
  };
  std::optional<FetchedList> revocationList(std::string_view url) const;
  void keepRevocationList(std::string_view url, const FetchedList& list, TimePoint now);
  void sweepRevocationLists(TimePoint now);

  std::uint64_t addListKey(const ListKey& key);
  std::vector<ListKey> listKeys(std::uint64_t listId) const;  // newest first
  std::vector<ListKey> listKeysEndedBefore(TimePoint at) const;
  std::vector<ListKey> listKeysToAnnounce() const;
  std::vector<ListKey> listKeysNotEnded() const;  // of all lists
  void noteAnnounced(std::uint64_t id, TimePoint at);
  void endListKey(std::uint64_t id);
  void removeListKey(std::uint64_t id);

private:
  store::Database& database_;
};

}  // namespace postern::listd
