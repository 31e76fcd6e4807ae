#include "core/config/ListenWords.h"
#include "core/config/Settings.h"
#include "core/config/SiteConfig.h"

#include <sstream>

// Settings as text, and what became of them between two readings.
namespace postern::config {

namespace {

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string show(const HostPort& value) {
  const auto [host, port] = placeOf(value);
  const bool v6 = host.find(':') != std::string::npos;
  const auto word = wordsOf(value);
  return quoted((v6 ? "[" + host + "]" : host) + ":" + std::to_string(port) +
                (word.empty() ? "" : " " + std::string(word)));
}

struct Shower {
  const SiteConfig& config;

  std::string operator()(std::string SiteConfig::*member) const { return quoted(config.*member); }
  std::string operator()(std::filesystem::path SiteConfig::*member) const { return quoted((config.*member).string()); }
  std::string operator()(HostPort SiteConfig::*member) const { return show(config.*member); }
  std::string operator()(std::vector<HostPort> SiteConfig::*member) const {
    std::string list;
    for (const auto& item : config.*member) list += (list.empty() ? "" : ", ") + show(item);
    return "[" + list + "]";
  }
  std::string operator()(const Range<std::uint32_t>& range) const { return std::to_string(config.*range.member); }
  std::string operator()(const Range<std::uint64_t>& range) const { return std::to_string(config.*range.member); }
  std::string operator()(const Range<std::chrono::seconds>& range) const {
    return std::to_string((config.*range.member).count());
  }
  std::string operator()(const Range<std::chrono::milliseconds>& range) const {
    return std::to_string((config.*range.member).count());
  }
};

void describeNames(const SiteConfig& config, std::ostream& out) {
  for (const auto& alias : config.aliases) {
    out << "\n# Taken over by a reload.\n[[gateway.alias]]\nname = " << quoted(alias.name);
    if (!alias.certificate.empty())
      out << "\ncertificate = " << quoted(alias.certificate.string())
          << "\ncertificate_key = " << quoted(alias.certificateKey.string());
    out << "\naddresses = [";
    for (std::size_t i = 0; i < alias.addresses.size(); ++i) out << (i > 0 ? ", " : "") << quoted(alias.addresses[i]);
    out << "]\n";
    if (!alias.retires.empty()) out << "retires = " << quoted(alias.retires) << "\n";
    out << "afterwards = " << quoted(alias.afterwards) << "\n";
  }
  for (const auto& rule : config.senderTls)
    out << "\n# Taken over by a reload.\n[[gateway.sender_tls]]\ndomain = " << quoted(rule.domain)
        << "\nleast = " << quoted(rule.least) << "\n";
}

}  // namespace

std::string describeSiteConfig(const SiteConfig& config) {
  std::ostringstream out;
  std::string_view section;
  for (const auto& setting : allSettings()) {
    if (section != setting.section) {
      out << (section.empty() ? "" : "\n") << "[" << setting.section << "]\n";
      section = setting.section;
    }
    out << "# " << setting.doc << (setting.reloads ? " Taken over by a reload." : "") << "\n"
        << setting.key << " = " << std::visit(Shower{config}, setting.target) << "\n";
  }
  for (const auto& milter : config.milters)
    out << "\n[[inspection.milter]]\nname = " << quoted(milter.name) << "\naddress = " << quoted(milter.address)
        << "\ntimeout_ms = " << milter.time.count() << "\non_failure = " << quoted(milter.failure) << "\n";
  for (const auto& zone : config.dnsbls) {
    out << "\n[[inspection.dnsbl]]\nzone = " << quoted(zone.zone) << "\nweight = " << zone.weight << "\nreplies = [";
    for (std::size_t i = 0; i < zone.replies.size(); ++i) out << (i > 0 ? ", " : "") << quoted(zone.replies[i]);
    out << "]\n";
  }
  describeNames(config, out);
  return out.str();
}

std::vector<SettingChange> changesBetween(const SiteConfig& before, const SiteConfig& after) {
  std::vector<SettingChange> changes;
  for (const auto& setting : allSettings())
    if (std::visit(Shower{before}, setting.target) != std::visit(Shower{after}, setting.target))
      changes.push_back({std::string(setting.section) + "." + setting.key, setting.reloads});
  if (before.aliases != after.aliases) changes.push_back({"gateway.alias", true});
  if (before.senderTls != after.senderTls) changes.push_back({"gateway.sender_tls", true});
  return changes;
}

SiteConfig takeReloadable(const SiteConfig& running, const SiteConfig& fresh) {
  auto made = running;
  for (const auto& setting : allSettings()) {
    if (!setting.reloads) continue;
    std::visit(
        [&](const auto& target) {
          if constexpr (requires { target.member; })
            made.*target.member = fresh.*target.member;
          else
            made.*target = fresh.*target;
        },
        setting.target);
  }
  made.aliases = fresh.aliases;
  made.senderTls = fresh.senderTls;
  return made;
}

std::string SiteConfig::publicUrl() const {
  if (!webUrl.empty()) {
    auto url = webUrl;
    while (url.ends_with('/')) url.pop_back();
    return url;
  }
  const auto& host = webListen.host;
  return "https://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(webListen.port);
}

}  // namespace postern::config
