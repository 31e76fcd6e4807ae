#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"
#include "listd/site/MemberStore.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct FormerMember {
  std::uint64_t id = 0;
  std::uint64_t listId = 0;
  std::string address;
  std::string name;
  std::string role;
  TimePoint joinedAt;
  TimePoint removedAt;
  std::string removedBy;
};

// Who was on which list. Threads: those of the connection. Errors: Error(Store).
class FormerMemberStore {
public:
  explicit FormerMemberStore(store::Database& database) : database_(database) {}

  void add(const Member& member, TimePoint removedAt, std::string_view removedBy);
  std::vector<FormerMember> ofList(std::uint64_t listId) const;
  std::vector<FormerMember> removedBefore(TimePoint before) const;
  bool anyOfList(std::uint64_t listId) const;
  void clear(std::uint64_t id);  // only by clearFormerMembers()

private:
  store::Database& database_;
};

}  // namespace postern::listd
