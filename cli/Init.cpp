#include "cli/Init.h"

#include "cli/ShippedPolicies.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/Digest.h"
#include "core/crypto/SigningIdentity.h"
#include "core/vault/RootKeySource.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

namespace {

std::string tomlList(const std::vector<std::string>& items) {
  std::string list;
  for (const auto& item : items) list += (list.empty() ? "\"" : ", \"") + item + "\"";
  return "[" + list + "]";
}

// Goes through the parser, so that a wrong option is refused with the reader's own words before anything is made.
config::SiteConfig configOf(const Context& context, const InitOptions& options) {
  const auto listen =
      options.listen.empty() && options.listenTls.empty() ? std::vector<std::string>{"127.0.0.1:2525"} : options.listen;
  const std::string text = "[site]\nhost_name = \"" + options.hostName + "\"\n[gateway]\nlisten = " + tomlList(listen) +
                           "\nlisten_tls = " + tomlList(options.listenTls) + "\n[web]\nlisten = \"" + options.web +
                           "\"\n[store]\nroot_key_source = \"" + options.rootKeySource + "\"\n";
  return config::parseSiteConfig(text, context.dataFolder, "the options of postern init");
}

void writePolicies(const std::filesystem::path& folder) {
  for (const auto& file : shipped::all()) {
    const auto path = folder / file.path;
    files::makePrivateFolder(path.parent_path());
    files::replaceDurably(path, file.content);
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

}  // namespace

Exit initSite(const Context& context, const InitOptions& options) {
  const auto site = configOf(context, options);
  if (std::filesystem::exists(site.dataFolder / "postern.toml"))
    throw Error(ErrorKind::Config, "there is a site in " + site.dataFolder.string() + " already");
  for (const auto* folder : {"run", "tls", "keys", "gateway", "listd", "vault", "journal", "index", "exports"})
    files::makePrivateFolder(site.dataFolder / folder);
  const auto tls = crypto::makeSelfSignedTls(site.hostName, SystemClock().now());
  files::replaceDurably(site.path(site.certificate), tls.certificatePem, 0644);
  files::replaceDurably(site.path(site.certificateKey), tls.privateKeyPem.view());
  makeRootKey(site);
  writePolicies(site.path(site.policyFolder));
  files::replaceDurably(site.dataFolder / "postern.toml", config::describeSiteConfig(site));
  if (context.json) {
    context.out << nlohmann::json{{"dataFolder", site.dataFolder.string()}, {"hostName", site.hostName}}.dump(2)
                << "\n";
    return Exit::Ok;
  }
  context.out << "A site was made in " << site.dataFolder.string() << ".\n"
              << "  " << keepWhat(site) << "\n"
              << "  Next: postern --data " << site.dataFolder.string() << " run\n";
  return Exit::Ok;
}

}  // namespace postern::cli
