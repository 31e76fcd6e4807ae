#include "listd/people/SignInThrottle.h"

#include <algorithm>
#include <vector>

namespace postern::listd {
namespace {

constexpr std::chrono::hours Memory{1};
constexpr std::chrono::seconds FirstBlock{15};
constexpr std::chrono::seconds LongestBlock{300};
constexpr std::chrono::days KnownFor{30};
constexpr std::uint32_t FreePerAccount = 5;
constexpr std::uint32_t FreePerClient = 20;  // an office may share one address

std::string clientSubject(const std::string& client) {
  return "client:" + client;
}
std::string knownSubject(const std::string& account, const std::string& client) {
  return "known:" + account + " " + client;
}
// A client from which the person signed in before is counted by itself, so that strangers cannot lock the person out.
std::string accountSubject(SiteTables& tables, const std::string& account, const std::string& client, TimePoint now) {
  const auto known = tables.accounts.guesses(knownSubject(account, client)).lastAt;
  return "account:" + account + (known + KnownFor > now ? " " + client : "");
}

struct Counted {
  std::string subject;
  std::uint32_t free;
};

// No account: what is tried needs no name (a passkey, an emergency code) and cannot be guessed; only the client counts.
std::vector<Counted> countedOf(SiteTables& tables, const std::string& account, const std::string& client,
                               TimePoint now) {
  std::vector<Counted> counted{{clientSubject(client), FreePerClient}};
  if (!account.empty()) counted.push_back({accountSubject(tables, account, client, now), FreePerAccount});
  return counted;
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
  const auto all = countedOf(tables, account, client, now);
  for (const auto& counted : all)
    if (tables.accounts.guesses(counted.subject).blockedUntil > now) return false;
  for (const auto& counted : all) charge(tables, counted.subject, counted.free, now);
  return true;
}

void refundSignIn(SiteTables& tables, const std::string& account, const std::string& client, TimePoint now) {
  for (const auto& [subject, free] : countedOf(tables, account, client, now)) {
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

void forgiveSignIn(SiteTables& tables, const std::string& account, const std::string& client, TimePoint now) {
  for (const auto& counted : countedOf(tables, account, client, now)) tables.accounts.forgetGuesses(counted.subject);
}

void rememberClient(SiteTables& tables, const std::string& account, const std::string& client, TimePoint now) {
  auto known = tables.accounts.guesses(knownSubject(account, client));
  known.lastAt = now;
  tables.accounts.setGuesses(knownSubject(account, client), known);
}

}  // namespace postern::listd
