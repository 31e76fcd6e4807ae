#include "core/config/SiteConfig.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/Settings.h"

#include <toml++/toml.h>

#include <sstream>

namespace postern::config {

namespace {

// Reads one file; knows its name so that every complaint says where.
class FileReader {
public:
  FileReader(std::string_view name, SiteConfig& config) : name_(name), config_(config) {}

  void read(const toml::table& file) const {
    for (const auto& [section, content] : file) {
      const auto* keys = content.as_table();
      if (keys == nullptr) fail(content, "\"" + std::string(section.str()) + "\" stands outside a section");
      for (const auto& [key, value] : *keys) readKey(section.str(), key.str(), value);
    }
  }

private:
  void readKey(std::string_view section, std::string_view key, const toml::node& value) const {
    std::string known;
    for (const auto& setting : allSettings()) {
      if (section != setting.section) continue;
      if (key == setting.key) {
        std::visit([&](const auto& target) { assign(target, value); }, setting.target);
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
    for (const auto& item : *list) (config_.*member).push_back(hostPort(item));
  }

  template <class T>
  void assign(const Range<T>& range, const toml::node& value) const {
    const auto number = value.value<std::int64_t>();
    if (!number || !value.is_integer()) fail(value, "a whole number is wanted");
    if (*number < range.least || *number > range.most)
      fail(value, "the value must be between " + std::to_string(range.least) + " and " + std::to_string(range.most));
    config_.*range.member = static_cast<T>(*number);
  }

  std::string text(const toml::node& value) const {
    if (!value.is_string()) fail(value, "a text in quotes is wanted");
    return *value.value<std::string>();
  }

  HostPort hostPort(const toml::node& value) const {
    const auto whole = text(value);
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

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string show(const HostPort& value) {
  const bool v6 = value.host.find(':') != std::string::npos;
  return quoted((v6 ? "[" + value.host + "]" : value.host) + ":" + std::to_string(value.port));
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

void checkTogether(const SiteConfig& config, std::string_view fileName) {
  const std::set<std::string> levels = {"debug", "info", "warning", "error"};
  if (levels.count(config.logLevel) == 0)
    throw Error(ErrorKind::Config, std::string(fileName) + ": [log] level is debug, info, warning or error, not \"" +
                                       config.logLevel + "\"");
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
  if (!config.revocationHosts.empty() && config.revocationHosts != "private")
    throw Error(ErrorKind::Config, std::string(fileName) + ": [smime] revocation_hosts is empty or private, not \"" +
                                       config.revocationHosts + "\"");
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

std::string describeSiteConfig(const SiteConfig& config) {
  std::ostringstream out;
  std::string_view section;
  for (const auto& setting : allSettings()) {
    if (section != setting.section) {
      out << (section.empty() ? "" : "\n") << "[" << setting.section << "]\n";
      section = setting.section;
    }
    out << "# " << setting.doc << "\n" << setting.key << " = " << std::visit(Shower{config}, setting.target) << "\n";
  }
  return out.str();
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
