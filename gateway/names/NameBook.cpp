#include "gateway/names/NameBook.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/base/Metrics.h"
#include "core/base/Periodic.h"
#include "gateway/ServerCertificate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace postern::gateway {

namespace {

using nlohmann::json;

std::string dayText(TimePoint at) {
  return formatRfc3339(at).substr(0, 10);
}

// /24 or /64, which is how far an administrator has to look.
std::string networkOf(std::string_view client) {
  const std::string text(client);
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> shown{};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    bytes[3] = 0;
    ::inet_ntop(AF_INET, bytes.data(), shown.data(), shown.size());
    return std::string(shown.data()) + "/24";
  }
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return "others";
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  ::inet_ntop(AF_INET6, bytes.data(), shown.data(), shown.size());
  return std::string(shown.data()) + "/64";
}

const char* useWord(ServerNames::Use use) {
  switch (use) {
    case ServerNames::Use::Session:
      return "session";
    case ServerNames::Use::Message:
      return "message";
    case ServerNames::Use::Refusal:
      return "refusal";
  }
  return "";
}

void lookAtCertificate(const config::SiteConfig::Alias& alias, app::ServerNameUse& use) {
  use.hasCertificate = !alias.certificate.empty();
  if (!use.hasCertificate) return;
  try {
    const auto certificate = firstCertificate(alias.certificate);
    if (certificate)
      use.certificateEnds = certificate->notAfter();
    else
      use.certificateProblem = certificate.error().message;
  } catch (const Error& error) {
    use.certificateProblem = error.message();
  }
}

}  // namespace

NameBook::NameBook(const config::SiteConfig& config, const Clock& clock, Limits limits)
    : clock_(clock), limits_(limits), file_(config.path("gateway/names.json")) {
  load();
  set(config);
  writer_ = std::jthread(
      [this](const std::stop_token& stop) { repeatUntilStopped(stop, limits_.writtenEach, [this] { flush(); }); });
}

NameBook::~NameBook() {
  writer_.request_stop();
  if (writer_.joinable()) writer_.join();
  flush();
}

std::vector<net::TlsServerContext::Named> NameBook::certificatesOf(const config::SiteConfig& config) {
  std::vector<net::TlsServerContext::Named> named;
  for (const auto& alias : config.aliases)
    if (!alias.certificate.empty())
      named.push_back({alias.name, config.path(alias.certificate), config.path(alias.certificateKey)});
  return named;
}

void NameBook::set(const config::SiteConfig& config) {
  auto aliases = config.aliases;
  for (auto& alias : aliases)
    if (!alias.certificate.empty()) alias.certificate = config.path(alias.certificate);
  const MutexLock lock(mutex_);
  aliases_ = std::move(aliases);
}

ServerName NameBook::describe(const config::SiteConfig::Alias& alias) const {
  const bool retired = !alias.retires.empty() && dayText(clock_.now()) >= alias.retires;
  return {alias.name, retired ? alias.retires : std::string(), retired && alias.afterwards == "refuse"};
}

std::optional<ServerName> NameBook::byName(std::string_view name) const {
  const MutexLock lock(mutex_);
  for (const auto& alias : aliases_)
    if (alias.name == name) return describe(alias);
  return std::nullopt;
}

std::optional<ServerName> NameBook::byAddress(std::string_view address) const {
  const MutexLock lock(mutex_);
  for (const auto& alias : aliases_)
    if (std::find(alias.addresses.begin(), alias.addresses.end(), address) != alias.addresses.end())
      return describe(alias);
  return std::nullopt;
}

void NameBook::used(const std::string& name, std::string_view client, Use use) {
  metrics::counter("postern_server_name_uses_total", "Sessions and messages over other names of this server.",
                   {{"name", name}, {"use", useWord(use)}})
      .add();
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  auto& counted = counted_[name];
  changed_ = true;
  counted.lastUse = now;
  auto network = networkOf(client);
  if (!counted.networks.contains(network) && counted.networks.size() >= limits_.networks) network = "others";
  auto& from = counted.networks[network];
  from.network = network;
  from.lastUse = now;
  auto& day = counted.days[dayText(now)];
  day.day = dayText(now);
  if (use == Use::Session) {
    ++from.sessions;
    ++day.sessions;
  } else if (use == Use::Message) {
    ++from.messages;
    ++day.messages;
  } else {
    ++day.refused;
  }
  const auto oldest = dayText(now - limits_.keptFor);
  if (counted.days.begin()->first >= oldest) return;  // looked at once a day
  while (counted.days.begin()->first < oldest) counted.days.erase(counted.days.begin());
  std::erase_if(counted.networks, [&](const auto& one) { return dayText(one.second.lastUse) < oldest; });
}

