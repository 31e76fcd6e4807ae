#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Where the members of a list come from by themselves: entries of an LDAP directory of the site.
struct MemberSource {
  std::uint64_t listId = 0;
  std::string directory;  // name of a Directory, which has address, sign-in and authorities
  std::string base;
  std::string filter;  // RFC 4515
  std::string mailAttribute = "mail";
  std::string nameAttribute = "cn";
  std::string pattern;  // of Bans.h: only addresses that it fits; empty: all
  std::uint32_t everyHours = 24;
  TimePoint madeAt;
  std::string madeBy;
  TimePoint checkedAt;  // zero: never
  std::string state;    // "" (never) "ok" "failed" "stopped"
  std::string outcome;  // of the last time, a plain sentence
};

// Sources of members, and who took themselves off a list after a source brought them. Threads: those of the connection.
// Errors: Error(Store).
class MemberSourceStore {
public:
  explicit MemberSourceStore(store::Database& database) : database_(database) {}

  void set(const MemberSource& source);  // replaces the list's
  std::optional<MemberSource> find(std::uint64_t listId) const;
  std::vector<MemberSource> all() const;
  bool remove(std::uint64_t listId);
  void noteRun(std::uint64_t listId, TimePoint at, std::string_view state, std::string_view outcome);

  void noteBrought(std::uint64_t listId, std::string_view address);
  std::vector<std::string> broughtTo(std::uint64_t listId) const;
  // A member left by themselves: whom a source brought, it does not bring back.
  void noteDeparture(std::uint64_t listId, std::string_view address, TimePoint at);
  // A person wants the address on the list: no source takes it off or keeps it off any more.
  void forget(std::uint64_t listId, std::string_view address);
  void forgetEverywhere(std::string_view address);
  std::vector<std::string> departedFrom(std::uint64_t listId) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
