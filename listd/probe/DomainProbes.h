#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "listd/expand/GatewayControl.h"
#include "listd/site/SiteContext.h"

#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace postern::listd {

// Has the gateway ask the mail servers of domains for their TLS and keeps what came of it: when somebody wants to know,
// and each hour for what is older than a day, and for the domains of members to whom nothing can be sealed.
// Ownership: context and control must outlive it. Threads: safe for all; its own does the work. Errors: a gateway that
// is away is told to who asks; what is known stays.
class DomainProbes {
public:
  DomainProbes(SiteContext& context, GatewayControl& control);
  ~DomainProbes();

  void start(const std::string& domain);  // lower case; nothing if it is under way

  struct State {
    bool running = false;
    std::string progress;  // a plain sentence: how far it is, or why the last one came to nothing
  };
  State state(const std::string& domain) const;

private:
  static constexpr std::size_t AtOnce = 4;
  struct Running {
    bool asked = false;
    std::chrono::steady_clock::time_point giveUpAt;
  };

  void run(const std::stop_token& stop);
  std::vector<std::pair<std::string, bool>> atHand();
  void look(const std::string& domain, bool fresh);
  void keep(const app::DomainProbe& probe);
  void startDue();

  SiteContext& context_;
  GatewayControl& control_;
  mutable Mutex mutex_;
  Condition wake_;
  std::map<std::string, Running> running_ GUARDED_BY(mutex_);
  std::map<std::string, std::string> progress_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
