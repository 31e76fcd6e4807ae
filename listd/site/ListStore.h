#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"
#include "listd/compose/ListShape.h"
#include "listd/plan/LadderRules.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct List {
  std::uint64_t id = 0;
  std::string address;  // lower case
  std::string domain;
  std::string displayName;
  std::string description;
  bool secure = true;
  std::string sensitivity = "moderate";  // class: "low" "moderate" "high"
  bool open = true;                      // state: takes posts
  bool anyonePosts = false;              // posting: "anyone" or "members"
  TimePoint createdAt;
  std::string certificate;  // DER, with which the list signs
  std::string fingerprint;
  TimePoint certificateEnds;
  std::string openPgpKey;  // binary, with which the list signs OpenPGP copies; empty: not made yet
  std::string openPgpFingerprint;
  std::string certificateChain;            // PEM of the CA's certificates, nearest first; empty: self-signed
  std::string smimeKeyName = "smime";      // in keys.db
  std::string openPgpKeyName = "openpgp";  // in keys.db
  bool publishKeys = false;                // strangers may have the public keys
  ListProtection protection;
  ListShape shape;
  std::string language;  // in which mail about it is written, one of Languages; empty: the site's
  TimePoint deletedAt;   // zero: not; else closed and hidden until nothing of it is kept
};

// The lists of the site. Threads: those of the connection. Errors: Error(Store).
class ListStore {
public:
  explicit ListStore(store::Database& database) : database_(database) {}

  std::uint64_t add(const List& list);
  std::optional<List> find(std::string_view address) const;
  std::optional<List> find(std::uint64_t id) const;
  std::vector<List> all() const;  // by address
  std::uint64_t count() const;
  // Writes what may change: display name, description, class, state, posting, protection, shape.
  void update(const List& list);
  void setOpenPgpKey(std::uint64_t id, std::string_view key, std::string_view fingerprint,
                     std::string_view name = "openpgp");
  // Writes certificate, fingerprint, end, chain and the name of the key.
  void setSmimeKey(const List& list);
  void setPublishKeys(std::uint64_t id, bool publish);
  void setDeleted(std::uint64_t id, TimePoint at);

private:
  store::Database& database_;
};

}  // namespace postern::listd