std::vector<app::ServerNameUse> NameBook::uses(const std::vector<std::pair<std::string, std::string>>& unusable) const {
  std::vector<app::ServerNameUse> all;
  const MutexLock lock(mutex_);
  for (const auto& alias : aliases_) {
    app::ServerNameUse use;
    use.name = alias.name;
    use.retires = alias.retires;
    use.retired = !describe(alias).retiredOn.empty();
    use.afterwards = alias.afterwards;
    use.addresses = alias.addresses;
    lookAtCertificate(alias, use);
    for (const auto& [name, why] : unusable)
      if (name == alias.name) use.certificateProblem = why;
    if (const auto counted = counted_.find(alias.name); counted != counted_.end()) {
      use.lastUse = counted->second.lastUse;
      for (const auto& [text, network] : counted->second.networks) use.networks.push_back(network);
      for (const auto& [text, day] : counted->second.days) use.days.push_back(day);
    }
    std::sort(use.networks.begin(), use.networks.end(),
              [](const auto& a, const auto& b) { return a.lastUse > b.lastUse; });
    std::reverse(use.days.begin(), use.days.end());
    all.push_back(std::move(use));
  }
  return all;
}

void NameBook::load() {
  if (!std::filesystem::exists(file_)) return;
  try {
    const auto names = json::parse(files::read(file_));
    const MutexLock lock(mutex_);
    for (const auto& [name, entry] : names.items()) {
      auto& counted = counted_[name];
      counted.lastUse = fromMicros(entry.at("lastUse"));
      for (const auto& one : entry.at("networks"))
        counted.networks[one.at(0)] = {one.at(0), fromMicros(one.at(1)), one.at(2), one.at(3)};
      for (const auto& one : entry.at("days")) counted.days[one.at(0)] = {one.at(0), one.at(1), one.at(2), one.at(3)};
    }
  } catch (const std::exception& fault) {
    log::warning("smtp", "who uses other names of this server begins anew: the counts cannot be read",
                 {{"file", file_.string()}, {"reason", fault.what()}});
  }
}

void NameBook::flush() {
  json names = json::object();
  {
    const MutexLock lock(mutex_);
    if (!std::exchange(changed_, false)) return;
    for (const auto& [name, counted] : counted_) {
      json networks = json::array();
      for (const auto& [text, one] : counted.networks)
        networks.push_back({text, toMicros(one.lastUse), one.sessions, one.messages});
      json days = json::array();
      for (const auto& [text, one] : counted.days) days.push_back({text, one.sessions, one.messages, one.refused});
      names[name] = {{"lastUse", toMicros(counted.lastUse)}, {"networks", networks}, {"days", days}};
    }
  }
  try {
    files::replaceDurably(file_, names.dump());
  } catch (const Error& error) {
    log::warning("smtp", "who uses other names of this server cannot be written down", {{"reason", error.message()}});
    const MutexLock lock(mutex_);
    changed_ = true;
  }
}

std::vector<app::Finding> findingsOf(const std::vector<app::ServerNameUse>& names, TimePoint now) {
  constexpr std::chrono::days Soon{14};
  constexpr std::chrono::days VerySoon{3};
  constexpr std::chrono::days Lately{7};
  std::vector<app::Finding> findings;
  for (const auto& name : names) {
    const std::string todo = "Put a new one and its key in place, as [[gateway.alias]] " + name.name +
                             " in postern.toml names them, or take the name away; no restart is needed.";
    if (!name.certificateProblem.empty()) {
      findings.push_back({"certificate.broken", "error",
                          "The TLS certificate of " + name.name + " cannot be used: " + name.certificateProblem + ".",
                          todo});
    } else if (name.hasCertificate && name.certificateEnds < now + Soon) {
      const auto day = dayText(name.certificateEnds);
      if (name.certificateEnds < now)
        findings.push_back(
            {"certificate.ended", "error", "The TLS certificate of " + name.name + " ended on " + day + ".", todo});
      else
        findings.push_back({"certificate.ending", name.certificateEnds < now + VerySoon ? "error" : "warning",
                            "The TLS certificate of " + name.name + " ends on " + day + ".", todo});
    }
    if (name.retired && name.lastUse > now - Lately)
      findings.push_back({"name.retired", "warning",
                          "Servers still send to " + name.name + ", which was retired on " + name.retires + ".",
                          "See who they are: postern hostname show " + name.name});
  }
  return findings;
}

}  // namespace postern::gateway
