#pragma once
#include "core/app/Orders.h"
#include "core/base/Clock.h"

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct SiteTables;
struct OrderTools;

// Something that needs a second person, in the work queue.
struct Request {
  std::uint64_t id = 0;
  std::string kind;        // "rule.change" "hold.release" "retention.run" "disposition.review" "log.restore" …
  nlohmann::json payload;  // what will be done; private to the kind
  nlohmann::json before;   // for people: what is now …
  nlohmann::json after;    // … and what would be
  nlohmann::json whatIf;   // stored what-if summary; null: none
  std::string title;       // one sentence
  std::string reason;
  std::string requester;  // person (account name)
  TimePoint createdAt;
  std::string state;  // "waiting" "approved" (in force at effectiveAt) "done" "refused" "withdrawn" "failed"
  std::string decider;
  std::string decision;  // what the decider said
  TimePoint decidedAt;
  std::chrono::seconds delay{0};  // between approval and effect: 7 days for shortening rules
  TimePoint effectiveAt;
};

// The work queue of approvals. A person never decides what the same person asked for, whichever session or token they
// use. On a one-person site the request is decided by time: seven days after it was made, with mail to the outside
// address. Threads: those of the tables.
class Requests {
public:
  // Carries out an approved request in the deciding transaction; `at` is when it takes effect.
  using Execute = std::function<void(OrderTools&, SiteTables&, const Request&, TimePoint at)>;
  struct Kind {
    std::string name;
    Execute execute;
    bool executeAtOnce = true;  // false: only when effectiveAt has come (Housekeeping)
  };

  void add(Kind kind);  // at start
  // In the caller's transaction. Returns the request with its id.
  Request make(OrderTools& tools, SiteTables& tables, Request request) const;
  Request decide(OrderTools& tools, SiteTables& tables, std::uint64_t id, bool approve, const std::string& person,
                 const std::string& words) const;
  // Requests whose time has come (executeAtOnce == false, one-person sites). Called each minute.
  void runDue(OrderTools& tools, TimePoint now) const;

private:
  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace postern::listd
