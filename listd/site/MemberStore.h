#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"
#include "listd/plan/Decision.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct Member {
  std::uint64_t id = 0;
  std::uint64_t listId = 0;
  std::string address;  // lower case
  std::string name;
  std::string role = "member";
  bool enabled = true;
  std::optional<app::Protection> wish;  // the weakest protection that the member wants
  std::string protection;               // of the last look: "smime" "openpgp" "tls" "pickup" "none" "withheld"
  std::string reason;
  TimePoint joinedAt;
  std::string delivery = "each";  // "each" "none": no copies, but may post
  TimePoint pausedFrom;           // no copies between the two; zero: no pause
  TimePoint pausedUntil;
  bool receives = true;  // what follows from these now; see receivesAt()
};

// Whether a member gets copies at that moment by their own settings.
bool receivesAt(const Member& member, TimePoint now);

// How many members of a list stand alike.
struct MemberCount {
  std::string standing;  // "ready" "withheld" "disabled"
  std::string protection;
  std::string reason;
  std::uint64_t members = 0;
};

// Which part of a roster a page shows.
struct MemberFilter {
  std::string standing;  // "ready" "withheld" "disabled"; empty: all
  std::string prefix;    // of the address
};

struct MemberMatches {
  std::vector<Member> members;  // one page of them
  std::uint64_t total = 0;
};

// The statement that reads such a page, for the test that looks how SQLite answers it.
std::string memberPageSql(const MemberFilter& filter);

// One enabled member with the facts of all keys of the address, as the plan reads them.
struct MemberWithKeys {
  std::uint64_t memberId = 0;
  bool enabled = true;
  bool receives = true;
  std::string protection;  // as the member stands
  std::string reason;
  std::string_view address;  // valid during the call
  std::optional<app::Protection> wish;
  std::vector<KeyFacts> keys;
};

// Who is on which list. Pages are read by key, so the last page of 100,000 members costs what the first does.
// Threads: those of the connection. Errors: Error(Store).
class MemberStore {
public:
  explicit MemberStore(store::Database& database) : database_(database) {}

  std::uint64_t add(const Member& member, const Decision& decision);
  std::optional<Member> find(std::uint64_t listId, std::string_view address) const;
  std::optional<Member> find(std::uint64_t id) const;
  bool isEnabled(std::uint64_t listId, std::string_view address) const;
  bool remove(std::uint64_t listId, std::string_view address);
  // Writes name, state, wish, delivery and pause, and how the member stands.
  void update(const Member& member, const Decision& decision);
  void setStanding(const Member& member, const Decision& decision);
  // Begins and ends the pauses whose time has come.
  void refreshPauses(TimePoint now);

  // Up to `limit` members in the order of their addresses, those after `after`.
  std::vector<Member> page(std::uint64_t listId, const MemberFilter& filter, std::string_view after,
                           std::uint32_t limit) const;
  std::uint64_t count(std::uint64_t listId, const MemberFilter& filter) const;
  // Those with this part in address or name, letters in any case; looks at every member of the list once.
  MemberMatches withPart(std::uint64_t listId, std::string_view part, std::string_view after,
                         std::uint32_t limit) const;
  // As the fan-out plan shows them: the enabled members who are reached alike, behind `after`. `reason` may be empty.
  std::vector<Member> planPage(std::uint64_t listId, std::string_view protection, std::string_view reason,
                               std::string_view after, std::uint32_t limit) const;
  std::vector<MemberCount> counts(std::uint64_t listId) const;
  std::vector<MemberCount> countsOfSite() const;
  std::uint64_t countAll() const;

  // Every membership of the address, with the list's secure flag.
  struct Membership {
    Member member;
    bool secureList = true;
  };
  std::vector<Membership> membershipsOf(std::string_view address) const;

  // Every member of every list with an address in this domain, in lower case.
  std::vector<std::string> addressesIn(std::string_view domain) const;

  // Shows every enabled member who receives copies, in the order of joining. Holds one row at a time.
  void forEachEnabled(std::uint64_t listId, const std::function<void(const MemberWithKeys&)>& show) const;
  // Decides anew for every member of the list and writes what changed; how many.
  std::uint64_t restand(std::uint64_t listId, const std::function<Decision(const MemberWithKeys&)>& decide);

private:
  void forEach(std::string_view which, std::uint64_t listId,
               const std::function<void(const MemberWithKeys&)>& show) const;

  store::Database& database_;
};

}  // namespace postern::listd
