#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "listd/expand/GatewayControl.h"
#include "listd/probe/AskLimit.h"
#include "listd/site/SiteContext.h"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace postern::listd {

// Has the gateway ask the mail servers of domains for their TLS and keeps what came of it: when somebody wants to know,
// and by itself for the domains that decide how members are reached (DueDomains): at once when such a member comes, and
// when what is known is older than a day.
// Ownership: context and control must outlive it. Threads: safe for all; its own does the work. Errors: a gateway that
// is away is told to who asks; what is known stays.
class DomainProbes {
public:
  DomainProbes(SiteContext& context, GatewayControl& control);
  ~DomainProbes();

  void start(const std::string& domain);  // lower case; nothing if it is under way

  enum class Answer : std::uint8_t { Yes, TooOftenDomain, TooOftenPerson };
  // Whether somebody may have the domain asked now, counted if so: other sites' servers are not to be bothered by our
  // people. `person` empty: staff, whom only the domain limits.
  Answer mayAsk(const std::string& person, const std::string& domain);

  // Members came, or rules or marks changed: what is due is looked for soon.
  void lookForDue();

  struct State {
    bool running = false;
    std::string progress;  // a plain sentence: how far it is, or why the last one came to nothing
  };
  State state(const std::string& domain) const;

private:
  static constexpr std::size_t AtOnce = 4;
  struct Running {
    bool asked = false;
    bool answered = false;                           // and in found_
    std::chrono::steady_clock::time_point giveUpAt;  // zero: its turn has not come
  };

  void run(const std::stop_token& stop);
  std::vector<std::pair<std::string, bool>> atHand();
  void look(const std::string& domain, bool fresh);
  void keepFound();
  bool startDue();  // whether more are due
  void beginDue();

  SiteContext& context_;
  GatewayControl& control_;
  mutable Mutex mutex_;
  Condition wake_;
  std::map<std::string, Running> running_ GUARDED_BY(mutex_);
  std::map<std::string, std::string> progress_ GUARDED_BY(mutex_);
  std::vector<app::DomainProbe> found_;  // of the thread alone
  std::chrono::steady_clock::time_point foundSince_;
  std::deque<std::string> due_ GUARDED_BY(mutex_);  // found and not begun, the longest unasked first
  bool lookAnew_ GUARDED_BY(mutex_) = false;
  AskLimit domainLimit_ GUARDED_BY(mutex_);
  AskLimit personLimit_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point nextDue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
