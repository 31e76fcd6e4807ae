#include "gateway/signin/GuessLimits.h"

#include <arpa/inet.h>

#include <algorithm>

namespace postern::gateway {

namespace {

constexpr std::chrono::hours ForgottenAfter{1};
constexpr std::uint32_t FreeOfNetwork = 5;
constexpr std::uint32_t FreeOfAccount = 20;
constexpr std::chrono::seconds LongestOfNetwork{900};
constexpr std::chrono::seconds LongestOfAccount{60};

std::string pairOf(std::string_view network, std::string_view name) {
  return std::string(name) + " " + std::string(network);
}

}  // namespace

std::string networkOf(std::string_view address) {
  const std::string text(address);
  in6_addr six{};
  if (::inet_pton(AF_INET6, text.c_str(), &six) != 1) return text.substr(0, text.rfind('.'));
  std::fill(std::begin(six.s6_addr) + 8, std::end(six.s6_addr), 0);
  char name[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET6, &six, name, sizeof name);
  return name;
}

std::chrono::seconds GuessLimits::waitFor(std::string_view network, std::string_view name, TimePoint now) const {
  auto until = now;
  if (const auto found = networks_.find(network); found != networks_.end())
    until = std::max(until, found->second.blockedUntil);
  if (const auto found = accounts_.find(name); found != accounts_.end() && !known_.contains(pairOf(network, name)))
    until = std::max(until, found->second.blockedUntil);
  return std::chrono::ceil<std::chrono::seconds>(until - now);
}

void GuessLimits::makeRoom(Table& table) {
  if (table.size() < MaxEntries) return;
  const auto oldest = std::min_element(table.begin(), table.end(),
                                       [](const auto& a, const auto& b) { return a.second.lastAt < b.second.lastAt; });
  table.erase(oldest);
}

void GuessLimits::count(Table& table, std::string_view key, std::uint32_t free, std::chrono::seconds longest,
                        TimePoint now) {
  auto found = table.find(key);
  if (found == table.end()) {
    makeRoom(table);
    found = table.emplace(std::string(key), Guesses{}).first;
  }
  auto& guesses = found->second;
  if (now - guesses.lastAt > ForgottenAfter) guesses.failures = 0;
  guesses.lastAt = now;
  if (++guesses.failures < free) return;
  const auto doublings = std::min<std::uint32_t>(guesses.failures - free, 12);
  guesses.blockedUntil = now + std::min(longest, std::chrono::seconds(2) * (std::int64_t{1} << doublings));
}

void GuessLimits::failed(std::string_view network, std::string_view name, TimePoint now) {
  count(networks_, network, FreeOfNetwork, LongestOfNetwork, now);
  count(accounts_, name, FreeOfAccount, LongestOfAccount, now);
}

// What others tried on the account stays counted; only this network is believed from now on.
void GuessLimits::succeeded(std::string_view network, std::string_view name, TimePoint now) {
  if (const auto found = networks_.find(network); found != networks_.end()) networks_.erase(found);
  if (known_.size() >= MaxEntries)
    known_.erase(std::min_element(known_.begin(), known_.end(),
                                  [](const auto& a, const auto& b) { return a.second < b.second; }));
  known_[pairOf(network, name)] = now;
}

}  // namespace postern::gateway
