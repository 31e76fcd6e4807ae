#include "core/config/SiteConfig.h"

#include "core/base/CompanionAddress.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Language.h"
#include "core/config/ListenWords.h"
#include "core/config/Settings.h"

#include <toml++/toml.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace postern::config {

namespace {

std::string dayText(const toml::date& date) {
  std::ostringstream out;
  out << date;
  return out.str();
}

// Reads one file; knows its name so that every complaint says where.
class FileReader {
public:
  FileReader(std::string_view name, SiteConfig& config) : name_(name), config_(config) {}

  void read(const toml::table& file) const {
    for (const auto& [section, content] : file) {
      const auto* keys = content.as_table();
      if (keys == nullptr) fail(content, "\"" + std::string(section.str()) + "\" stands outside a section");
      readSection(std::string(section.str()), *keys);
    }
  }

private:
  void readSection(const std::string& section, const toml::table& keys) const {
    for (const auto& [key, value] : keys) {
      const auto whole = section + "." + std::string(key.str());
      if (const auto* part = value.as_table())
        readSection(whole, *part);
      else if (whole == "inspection.milter")
        readEach(value, [&](const toml::table& milter) { config_.milters.push_back(milterOf(milter)); });
      else if (whole == "inspection.dnsbl")
        readEach(value, [&](const toml::table& zone) { config_.dnsbls.push_back(zoneOf(zone)); });
      else if (whole == "gateway.alias")
        readEach(value, [&](const toml::table& alias) { config_.aliases.push_back(aliasOf(alias)); });
      else if (whole == "gateway.sender_tls")
        readEach(value, [&](const toml::table& rule) { config_.senderTls.push_back(senderTlsOf(rule)); });
      else
        readKey(section, key.str(), value);
    }
  }

  template <class Take>
  void readEach(const toml::node& value, Take take) const {
    const auto* list = value.as_array();
    if (list == nullptr) fail(value, "write it with two brackets, as in [[inspection.milter]]");
    for (const auto& item : *list) {
      const auto* table = item.as_table();
      if (table == nullptr) fail(item, "write it with two brackets, as in [[inspection.milter]]");
      take(*table);
    }
  }

