#pragma once
#include "core/mail/Message.h"
#include "core/mailauth/Authentication.h"
#include "core/net/Resolver.h"
#include "core/policy/Verdict.h"
#include "gateway/inspect/DnsBreaker.h"
#include "gateway/smtp/Ports.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

namespace postern::gateway {

// Which mail is checked for being of whom it says: none, mail from other machines, or mail of this machine, too.
enum class SenderCheckScope : std::uint8_t { Off, Outside, All };
std::optional<SenderCheckScope> parseSenderCheckScope(std::string_view word);  // "off", "outside", "all"

// SPF, DKIM, DMARC and ARC of messages at the door. Mail of relays is exempt: the site vouches for it.
// Where the DNS is dead, or as many messages as may be are being checked, nothing is asked, and each check whose answer
// is missing is a temperror: so neither a dead DNS nor tarpits of senders hold the workers that sessions need.
// Ownership: what the constructor gets must outlive it. Threads: safe for all; check() blocks, never longer than the
// time limit.
class SenderChecks {
public:
  struct Settings {
    SenderCheckScope scope = SenderCheckScope::Outside;
    std::string authservId;  // the host name
    std::chrono::milliseconds timeLimit{5000};
    int atOnce = 64;  // half of the workers
  };
  SenderChecks(Settings settings, net::Resolver& resolver, const Directory& directory, const Clock& clock)
      : settings_(std::move(settings)), resolver_(resolver), directory_(directory), clock_(clock), breaker_([this] {
          return answersAtAll();
        }) {}

  // Nothing: the client is exempt.
  std::optional<mailauth::Authentication> check(const InspectionFacts& facts, const mail::Message& message) const;

  // The message without Authentication-Results that claim to be ours, below ours if there are any. Nothing when it
  // stays as it is.
  std::optional<std::string> rewrite(const InspectionFacts& facts, const mail::Message& message,
                                     const std::optional<mailauth::Authentication>& results) const;

  // As policies are told.
  policy::AuthenticationFacts described(const mailauth::Authentication& results) const;

  // Plain sentences for status; empty when all is well.
  std::vector<std::string> problems() const;

private:
  bool answersAtAll() const;

  const Settings settings_;
  net::Resolver& resolver_;
  const Directory& directory_;
  const Clock& clock_;
  mutable DnsBreaker breaker_;
  mutable std::atomic<int> running_ = 0;
  mutable std::atomic<std::uint64_t> crowdedOut_ = 0;
};

}  // namespace postern::gateway
