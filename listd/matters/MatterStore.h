#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct Matter {
  std::uint64_t id = 0;
  std::string name;
  std::string description;
  bool open = true;
  TimePoint createdAt;
  std::string createdBy;
  TimePoint closedAt;  // zero: open
};

struct Custodian {
  std::uint64_t matterId = 0;
  std::string address;  // lower case
  std::string name;
  TimePoint addedAt;
};

struct MatterNote {
  TimePoint at;
  std::string person;
  std::string text;
};

struct MatterAct {
  TimePoint at;
  std::string person;
  std::string act;  // the order's name
  std::string words;
  std::uint64_t holdId = 0;
};

// Matters with their people, notes and log. Threads: those of the connection. Errors: Error(Store).
class MatterStore {
public:
  explicit MatterStore(store::Database& database) : database_(database) {}

  std::uint64_t add(const Matter& matter);  // with the id that it has, if it has one
  std::optional<Matter> find(std::uint64_t id) const;
  std::vector<Matter> all() const;    // newest first
  void update(const Matter& matter);  // name, description, state

  bool addCustodian(const Custodian& custodian);  // false: is one already
  bool removeCustodian(std::uint64_t matterId, std::string_view address, TimePoint at);
  std::vector<Custodian> custodiansOf(std::uint64_t matterId) const;

  void setTeam(std::uint64_t matterId, const std::vector<std::string>& persons);
  std::vector<std::string> teamOf(std::uint64_t matterId) const;
  void addNote(std::uint64_t matterId, const MatterNote& note);
  std::vector<MatterNote> notesOf(std::uint64_t matterId) const;
  void addAct(std::uint64_t matterId, const MatterAct& act);
  std::vector<MatterAct> actsOf(std::uint64_t matterId) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
