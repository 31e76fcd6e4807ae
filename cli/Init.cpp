#include "cli/Init.h"

#include "cli/ShippedPolicies.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/Digest.h"
#include "core/crypto/SigningIdentity.h"
#include "core/vault/RootKeySource.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace postern::cli {

namespace {

using namespace std::string_literals;

std::string tomlList(const std::vector<std::string>& items) {
  std::string list;
  for (const auto& item : items) list += (list.empty() ? "\"" : ", \"") + item + "\"";
  return "[" + list + "]";
}

// A package keeps postern.toml among the system's settings, and a link to it in the data folder.
bool isPackaged(const std::filesystem::path& dataFolder) {
  return std::filesystem::is_symlink(dataFolder / "postern.toml");
}

std::filesystem::path settingsFile(const std::filesystem::path& dataFolder) {
  const auto file = dataFolder / "postern.toml";
  return isPackaged(dataFolder) ? dataFolder / std::filesystem::read_symlink(file) : file;
}

// What was not said: the standard ports for the package, whose sockets systemd opens, loopback for all others.
InitOptions completed(InitOptions options, bool packaged) {
  if (options.listen.empty() && options.listenTls.empty()) {
    options.listen = packaged ? std::vector<std::string>{"0.0.0.0:25", "[::]:25"} : std::vector{"127.0.0.1:2525"s};
    if (packaged) options.listenTls = {"0.0.0.0:465", "[::]:465"};
  }
  if (options.web.empty()) options.web = packaged ? "0.0.0.0:443" : "127.0.0.1:8443";
  return options;
}

// Goes through the parser, so that a wrong option is refused with the reader's own words before anything is made.
config::SiteConfig configOf(const Context& context, const InitOptions& given) {
  const bool packaged = isPackaged(context.dataFolder);
  const auto options = completed(given, packaged);
  const std::string url = packaged ? "\nurl = \"https://" + options.hostName + "\"" : "";
  const std::string text = "[site]\nhost_name = \"" + options.hostName +
                           "\"\n[gateway]\nlisten = " + tomlList(options.listen) +
                           "\nlisten_tls = " + tomlList(options.listenTls) + "\n[web]\nlisten = \"" + options.web +
                           "\"" + url + "\n[store]\nroot_key_source = \"" + options.rootKeySource + "\"\n";
  return config::parseSiteConfig(text, context.dataFolder, "the options of postern init");
}

// What was made belongs to whom its folder belongs to: the owners that a package gave to the folders of a site hold for
// what is in them. In a folder of one's own nothing changes.
void handOver(const std::filesystem::path& made) {
  struct stat folder {};
  if (::stat(made.parent_path().c_str(), &folder) != 0) throwErrno("look at", made.parent_path());
  if (::geteuid() == 0 && ::lchown(made.c_str(), folder.st_uid, folder.st_gid) != 0) throwErrno("give away", made);
}

// In a folder that is shared with its group (set-group-ID bit, readable for it), the group may read what was made.
void share(const std::filesystem::path& made, unsigned mode) {
  handOver(made);
  struct stat folder {};
  if (::stat(made.parent_path().c_str(), &folder) != 0) throwErrno("look at", made.parent_path());
  constexpr mode_t Shared = S_ISGID | S_IRGRP | S_IXGRP;
  if ((folder.st_mode & Shared) != Shared) return;
  if (::chmod(made.c_str(), mode) != 0) throwErrno("set the permissions of", made);
}

void makeShared(const std::filesystem::path& file, std::string_view content) {
  files::replaceDurably(file, content);
  share(file, 0640);
}

void makeFolder(const std::filesystem::path& folder) {
  if (std::filesystem::is_directory(folder)) return;
  files::makePrivateFolder(folder);
  handOver(folder);
}

void writePolicies(const std::filesystem::path& folder) {
  makeFolder(folder);
  for (const auto& file : shipped::all()) {
    const auto path = folder / file.path;
    if (!std::filesystem::is_directory(path.parent_path())) {
      makeFolder(path.parent_path());
      share(path.parent_path(), 02750);
    }
    makeShared(path, file.content);
  }
}

// A passphrase typed at a terminal is typed twice: a slip would lose the site.
Secret askTwice(const std::string& purpose) {
  const bool typed = std::getenv("POSTERN_PASSPHRASE_FD") == nullptr && std::getenv("CREDENTIALS_DIRECTORY") == nullptr;
  auto passphrase = vault::askPassphrase(purpose);
  if (typed && !crypto::equalConstantTime(passphrase.view(), vault::askPassphrase("The same again").view()))
    throw Error(ErrorKind::Config, "the two passphrases differ; nothing was made");
  return passphrase;
}

void makeRootKey(const config::SiteConfig& site) {
  // A credential may be given to the unit alone: it is looked for when listd starts.
  if (site.rootKeySource.starts_with("credential:")) return;
  vault::RootKeySource::create(site.rootKeySource, site.path(site.rootKey), askTwice);
  handOver(site.path(site.rootKey));
}

std::string keepWhat(const config::SiteConfig& site) {
  const auto file = site.path(site.rootKey).string();
  if (site.rootKeySource == "file")
    return "Keep a copy of " + file + " in another place: without it nothing stored can be read.";
  if (site.rootKeySource == "passphrase")
    return "Keep a copy of " + file + " and the passphrase in other places: without both nothing stored can be read.";
  return "Give the unit of postern-listd the root key as " + site.rootKeySource +
         " (64 hexadecimal digits), and keep a copy: without it nothing stored can be read.";
}

// Starts the services of the package, whose units name this folder; false for another one, and where no systemd runs
// (a container, a root that is being built).
bool startServices(const std::filesystem::path& dataFolder) {
  if (dataFolder != "/var/lib/postern") return false;
  if (!std::filesystem::is_directory("/run/systemd/system")) return false;
  const auto process = ::fork();
  if (process == 0) {
    ::execlp("systemctl", "systemctl", "--no-block", "start", "postern.target", nullptr);
    ::_exit(127);
  }
  int status = 0;
  return process > 0 && ::waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string nextStep(const config::SiteConfig& site) {
  if (!isPackaged(site.dataFolder)) return "Next: postern --data " + site.dataFolder.string() + " run";
  if (startServices(site.dataFolder)) return "The services are starting. Next: postern status; postern user setup-link";
  return "Next: systemctl start postern.target (without systemd: postern run)";
}

}  // namespace

Exit initSite(const Context& context, const InitOptions& options) {
  const auto site = configOf(context, options);
  if (std::filesystem::exists(site.dataFolder / "postern.toml"))
    throw Error(ErrorKind::Config, "there is a site in " + site.dataFolder.string() + " already");
  files::makePrivateFolder(site.dataFolder);
  for (const auto* folder :
       {"run", "tls", "keys", "gateway", "listd", "vault", "journal", "index", "exports", "anchors"})
    makeFolder(site.dataFolder / folder);
  const auto tls = crypto::makeSelfSignedTls(site.hostName, SystemClock().now());
  makeShared(site.path(site.certificate), tls.certificatePem);
  makeShared(site.path(site.certificateKey), tls.privateKeyPem.view());
  makeRootKey(site);
  writePolicies(site.path(site.policyFolder));
  makeShared(settingsFile(site.dataFolder), config::describeSiteConfig(site));
  const auto next = nextStep(site);
  if (context.json) {
    context.out << nlohmann::json{{"dataFolder", site.dataFolder.string()}, {"hostName", site.hostName}}.dump(2)
                << "\n";
    return Exit::Ok;
  }
  context.out << "A site was made in " << site.dataFolder.string() << ".\n"
              << "  " << keepWhat(site) << "\n"
              << "  " << next << "\n";
  return Exit::Ok;
}

}  // namespace postern::cli
