#include "cli/Hardening.h"

#include "cli/Render.h"
#include "cli/ShippedPolicies.h"
#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/Certificate.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace postern::cli {

using nlohmann::json;

namespace {

namespace fs = std::filesystem;
using State = HardeningFinding::State;

constexpr std::chrono::days CertificateSoon{21};

class Look {
public:
  Look(config::SiteConfig site, fs::path system) : site_(std::move(site)), system_(std::move(system)) {}

  std::vector<HardeningFinding> all() {
    folders();
    rootKey();
    tlsFiles();
    settings();
    processes();
    kernel();
    disk();
    return std::move(found_);
  }

private:
  void good(std::string what) { found_.push_back({State::Good, std::move(what), {}}); }
  void warn(std::string what, std::string todo) {
    found_.push_back({State::Warning, std::move(what), std::move(todo)});
  }
  void bad(std::string what, std::string todo) { found_.push_back({State::Bad, std::move(what), std::move(todo)}); }

  static bool openToOthers(const fs::path& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 && (facts.st_mode & 07) != 0;
  }

  void folders() {
    std::string open;
    for (const auto* name : {"keys", "listd", "vault", "gateway", "journal", "index", "exports", "backup"})
      if (openToOthers(site_.path(name))) open += (open.empty() ? "" : ", ") + std::string(name);
    if (open.empty())
      good("No folder with mail or keys is open to other users.");
    else
      bad("Other users of this machine may look into " + open + ".", "chmod o= in " + site_.dataFolder.string());
  }

  void rootKey() {
    const auto file = site_.path(site_.rootKey);
    if (site_.rootKeySource == "file")
      warn("The root key lies beside the data that it protects: who takes the disk has both.",
           "Use a systemd credential or a passphrase: docs/keys.md");
    else
      good("The root key comes from " + site_.rootKeySource + ".");
    struct stat facts {};
    if (::stat(file.c_str(), &facts) == 0 && (facts.st_mode & 077) != 0)
      bad(file.string() + " may be read by others.", "chmod 600 " + file.string());
  }

  void tlsFiles() {
    const auto key = site_.path(site_.certificateKey);
    if (openToOthers(key)) bad("The key of the TLS certificate may be read by others.", "chmod o= " + key.string());
    const auto pem = textOf(site_.path(site_.certificate));
    const auto certificate = crypto::Certificate::parse(pem);
    if (!certificate) return bad("The TLS certificate cannot be read.", "Look at gateway.certificate in postern.toml");
    const auto now = SystemClock(site_.clockOffset).now();
    if (certificate->notAfter() < now + CertificateSoon)
      bad("The TLS certificate ends on " + formatRfc3339(certificate->notAfter()) + ".",
          "Renew it; it is read again by itself");
    else
      good("The TLS certificate is good until " + formatRfc3339(certificate->notAfter()) + ".");
  }

  void settings() {
    if (site_.senderChecks == "off")
      warn("Mail from outside is not checked by SPF, DKIM and DMARC.", "Set sender_checks = \"outside\" in [gateway]");
    if (site_.revocation == "off")
      warn("Nobody asks whether members' certificates were revoked.", "Set revocation = \"soft\" in [smime]");
    if (site_.auditMail.empty() && site_.auditSyslog.empty() && site_.timestampUrl.empty())
      warn("No checkpoint of the audit log leaves this machine by itself.",
           "Set mail, syslog or timestamp_url in [audit]");
    if (site_.backupRepository.empty()) warn("No backups are made.", "Set [backup] and run: postern backup init");
    if (site_.clockOffset.count() != 0 || site_.mxPort != 25 || site_.httpsPort != 443)
      bad("Settings for tests are in force.", "Empty the section [testing] of postern.toml");
    if (site_.logLevel == "debug")
      warn("The log is at the level debug and tells addresses.", "Set level = \"info\" in [log]");
  }

  // Programs of this site that have root's power.
  void processes() {
    std::string asRoot;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(system_ / "proc", none)) {
      const auto name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const auto status = textOf(entry.path() / "status");
      const auto program = fieldOf(status, "Name:");
      const auto user = fieldOf(status, "Uid:");
      const bool daemon =
          program == "postern-gateway" || program == "postern-listd" || program.starts_with("postern-webadm");
      if (daemon && user == "0") asRoot += (asRoot.empty() ? "" : ", ") + program;
    }
    if (!asRoot.empty())
      bad("These processes run as root: " + asRoot + ".",
          "Install the Debian package, whose units give each a user of its own");
  }

  void kernel() {
    if (textOf(system_ / "sys/kernel/security/lsm").find("landlock") != std::string::npos)
      good("The kernel has Landlock, by which the processes confine themselves.");
    else
      warn("The kernel has no Landlock: the processes cannot confine themselves to their files.",
           "Start the kernel with lsm=landlock,… or use one from 5.13 on");
    setting("kernel.yama.ptrace_scope", "proc/sys/kernel/yama/ptrace_scope", 1, "a process can read another's memory");
    setting("fs.protected_symlinks", "proc/sys/fs/protected_symlinks", 1,
            "links in shared folders can mislead programs");
    setting("fs.protected_hardlinks", "proc/sys/fs/protected_hardlinks", 1, "links to others' files can be made");
    setting("kernel.dmesg_restrict", "proc/sys/kernel/dmesg_restrict", 1, "everybody may read the kernel's log");
  }

