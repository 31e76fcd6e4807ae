#include "listd/people/SignInThrottle.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::chrono::hours Memory{1};
constexpr std::chrono::seconds FirstBlock{15};
constexpr std::chrono::seconds LongestBlock{300};
constexpr std::uint32_t FreePerAccount = 5;
constexpr std::uint32_t FreePerClient = 20;  // an office may share one address

std::string accountSubject(const std::string& account) {
  return "account:" + account;
}
std::string clientSubject(const std::string& client) {
  return "client:" + client;
}

// The command line has no address: who has a shell here need not be slowed.
std::string tokenSubject(const std::string& client) {
  return client.empty() ? std::string() : "token:" + client;
}

std::chrono::seconds blockAfter(std::uint32_t failures, std::uint32_t free) {
  if (failures < free) return std::chrono::seconds(0);
  return std::min(FirstBlock * (1 << std::min<std::uint32_t>(failures - free, 5)), LongestBlock);
}

void charge(SiteTables& tables, const std::string& subject, std::uint32_t free, TimePoint now) {
  auto guesses = tables.accounts.guesses(subject);
  if (guesses.lastAt + Memory < now) guesses = {};
  ++guesses.failures;
  guesses.lastAt = now;
  guesses.blockedUntil = now + blockAfter(guesses.failures, free);
  tables.accounts.setGuesses(subject, guesses);
}

}  // namespace

bool chargeSignIn(SiteTables& tables, const std::string& account, const std::string& client, TimePoint now) {
  for (const auto& subject : {accountSubject(account), clientSubject(client)})
    if (tables.accounts.guesses(subject).blockedUntil > now) return false;
  charge(tables, accountSubject(account), FreePerAccount, now);
  charge(tables, clientSubject(client), FreePerClient, now);
  return true;
}

void refundSignIn(SiteTables& tables, const std::string& account, const std::string& client, TimePoint now) {
  for (const auto& subject : {accountSubject(account), clientSubject(client)}) {
    auto guesses = tables.accounts.guesses(subject);
    if (guesses.failures == 0) continue;
    --guesses.failures;
    guesses.blockedUntil = now;  // it was not blocked, or the attempt would not have been judged
    tables.accounts.setGuesses(subject, guesses);
  }
}

bool tokensAreBlocked(SiteTables& tables, const std::string& client, TimePoint now) {
  const auto subject = tokenSubject(client);
  return !subject.empty() && tables.accounts.guesses(subject).blockedUntil > now;
}

void chargeToken(SiteTables& tables, const std::string& client, TimePoint now) {
  if (const auto subject = tokenSubject(client); !subject.empty()) charge(tables, subject, FreePerClient, now);
}

void forgiveSignIn(SiteTables& tables, const std::string& account, const std::string& client) {
  tables.accounts.forgetGuesses(accountSubject(account));
  tables.accounts.forgetGuesses(clientSubject(client));
}

}  // namespace postern::listd
