#pragma once
#include "core/app/Orders.h"
#include "core/base/Clock.h"

#include <chrono>
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
  std::string decision;  // what the decider said, or why it failed
  TimePoint decidedAt;
  std::chrono::seconds delay{0};  // between approval and effect: 7 days for shortening rules
  TimePoint effectiveAt;
  bool lone = false;               // made when nobody else could decide: decided by its time
  TimePoint decideAt;              // when, for a lone one
  std::uint64_t announcement = 0;  // the mail to the outside address; until it is delivered nothing is decided by time
  bool confidential = false;       // about something silent: shown to officers and approvers only
};

// The work queue of approvals. A person never decides what the same person asked for, whichever session or token they
// use. On a one-person site the request is decided by time: seven days after it was made, with mail to the outside
// address ([records] outside_address), in which a link withdraws it. When a second person has come by then, that person
// decides. One object for the site: SiteContext::requests. Threads: those of the tables.
class Requests {
public:
  static constexpr std::chrono::days LoneWait{7};
  static constexpr std::string_view DecidedByTime = "(time)";  // decider of a lone request

  // Carries out an approved request in the deciding transaction; `at` is when it takes effect. May throw OrderRefused:
  // then the decision is refused with it, or, when its time has come, the request has failed.
  using Execute = std::function<void(OrderTools&, SiteTables&, const Request&, TimePoint at)>;
  struct Kind {
    std::string name;
    Execute execute;
    bool executeAtOnce = true;  // false: only when effectiveAt has come (Housekeeping)
    bool aloneToo = true;       // false: refused on a one-person site, since only a second person can allow it
    // Decided by time, as on a one-person site, also where several people work and none of them may decide.
    bool timeIfNobodyMay = false;
    // Always decided by time: nobody makes it come sooner, an approver can refuse it, and all who work here are told.
    bool byTimeOnly = false;
  };

  Requests();  // with the kinds of listd/requests/Kinds.cpp, one line for each subject

  void add(Kind kind);
  // In the caller's transaction. Returns the request with its id. Refuses the order when nobody could ever decide it.
  Request make(OrderTools& tools, SiteTables& tables, Request request) const;
  Request decide(OrderTools& tools, SiteTables& tables, std::uint64_t id, bool approve, const std::string& person,
                 const std::string& words) const;
  // Only by the person who asked, or through the link in the mail to the outside address.
  Request withdraw(OrderTools& tools, SiteTables& tables, std::uint64_t id, const std::string& person,
                   const std::string& words) const;
  Request withdrawByLink(OrderTools& tools, SiteTables& tables, std::string_view token) const;
  // Puts a question or an answer to a request that waits.
  Request ask(OrderTools& tools, SiteTables& tables, std::uint64_t id, const std::string& person,
              const std::string& words) const;
  // Requests whose time has come (executeAtOnce == false, one-person sites), and weekly reminders. Called each minute,
  // outside of a transaction.
  void runDue(OrderTools& tools, TimePoint now) const;

private:
  const Kind& kindOf(const std::string& name) const;
  bool isLone(SiteTables& tables, const Request& request) const;
  void runOne(OrderTools& tools, std::uint64_t id, TimePoint now) const;
  void decideByTime(OrderTools& tools, SiteTables& tables, Request request, TimePoint now) const;
  Request approve(OrderTools& tools, SiteTables& tables, Request request, const std::string& decider,
                  const std::string& words, TimePoint at) const;
  std::map<std::string, Kind, std::less<>> kinds_;
};

// One person who works on the site.
struct Staff {
  std::string name;
  std::string mail;  // empty: not known
  bool approver = false;
};
// Enabled accounts of people, sealed emergency accounts aside. One of them, or none: a one-person site.
std::vector<Staff> siteStaff(SiteTables& tables);
// Whom a request is about, if it says so (payload "person"): that person does not decide it either. Else empty.
std::string personConcerned(const Request& request);
// Whether an approver is there who neither asked nor is concerned.
bool somebodyMayDecide(SiteTables& tables, const Request& request);
// Whether the names mean one person: accounts are compared without regard to case.
bool samePerson(std::string_view left, std::string_view right);

nlohmann::json viewOf(const Request& request);

}  // namespace postern::listd
