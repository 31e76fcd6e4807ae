#include "gateway/report/TlsCounters.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace postern::gateway {
namespace {

using nlohmann::json;

constexpr std::string_view Suffix = ".json";

json jsonOf(const tlsrpt::OwnPolicy& own) {
  json failures = json::array();
  for (const auto& one : own.policy.failures)
    failures.push_back({one.type, one.receivingHost, one.receivingAddress, one.reason, one.sessions});
  return {{"type", own.policy.type},        {"domain", own.policy.domain}, {"successful", own.policy.successful},
          {"failed", own.policy.failed},    {"strings", own.strings},      {"hosts", own.mxHosts},
          {"failures", std::move(failures)}};
}

tlsrpt::OwnPolicy policyOf(const json& entry) {
  tlsrpt::OwnPolicy own;
  own.policy.type = entry.at("type");
  own.policy.domain = entry.at("domain");
  own.policy.successful = entry.at("successful");
  own.policy.failed = entry.at("failed");
  own.strings = entry.at("strings");
  own.mxHosts = entry.at("hosts");
  for (const auto& one : entry.at("failures"))
    own.policy.failures.push_back({one.at(0), {}, one.at(1), one.at(2), one.at(3), one.at(4)});
  return own;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += text + "\n";
  return all;
}

}  // namespace

std::int64_t dayOf(TimePoint at) {
  return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
}

TlsCounters::TlsCounters(std::filesystem::path folder, const Clock& clock, Limits limits)
    : folder_(std::move(folder)), clock_(clock), limits_(limits) {
  files::makePrivateFolder(folder_);
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    if (entry.path().extension() == Suffix) load(entry.path());
}

std::filesystem::path TlsCounters::fileOf(std::int64_t day) const {
  return folder_ / (std::to_string(day) + std::string(Suffix));
}

// A file that cannot be read costs the reports of its day, and nothing else.
void TlsCounters::load(const std::filesystem::path& file) {
  const auto name = file.stem().string();
  std::int64_t day = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), day);
  if (error != std::errc() || end != name.data() + name.size()) return;
  try {
    const auto entries = json::parse(files::read(file));
    const MutexLock lock(mutex_);
    auto& counters = days_[day];
    for (const auto& entry : entries) {
      Counted counted{policyOf(entry), {}};
      const auto& policy = counted.own.policy;
      for (std::size_t i = 0; i < policy.failures.size(); ++i) {
        const auto& one = policy.failures[i];
        counted.places[{one.type, one.receivingHost, one.receivingAddress, one.reason}] = i;
      }
      counters.policies.emplace(Key{policy.domain, policy.type, joined(counted.own.strings)}, std::move(counted));
    }
  } catch (const std::exception& fault) {
    log::warning("tls-reports", "counts of a day cannot be read", {{"file", file.string()}, {"why", fault.what()}});
  }
}

void TlsCounters::add(const TlsSession& session) {
  const MutexLock lock(mutex_);
  auto& day = days_[dayOf(clock_.now())];
  const Key key{session.domain, session.policyType, joined(session.strings)};
  auto found = day.policies.find(key);
  if (found == day.policies.end()) {
    if (day.policies.size() >= limits_.policies) return;
    Counted fresh;
    fresh.own.policy.type = session.policyType;
    fresh.own.policy.domain = session.domain;
    fresh.own.strings = session.strings;
    fresh.own.mxHosts = session.patterns;
    found = day.policies.emplace(key, std::move(fresh)).first;
  }
  day.changed = true;
  auto& counted = found->second;
  auto& policy = counted.own.policy;
  if (session.failure.empty()) {
    ++policy.successful;
    return;
  }
  ++policy.failed;
  const std::tuple place{session.failure, session.host, session.address, session.reason};
  if (const auto known = counted.places.find(place); known != counted.places.end()) {
    ++policy.failures[known->second].sessions;
  } else if (policy.failures.size() < limits_.failuresOfEach) {
    counted.places.emplace(place, policy.failures.size());
    policy.failures.push_back({session.failure, {}, session.host, session.address, session.reason, 1});
  }
}

void TlsCounters::flush() {
  std::map<std::int64_t, std::string> texts;
  {
    const MutexLock lock(mutex_);
    for (auto& [day, counters] : days_) {
      if (!std::exchange(counters.changed, false)) continue;
      auto entries = json::array();
      for (const auto& [key, counted] : counters.policies) entries.push_back(jsonOf(counted.own));
      texts.emplace(day, entries.dump(-1, ' ', false, json::error_handler_t::replace));
    }
  }
  for (const auto& [day, text] : texts) {
    try {
      files::replaceDurably(fileOf(day), text);
    } catch (const Error& error) {
      log::warning("tls-reports", "counts cannot be written down", {{"why", error.what()}});
      const MutexLock lock(mutex_);
      days_[day].changed = true;
    }
  }
}

TlsCounters::Day TlsCounters::of(std::int64_t day) const {
  const MutexLock lock(mutex_);
  Day result;
  const auto found = days_.find(day);
  if (found == days_.end()) return result;
  for (const auto& [key, counted] : found->second.policies) result[std::get<0>(key)].push_back(counted.own);
  return result;
}

std::vector<std::int64_t> TlsCounters::days() const {
  const MutexLock lock(mutex_);
  std::vector<std::int64_t> days;
  for (const auto& [day, counters] : days_) days.push_back(day);
  return days;
}

void TlsCounters::forget(std::int64_t day) {
  std::vector<std::int64_t> gone{day};
  {
    const MutexLock lock(mutex_);
    const auto oldest = dayOf(clock_.now()) - limits_.keptFor.count();
    for (const auto& [known, counters] : days_)
      if (known < oldest) gone.push_back(known);
    for (const auto one : gone) days_.erase(one);
  }
  std::error_code ignored;
  for (const auto one : gone) std::filesystem::remove(fileOf(one), ignored);
}

}  // namespace postern::gateway
