#pragma once
#include "core/app/Orders.h"
#include "core/base/Mutex.h"
#include "core/mail/Address.h"
#include "listd/expand/Intake.h"
#include "listd/expand/WorkerLink.h"
#include "listd/probe/AskLimit.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Takes what people of the site write here for recipients elsewhere, and puts it where mail of a relay goes: a post of
// kind domain under a secure list, in the vault and planned before send() returns. Each form once: a second send() with
// its key changes nothing. The site's policies are asked first; what they refuse, or cannot judge, is not taken. At
// most 100 messages and 1,000 recipients an hour of one account. Threads: safe for all. Errors: refuses with
// OrderRefused; throws what Intake does.
class Outbox {
public:
  struct Letter {
    std::string account;
    std::string client;  // address that the person comes from; empty: this machine
    app::HttpsFacts https;
    std::string key;   // of the form; of another account the same words are another key
    std::string list;  // the secure list's address
    mail::Address from;
    std::vector<std::string> recipients;  // mail::Address::key()
    std::string messageId;                // idFor(): tells whether a form that comes again says the same
    std::string message;
  };
  struct Sent {
    std::uint64_t post = 0;
    bool again = false;  // it was sent before
  };

  using Judge = std::function<app::Judgement(const app::Submission&)>;

  Outbox(SiteContext& context, Intake& intake, Judge judge)
      : context_(context), intake_(intake), judge_(std::move(judge)) {}

  Sent send(const Letter& letter);
  // What the policies say of a letter that is not sent yet. Nothing is taken or counted. Nothing: they are not asked
  // again so soon (300 times an hour of one account).
  std::optional<app::Judgement> consult(const Letter& letter);

  // The Message-ID of what one form sends: the same for the same content.
  static std::string idFor(std::string_view account, std::string_view key, std::string_view content,
                           std::string_view domain);

private:
  std::optional<Sent> findSent(const Letter& letter) const;

  SiteContext& context_;
  Intake& intake_;
  const Judge judge_;
  Mutex mutex_;
  AskLimit consulted_ GUARDED_BY(mutex_){300, std::chrono::minutes(60)};
  AskLimit messages_ GUARDED_BY(mutex_){100, std::chrono::minutes(60)};
  AskLimit recipients_ GUARDED_BY(mutex_){1000, std::chrono::minutes(60)};
};

// Over a connection of its own, so that nothing else waits for a slow policy.
Outbox::Judge judgeByGateway(const GatewayAddress& address);

}  // namespace postern::listd
