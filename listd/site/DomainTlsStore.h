#pragma once
#include "core/app/DomainTls.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// What the site says of a domain's TLS, above what the gateway finds out.
struct DomainMark {
  enum class Mark : std::uint8_t {
    Trusted,     // a certificate that is valid for the name of the MX host is enough
    Distrusted,  // TLS does not count as a protection
  };
  std::string domain;
  Mark mark = Mark::Trusted;
  std::string reason;
  TimePoint setAt;
  std::string setBy;
};
// How the last attempt to deliver to a domain ended.
struct DomainDelivery {
  std::string domain;
  TimePoint at;
  std::string outcome;  // of core/app/GatewayLink.h
  std::string host;
  std::string tlsVersion;
  std::string verification;
  std::string reply;
};

const char* markWord(DomainMark::Mark mark);  // "trusted" "distrusted"

// What is known of the TLS of recipients' domains. Domains in lower case.
// Invariant: what find() and all() give is what may count: a distrusted domain has means None, whatever was found out.
// Threads: those of the connection. Errors: Error(Store).
class DomainTlsStore {
public:
  explicit DomainTlsStore(store::Database& database) : database_(database) {}

  std::optional<app::DomainTls> find(std::string_view domain) const;  // nothing: never asked and not distrusted
  std::vector<app::DomainTls> all() const;                            // by name, what find() gives for each
  // Replaces what was found out, unless something newer is known. False: nothing of it was new but the time.
  bool note(const app::DomainTls& found);

  // The last whole probe as JSON; empty: none.
  std::string report(std::string_view domain) const;
  void setReport(std::string_view domain, std::string_view report);  // REQUIRES: note() has made the row
  // The row is as good as never asked; used when a mark changes what would be found out.
  void forget(std::string_view domain);

  void noteDelivery(const DomainDelivery& delivery);  // replaces the last one
  std::optional<DomainDelivery> lastDelivery(std::string_view domain) const;

  struct Unsealed {
    std::string domain;
    TimePoint checkedAt;  // zero: never asked
  };
  // The domains of those members of a list to whom nothing is sealed, or of those among them who wish for TLS; without
  // the distrusted ones, where no answer would change anything.
  std::vector<Unsealed> unsealedOf(std::uint64_t listId, bool wishOnly) const;

  void setMark(const DomainMark& mark);  // replaces the domain's other mark
  bool removeMark(std::string_view domain);
  std::optional<DomainMark> mark(std::string_view domain) const;
  std::vector<DomainMark> marks() const;  // by name

private:
  store::Database& database_;
};

}  // namespace postern::listd