  void setting(const std::string& name, const char* path, long least, const std::string& otherwise) {
    const auto text = textOf(system_ / path);
    if (text.empty()) return;
    if (std::atol(text.c_str()) >= least)
      good(name + " is set.");
    else
      warn(name + " is off: " + otherwise + ".",
           "sysctl -w " + name + "=" + std::to_string(least) + ", and in /etc/sysctl.d");
  }

  void disk() {
    std::istringstream swaps(textOf(system_ / "proc/swaps"));
    std::string line;
    std::getline(swaps, line);  // titles
    std::string clear;
    while (std::getline(swaps, line)) {
      const auto device = line.substr(0, line.find_first_of(" \t"));
      if (device.find("zram") == std::string::npos && device.find("/dm-") == std::string::npos) clear += device + " ";
    }
    if (clear.empty())
      good("Nothing that was in memory can be swapped out in clear.");
    else
      warn("Swap may hold mail in clear: " + clear, "Encrypt it (crypttab with a random key), or switch it off");
    struct stat facts {};
    if (::stat(site_.dataFolder.c_str(), &facts) != 0) return;
    const auto number = std::to_string(major(facts.st_dev)) + ":" + std::to_string(minor(facts.st_dev));
    if (textOf(system_ / "sys/dev/block" / number / "dm/uuid").starts_with("CRYPT"))
      good("The data folder is on an encrypted disk.");
    else
      warn("The data folder is not on an encrypted disk; names of lists and members are in clear in its database.",
           "Put it on LUKS");
  }

  static std::string textOf(const fs::path& path) {
    try {
      return files::read(path);
    } catch (const Error&) {  // not every kernel has every file
      return {};
    }
  }

  static std::string fieldOf(const std::string& status, const std::string& name) {
    const auto at = status.find(name);
    if (at == std::string::npos) return {};
    std::istringstream rest(status.substr(at + name.size()));
    std::string value;
    rest >> value;
    return value;
  }

  const config::SiteConfig site_;
  const fs::path system_;
  std::vector<HardeningFinding> found_;
};

const char* nameOf(State state) {
  return state == State::Good ? "good" : state == State::Warning ? "warning" : "bad";
}

// "section.key" → value as it is written, of the text that describes all settings.
std::map<std::string, std::string> settingsOf(const config::SiteConfig& site) {
  std::map<std::string, std::string> settings;
  std::istringstream lines(config::describeSiteConfig(site));
  std::string section, line;
  while (std::getline(lines, line)) {
    const auto equals = line.find(" = ");
    if (line.starts_with('['))
      section = line.substr(1, line.size() - 2);
    else if (!line.starts_with('#') && equals != std::string::npos)
      settings[section + "." + line.substr(0, equals)] = line.substr(equals + 3);
  }
  return settings;
}

std::vector<json> policyDrift(const fs::path& folder) {
  std::vector<json> items;
  const auto add = [&](const std::string& name, const char* is, const char* usual) {
    items.push_back({{"what", "policy " + name}, {"is", is}, {"usual", usual}});
  };
  std::set<std::string> shippedNames;
  for (const auto& file : shipped::all()) {
    const std::string name(file.path);
    shippedNames.insert(name);
    if (!fs::exists(folder / name))
      add(name, "missing", "shipped");
    else if (files::read(folder / name) != file.content)
      add(name, "changed", "as shipped");
  }
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(folder, none)) {
    const auto name = entry.path().lexically_relative(folder).string();
    if (entry.is_regular_file() && name.ends_with(".lua") && !shippedNames.contains(name))
      add(name, "there", "not shipped");
  }
  return items;
}

}  // namespace

std::vector<HardeningFinding> lookAtHardening(const fs::path& dataFolder, const fs::path& system) {
  return Look(config::loadSiteConfig(dataFolder), system).all();
}

Exit showHardening(const Context& context) {
  auto items = json::array();
  bool anyBad = false;
  for (const auto& each : lookAtHardening(context.dataFolder)) {
    items.push_back({{"state", nameOf(each.state)}, {"what", each.what}, {"do", each.todo}});
    anyBad = anyBad || each.state == State::Bad;
  }
  if (context.json)
    context.out << json{{"items", items}}.dump(2) << "\n";
  else
    renderTable(context.out, items, {{"STATE", "state"}, {"WHAT", "what"}, {"WHAT TO DO", "do"}},
                "Nothing was looked at.");
  return anyBad ? Exit::No : Exit::Ok;
}

json configDrift(const fs::path& dataFolder) {
  const auto site = config::loadSiteConfig(dataFolder);
  config::SiteConfig usual;
  usual.dataFolder = site.dataFolder;
  const auto defaults = settingsOf(usual);
  auto items = json::array();
  for (const auto& [name, value] : settingsOf(site)) {
    const auto known = defaults.find(name);
    if (known != defaults.end() && known->second == value) continue;
    items.push_back({{"what", name}, {"is", value}, {"usual", known == defaults.end() ? "" : known->second}});
  }
  for (auto& policy : policyDrift(site.path(site.policyFolder))) items.push_back(std::move(policy));
  return {{"items", std::move(items)}};
}

Exit showDrift(const Context& context) {
  const auto drift = configDrift(context.dataFolder);
  if (context.json)
    context.out << drift.dump(2) << "\n";
  else
    renderTable(context.out, drift.at("items"), {{"WHAT", "what"}, {"IS", "is"}, {"USUAL", "usual"}},
                "All settings and policies are as they are shipped.");
  return Exit::Ok;
}

}  // namespace postern::cli
