#include "gateway/inspect/Dnsbl.h"

#include "core/base/Log.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace postern::gateway {
namespace {

constexpr std::chrono::minutes Remembered{5};
constexpr std::size_t MostRemembered = 20'000;

std::optional<unsigned> byteOf(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > 255) return std::nullopt;
  return value;
}

}  // namespace

std::optional<DnsblReply> DnsblReply::parse(std::string_view text) {
  const auto dash = std::min(text.find('-'), text.size());
  const auto first = text.substr(0, dash);
  const auto dot = first.rfind('.');
  in_addr address{};
  if (dot == std::string_view::npos || inet_pton(AF_INET, std::string(first).c_str(), &address) != 1) return {};
  const auto from = byteOf(first.substr(dot + 1));
  const auto to = dash == text.size() ? from : byteOf(text.substr(dash + 1));
  if (!from || !to || *to < *from) return std::nullopt;
  return DnsblReply{std::string(first.substr(0, dot + 1)), *from, *to};
}

bool DnsblReply::matches(std::string_view address) const {
  if (!address.starts_with(net)) return false;
  const auto last = byteOf(address.substr(net.size()));
  return last && *last >= from && *last <= to;
}

std::string dnsblName(std::string_view address) {
  constexpr std::string_view Mapped = "::ffff:";
  if (address.starts_with(Mapped) && address.find('.') != std::string_view::npos) address.remove_prefix(Mapped.size());
  const std::string text(address);
  std::array<unsigned char, 16> bytes{};
  std::string name;
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    for (int i = 3; i >= 0; --i) name += std::to_string(bytes[static_cast<std::size_t>(i)]) + (i > 0 ? "." : "");
    return name;
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return {};
  constexpr std::string_view Digits = "0123456789abcdef";
  for (int i = 15; i >= 0; --i) {
    const unsigned byte = bytes[static_cast<std::size_t>(i)];
    for (const unsigned digit : {byte & 15U, byte >> 4U}) name += std::string(name.empty() ? "" : ".") + Digits[digit];
  }
  return name;
}

std::optional<policy::ReputationFacts> Dnsbl::look(std::string_view client) {
  const auto reversed = settings_.zones.empty() ? std::string() : dnsblName(client);
  if (reversed.empty()) return std::nullopt;
  const auto now = std::chrono::steady_clock::now();
  {
    const MutexLock lock(mutex_);
    if (const auto found = known_.find(reversed); found != known_.end() && found->second.until > now)
      return found->second.facts;
  }
  bool whole = true;
  auto facts = ask(reversed, whole);
  const MutexLock lock(mutex_);
  if (known_.size() >= MostRemembered) known_.clear();
  // What a zone did not say is asked again soon, but not by each recipient of a transaction.
  constexpr std::chrono::seconds AskedAgain{20};
  known_[reversed] = {facts, std::chrono::steady_clock::now() + (whole ? Remembered : AskedAgain)};
  return facts;
}

policy::ReputationFacts Dnsbl::ask(const std::string& reversed, bool& whole) {
  const auto deadline = std::chrono::steady_clock::now() + settings_.timeLimit;
  policy::ReputationFacts facts;
  for (const auto& zone : settings_.zones) {
    if (std::chrono::steady_clock::now() >= deadline) {
      whole = false;
      break;
    }
    const auto answer = resolver_.addresses(reversed + "." + zone.name);
    const bool failed = answer.outcome == net::DnsOutcome::Failed || answer.outcome == net::DnsOutcome::Bogus;
    if (failed) {
      whole = false;
      log::warning("dnsbl", "a zone does not answer; its weight does not count",
                   {{"zone", zone.name}, {"problem", answer.problem}});
    }
    const bool listed = std::any_of(answer.records.begin(), answer.records.end(), [&](const std::string& address) {
      return std::any_of(zone.replies.begin(), zone.replies.end(),
                         [&](const DnsblReply& reply) { return reply.matches(address); });
    });
    if (failed || !listed) continue;
    facts.score += zone.weight;
    if (std::find(facts.zones.begin(), facts.zones.end(), zone.name) == facts.zones.end())
      facts.zones.push_back(zone.name);
  }
  return facts;
}

}  // namespace postern::gateway
