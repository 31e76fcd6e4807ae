#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"
#include "listd/plan/LadderRules.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct Domain {
  std::string name;
  std::string kind;  // "list" or "relay"
  TimePoint createdAt;
  std::uint64_t lists = 0;
};

// The mail domains that Postern receives for. Works on the connection it is given, inside the caller's transaction.
// Threads: those of the connection. Errors: Error(Store).
class DomainStore {
public:
  explicit DomainStore(store::Database& database) : database_(database) {}

  void add(const Domain& domain);
  std::optional<Domain> find(std::string_view name) const;
  std::vector<Domain> all() const;  // by name
  std::vector<std::string> names() const;
  // How copies of the lists of a domain are to be protected; nothing set for a domain that is not there.
  DomainProtection protection(std::string_view name) const;
  void setProtection(std::string_view name, const DomainProtection& protection);
  bool remove(std::string_view name);

private:
  store::Database& database_;
};

}  // namespace postern::listd