  SiteConfig::Milter milterOf(const toml::table& table) const {
    SiteConfig::Milter milter;
    for (const auto& [key, value] : table) {
      if (key.str() == "name")
        milter.name = text(value);
      else if (key.str() == "address")
        milter.address = text(value);
      else if (key.str() == "timeout_ms")
        milter.time = std::chrono::milliseconds(number(value, 100, 600000));
      else if (key.str() == "on_failure")
        milter.failure = text(value);
      else
        fail(value, "unknown setting \"" + std::string(key.str()) +
                        "\" in [[inspection.milter]]; known are name, address, timeout_ms, on_failure");
    }
    if (milter.name.empty() || milter.name.size() > 40 ||
        milter.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
      fail(table, "a milter needs a name of a-z, 0-9 and -");
    return milter;
  }

  SiteConfig::DnsblZone zoneOf(const toml::table& table) const {
    SiteConfig::DnsblZone zone;
    for (const auto& [key, value] : table) {
      if (key.str() == "zone")
        zone.zone = text(value);
      else if (key.str() == "weight")
        zone.weight = static_cast<std::uint32_t>(number(value, 1, 100000));
      else if (key.str() == "replies") {
        const auto* list = value.as_array();
        if (list == nullptr || list->empty()) fail(value, "a list is wanted, as in [\"127.0.0.2\", \"127.0.0.4-11\"]");
        zone.replies.clear();
        for (const auto& item : *list) zone.replies.push_back(text(item));
      } else
        fail(value, "unknown setting \"" + std::string(key.str()) +
                        "\" in [[inspection.dnsbl]]; known are zone, weight, replies");
    }
    if (zone.zone.empty() || zone.zone.size() > 180 ||
        zone.zone.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") != std::string::npos)
      fail(table, "a DNSBL needs a zone, as in \"zen.spamhaus.org\"");
    return zone;
  }

  // Lower case, as it is compared.
  std::string domainName(const toml::node& value) const {
    auto name = text(value);
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    const bool fits = !name.empty() && name.size() <= 253 && name.front() != '.' && name.back() != '.' &&
                      name.find("..") == std::string::npos &&
                      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string::npos &&
                      name.find_first_not_of("0123456789.") != std::string::npos;
    if (!fits) fail(value, "\"" + name + "\" is no host or domain name (give a name of other scripts as xn--…)");
    return name;
  }

  std::string oneAddress(const toml::node& value) const {
    const auto address = text(value);
    if (address.find('/') != std::string::npos || !net::IpRange::parse(address))
      fail(value, "\"" + address + "\" is no IP address");
    const auto range = net::IpRange::parse(address)->text();
    return range.substr(0, range.find('/'));
  }

  std::string day(const toml::node& value) const {
    std::string day;
    if (const auto* date = value.as_date())
      day = dayText(date->get());
    else
      day = text(value);
    const auto number = [&](std::size_t at, std::size_t length) {
      const auto part = day.size() == 10 ? day.substr(at, length) : std::string();
      return part.empty() || part.find_first_not_of("0123456789") != std::string::npos
                 ? 0u
                 : static_cast<unsigned>(std::stoul(part));
    };
    const std::chrono::year_month_day parsed{std::chrono::year(static_cast<int>(number(0, 4))),
                                             std::chrono::month(number(5, 2)), std::chrono::day(number(8, 2))};
    if (number(0, 4) == 0 || day[4] != '-' || day[7] != '-' || !parsed.ok())
      fail(value, "a day is wanted, as in \"2027-03-31\"");
    return day;
  }

  SiteConfig::Alias aliasOf(const toml::table& table) const {
    SiteConfig::Alias alias;
    for (const auto& [key, value] : table) {
      if (key.str() == "name")
        alias.name = domainName(value);
      else if (key.str() == "certificate")
        alias.certificate = text(value);
      else if (key.str() == "certificate_key")
        alias.certificateKey = text(value);
      else if (key.str() == "retires")
        alias.retires = day(value);
      else if (key.str() == "afterwards")
        alias.afterwards = oneOf(value, {"warn", "refuse"});
      else if (key.str() == "addresses") {
        const auto* list = value.as_array();
        if (list == nullptr) fail(value, "a list is wanted, as in [\"192.0.2.25\"]");
        for (const auto& item : *list) alias.addresses.push_back(oneAddress(item));
      } else
        fail(value, "unknown setting \"" + std::string(key.str()) +
                        "\" in [[gateway.alias]]; known are name, certificate, certificate_key, addresses, retires, "
                        "afterwards");
    }
    if (alias.name.empty()) fail(table, "another name of this server needs a name, as in \"old.example.org\"");
    if (alias.certificate.empty() != alias.certificateKey.empty())
      fail(table, "certificate and certificate_key belong together: give both, or none of them");
    if (alias.certificate.empty() && alias.addresses.empty())
      fail(table, alias.name + " needs a certificate, by which clients ask for it, or addresses at which they come");
    for (const auto& known : config_.aliases) {
      if (known.name == alias.name) fail(table, alias.name + " stands there twice");
      for (const auto& address : alias.addresses)
        if (std::find(known.addresses.begin(), known.addresses.end(), address) != known.addresses.end())
          fail(table, address + " belongs to " + known.name + " already");
    }
    return alias;
  }

  SiteConfig::SenderTls senderTlsOf(const toml::table& table) const {
    SiteConfig::SenderTls rule;
    for (const auto& [key, value] : table) {
      if (key.str() == "domain")
        rule.domain = domainName(value);
      else if (key.str() == "least")
        rule.least = oneOf(value, {"1.2", "1.3"});
      else
        fail(value,
             "unknown setting \"" + std::string(key.str()) + "\" in [[gateway.sender_tls]]; known are domain, least");
    }
    if (rule.domain.empty()) fail(table, "whose mail? Give a domain, as in \"partner.example\"");
    for (const auto& known : config_.senderTls)
      if (known.domain == rule.domain) fail(table, rule.domain + " stands there twice");
    return rule;
  }

  std::string oneOf(const toml::node& value, std::initializer_list<const char*> words) const {
    const auto given = text(value);
    std::string known;
    for (const char* word : words) {
      if (given == word) return given;
      known += (known.empty() ? "" : " or ") + std::string(word);
    }
    fail(value, "\"" + given + "\" is not known here; say " + known);
  }

  void checkXclientHosts(const toml::node& value) const {
    const auto ranges = parseRanges(text(value));
    if (!ranges) fail(value, ranges.error());
    for (const auto& range : *ranges)
      if (range.isEverybody()) fail(value, range.text() + " would let anybody speak for any client");
  }

  void readKey(std::string_view section, std::string_view key, const toml::node& value) const {
    std::string known;
    for (const auto& setting : allSettings()) {
      if (section != setting.section) continue;
      if (key == setting.key) {
        std::visit([&](const auto& target) { assign(target, value); }, setting.target);
        if (section == "gateway" && key == "xclient_hosts") checkXclientHosts(value);
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(setting.key);
    }
    if (known.empty()) fail(value, "there is no section [" + std::string(section) + "]");
    fail(value, "unknown setting \"" + std::string(key) + "\" in [" + std::string(section) + "]; known are " + known);
  }

  void assign(std::string SiteConfig::*member, const toml::node& value) const { config_.*member = text(value); }

  void assign(std::filesystem::path SiteConfig::*member, const toml::node& value) const {
    config_.*member = text(value);
  }

  void assign(HostPort SiteConfig::*member, const toml::node& value) const { config_.*member = hostPort(value); }

  void assign(std::vector<HostPort> SiteConfig::*member, const toml::node& value) const {
    const auto* list = value.as_array();
    if (list == nullptr) fail(value, "a list is wanted, as in [\"127.0.0.1:25\"]");
    (config_.*member).clear();
    for (const auto& item : *list) (config_.*member).push_back(listener(item));
  }

  template <class T>
  void assign(const Range<T>& range, const toml::node& value) const {
    config_.*range.member = static_cast<T>(number(value, range.least, range.most));
  }

  std::int64_t number(const toml::node& value, std::int64_t least, std::int64_t most) const {
    const auto given = value.value<std::int64_t>();
    if (!given || !value.is_integer()) fail(value, "a whole number is wanted");
    if (*given < least || *given > most)
      fail(value, "the value must be between " + std::to_string(least) + " and " + std::to_string(most));
    return *given;
  }

  std::string text(const toml::node& value) const {
    if (!value.is_string()) fail(value, "a text in quotes is wanted");
    return *value.value<std::string>();
  }

  // An address, and behind a blank whom it is for and what it demands.
  HostPort listener(const toml::node& value) const {
    const auto whole = text(value);
    const auto blank = whole.find(' ');
    auto where = hostPort(value, whole.substr(0, blank));
    if (blank == std::string::npos) return where;
    const auto words = whole.substr(blank + 1);
    const auto rules = parseListenerRules(words);
    if (!rules) fail(value, rules.error());
    where.host += " " + words;
    return where;
  }

  HostPort hostPort(const toml::node& value) const { return hostPort(value, text(value)); }

  HostPort hostPort(const toml::node& value, const std::string& whole) const {
    const auto colon = whole.rfind(':');
    if (colon == std::string::npos || colon == 0) fail(value, "an address and a port are wanted, as in \"[::1]:25\"");
    auto host = whole.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    const auto port = whole.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
        std::stoul(port) > 65535)
      fail(value, "\"" + port + "\" is no port number");
    return {host, static_cast<std::uint16_t>(std::stoul(port))};
  }

  [[noreturn]] void fail(const toml::node& at, const std::string& what) const {
    const auto& begin = at.source().begin;
    throw Error(ErrorKind::Config,
                name_ + ":" + std::to_string(begin.line) + ":" + std::to_string(begin.column) + ": " + what);
  }

  std::string name_;
  SiteConfig& config_;
};

// Plain text of secure lists must never leave for another machine, whatever an administrator writes.
void checkCompanion(std::string_view fileName, const std::string& what, const std::string& address,
                    const std::string& failure) {
  if (failure != "defer" && failure != "accept")
    throw Error(ErrorKind::Config,
                std::string(fileName) + ": " + what + " on_failure is defer or accept, not \"" + failure + "\"");
  if (CompanionAddress::parse(address)) return;
  throw Error(
      ErrorKind::Config,
      std::string(fileName) + ": " + what + " address is \"" + address +
          "\"; companions are shown mail of secure lists in clear, so that they must be on this machine: give a "
          "socket as in \"unix:/run/clamav/clamd.ctl\" or a port as in \"127.0.0.1:11333\"");
}

void checkSpamWord(std::string_view fileName, const char* key, const std::string& word) {
  if (word == "reject" || word == "hold" || word == "defer" || word == "accept") return;
  throw Error(ErrorKind::Config, std::string(fileName) + ": [inspection.rspamd] " + key +
                                     " is reject, hold, defer or accept, not \"" + word + "\"");
}

void checkInspection(const SiteConfig& config, std::string_view fileName) {
  if (!config.clamavAddress.empty()) {
    checkCompanion(fileName, "[inspection.clamav]", config.clamavAddress, config.clamavFailure);
    if (!config.clamavAddress.starts_with("unix:"))
      throw Error(ErrorKind::Config, std::string(fileName) +
                                         ": [inspection.clamav] address must be a local socket, as in "
                                         "\"unix:/run/clamav/clamd.ctl\": what was encrypted to a list is scanned by "
                                         "postern-listd, which has no network");
  }
  if (!config.rspamdAddress.empty())
    checkCompanion(fileName, "[inspection.rspamd]", config.rspamdAddress, config.rspamdFailure);
  checkSpamWord(fileName, "reject", config.spamReject);
  checkSpamWord(fileName, "suspicious", config.spamSuspicious);
  checkSpamWord(fileName, "greylist", config.spamGreylist);
  for (const auto& milter : config.milters)
    checkCompanion(fileName, "[[inspection.milter]] " + milter.name, milter.address, milter.failure);
  if (config.quarantineDigest != "on" && config.quarantineDigest != "off")
    throw Error(ErrorKind::Config,
                std::string(fileName) + ": [quarantine] digest is on or off, not \"" + config.quarantineDigest + "\"");
}

void checkLog(const SiteConfig& config, std::string_view fileName) {
  const std::set<std::string> places = {"auto", "stderr", "journal", "file"};
  if (places.count(config.logTo) == 0)
    throw Error(ErrorKind::Config,
                std::string(fileName) + ": [log] to is auto, stderr, journal or file, not \"" + config.logTo + "\"");
  if (config.logFormat != "json" && config.logFormat != "text")
    throw Error(ErrorKind::Config,
                std::string(fileName) + ": [log] format is json or text, not \"" + config.logFormat + "\"");
  // The processes may write there: the folder of the site itself would open all of it to each of them.
  const auto folder = std::filesystem::absolute(config.path(config.logFolder)).lexically_normal() / "";
  const auto data = std::filesystem::absolute(config.dataFolder).lexically_normal() / "";
  if (data.string().starts_with(folder.string()))
    throw Error(ErrorKind::Config, std::string(fileName) + ": [log] folder must not hold the data folder");
}

void checkTogether(const SiteConfig& config, std::string_view fileName) {
  checkInspection(config, fileName);
  for (const auto& alias : config.aliases)
    if (alias.name == config.hostName)
      throw Error(ErrorKind::Config, std::string(fileName) + ": [[gateway.alias]] " + alias.name +
                                         " is the name of this server itself, of [site] host_name");
  if (!isLanguage(config.language))
    throw Error(ErrorKind::Config,
                std::string(fileName) + ": [site] language is en, de, fr or es, not \"" + config.language + "\"");
  const std::set<std::string> levels = {"debug", "info", "warning", "error"};
  if (levels.count(config.logLevel) == 0)
    throw Error(ErrorKind::Config, std::string(fileName) + ": [log] level is debug, info, warning or error, not \"" +
                                       config.logLevel + "\"");
  checkLog(config, fileName);
  const std::string_view source = config.rootKeySource;
  const bool credential = source.starts_with("credential:") && source.size() > 11 &&
                          source.find('/') == std::string_view::npos && source.find("..") == std::string_view::npos;
  if (source != "file" && source != "passphrase" && !credential)
    throw Error(ErrorKind::Config, std::string(fileName) +
                                       ": [store] root_key_source is file, passphrase or credential:NAME, not \"" +
                                       config.rootKeySource + "\"");
  if (config.revocation != "strict" && config.revocation != "soft" && config.revocation != "off")
    throw Error(ErrorKind::Config, std::string(fileName) + ": [smime] revocation is strict, soft or off, not \"" +
                                       config.revocation + "\"");
  if (config.webKeyDirectories != "on" && config.webKeyDirectories != "off")
    throw Error(ErrorKind::Config, std::string(fileName) + ": [keys] web_key_directories is on or off, not \"" +
                                       config.webKeyDirectories + "\"");
  if (!config.revocationHosts.empty() && config.revocationHosts != "private")
    throw Error(ErrorKind::Config, std::string(fileName) + ": [smime] revocation_hosts is empty or private, not \"" +
                                       config.revocationHosts + "\"");
  if (!config.webhookHosts.empty() && config.webhookHosts != "private")
    throw Error(ErrorKind::Config, std::string(fileName) + ": [web] webhook_hosts is empty or private, not \"" +
                                       config.webhookHosts + "\"");
  if (config.maxRetry < config.firstRetry)
    throw Error(ErrorKind::Config, std::string(fileName) + ": [delivery] max_retry is shorter than first_retry");
}

}  // namespace

SiteConfig parseSiteConfig(std::string_view text, const std::filesystem::path& dataFolder, std::string_view fileName) {
  SiteConfig config;
  config.dataFolder = dataFolder;
  try {
    FileReader(fileName, config).read(toml::parse(text, fileName));
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    throw Error(ErrorKind::Config, std::string(fileName) + ":" + std::to_string(begin.line) + ":" +
                                       std::to_string(begin.column) + ": " + std::string(error.description()));
  }
  checkTogether(config, fileName);
  return config;
}

SiteConfig loadSiteConfig(const std::filesystem::path& dataFolder) {
  const auto file = dataFolder / "postern.toml";
  if (!std::filesystem::exists(file))
    throw Error(ErrorKind::Config, "there is no site in " + dataFolder.string() + " (" + file.string() +
                                       " is missing); make one with: postern --data " + dataFolder.string() + " init");
  return parseSiteConfig(files::read(file), dataFolder, file.string());
}

}  // namespace postern::config
