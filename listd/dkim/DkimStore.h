#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A key that signs mail of one domain. Its private half is in keys.db under dkimKeyName().
struct DkimKey {
  std::uint64_t id = 0;
  std::string domain;
  std::string selector;
  std::string kind;               // "rsa" "ed25519"
  std::string service = "email";  // or "tlsrpt": reports on TLS alone
  std::string state = "waiting";  // "waiting" "active" "former" "retired"
  std::string record;             // the TXT record
  TimePoint madeAt;
  TimePoint activeAt;
  TimePoint endsAt;
  TimePoint checkedAt;
  std::string found;  // "" "same" "missing" "other" "failed"

  std::string name() const { return selector + "._domainkey." + domain; }
};
std::string dkimKeyName(const DkimKey& key);

// Whether mail is signed. Required: mail waits where it cannot be signed.
enum class Signing : std::uint8_t { On, Off, Required };
const char* signingWord(Signing signing);
std::optional<Signing> parseSigning(std::string_view word);

// Keys and switches of DKIM. Threads: those of the connection. Errors: Error(Store).
class DkimStore {
public:
  explicit DkimStore(store::Database& database) : database_(database) {}

  std::uint64_t add(const DkimKey& key);
  std::optional<DkimKey> find(std::string_view domain, std::string_view selector) const;
  std::vector<DkimKey> all() const;  // by domain, newest last
  std::vector<DkimKey> ofDomain(std::string_view domain) const;
  std::vector<DkimKey> active(std::string_view domain, std::string_view service) const;
  void update(const DkimKey& key);  // state, times and what was found

  struct Switch {
    std::string subject;
    Signing signing = Signing::On;
  };
  void set(std::string_view subject, std::optional<Signing> signing);  // nothing: as without one
  std::vector<Switch> switches() const;
  // What holds for a list, or with an empty address for a domain.
  Signing signingOf(std::string_view list, std::string_view domain) const;

private:
  std::optional<Signing> switchOf(std::string_view subject) const;

  store::Database& database_;
};

}  // namespace postern::listd
