#pragma once
#include "core/base/Mutex.h"
#include "core/mail/Address.h"
#include "listd/expand/Intake.h"
#include "listd/probe/AskLimit.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Takes what people of the site write here for recipients elsewhere, and puts it where mail of a relay goes: a post of
// kind domain under a secure list, in the vault and planned before send() returns. Each form once: a second send() with
// its key changes nothing. At most 100 messages and 1,000 recipients an hour of one account.
// Threads: safe for all. Errors: refuses with OrderRefused; throws what Intake does.
class Outbox {
public:
  struct Letter {
    std::string account;
    std::string client;  // address that the person comes from; empty: this machine
    std::string key;     // of the form; of another account the same words are another key
    std::string list;    // the secure list's address
    mail::Address from;
    std::vector<std::string> recipients;  // mail::Address::key()
    std::string messageId;                // idFor(): tells whether a form that comes again says the same
    std::string message;
  };
  struct Sent {
    std::uint64_t post = 0;
    bool again = false;  // it was sent before
  };

  Outbox(SiteContext& context, Intake& intake) : context_(context), intake_(intake) {}

  Sent send(const Letter& letter);

  // The Message-ID of what one form sends: the same for the same content.
  static std::string idFor(std::string_view account, std::string_view key, std::string_view content,
                           std::string_view domain);

private:
  SiteContext& context_;
  Intake& intake_;
  Mutex mutex_;
  AskLimit messages_ GUARDED_BY(mutex_){100, std::chrono::minutes(60)};
  AskLimit recipients_ GUARDED_BY(mutex_){1000, std::chrono::minutes(60)};
};

}  // namespace postern::listd
