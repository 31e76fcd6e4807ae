#include "cli/Certificate.h"

#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/Certificate.h"
#include "core/net/TlsServerContext.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

constexpr std::chrono::days RenewBefore{30};
constexpr const char* LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";

// The first certificate of a file, which may hold its chain behind it.
crypto::Certificate firstOf(const std::string& pem, const std::string& file) {
  constexpr std::string_view End = "-----END CERTIFICATE-----";
  const auto end = pem.find(End);
  auto parsed = crypto::Certificate::parse(end == std::string::npos ? pem : pem.substr(0, end + End.size()) + "\n");
  if (!parsed) throw Error(ErrorKind::Config, file + " holds no certificate: " + parsed.error().message);
  return *parsed;
}

// With the owner and permission of the file that was there: the processes have users of their own.
void replaceKeepingOwner(const std::filesystem::path& path, const std::string& content) {
  struct stat before {};
  const bool known = ::stat(path.c_str(), &before) == 0;
  const auto target = std::filesystem::is_symlink(path) ? std::filesystem::canonical(path) : path;
  files::replaceDurably(target, content, known ? before.st_mode & 0777 : 0600);
  if (known && ::chown(target.c_str(), before.st_uid, before.st_gid) != 0 && ::geteuid() == 0)
    throwErrno("give to its owner", target);
}

void install(const config::SiteConfig& site, const std::filesystem::path& certificate,
             const std::filesystem::path& key) {
  const net::TlsServerContext fits(certificate, key);  // throws when they do not belong together
  const auto pem = files::read(certificate);
  const auto first = firstOf(pem, certificate.string());
  const auto now = SystemClock().now();
  if (first.notAfter() < now || first.notBefore() > now)
    throw Error(ErrorKind::Config, certificate.string() + " is not in force now");
  replaceKeepingOwner(site.path(site.certificateKey), files::read(key));
  replaceKeepingOwner(site.path(site.certificate), pem);
}

json factsOf(const config::SiteConfig& site) {
  const auto path = site.path(site.certificate);
  const auto certificate = firstOf(files::read(path), path.string());
  return {{"file", path.string()},
          {"subject", certificate.subject()},
          {"issuer", certificate.issuer()},
          {"notAfter", formatRfc3339(certificate.notAfter())},
          {"daysLeft", (certificate.notAfter() - SystemClock().now()) / std::chrono::days(1)}};
}

Exit show(const Context& context, const config::SiteConfig& site, const std::string& first) {
  auto facts = factsOf(site);
  if (context.json) {
    facts["what"] = first;
    context.out << facts.dump(2) << "\n";
  } else {
    context.out << first << "\n  " << facts.at("subject").get<std::string>() << ", by "
                << facts.at("issuer").get<std::string>() << "\n  until " << facts.at("notAfter").get<std::string>()
                << ", " << facts.at("daysLeft") << " days\n";
  }
  return Exit::Ok;
}

// What is not said now is as it was said the last time.
json settingsFor(const config::SiteConfig& site, const AcmeOptions& options, const std::filesystem::path& file) {
  auto settings = std::filesystem::exists(file) ? json::parse(files::read(file)) : json::object();
  const auto set = [&](const char* name, const std::string& value, const std::string& otherwise) {
    if (!value.empty() || !settings.contains(name)) settings[name] = value.empty() ? otherwise : value;
  };
  set("mail", options.mail, "");
  set("server", options.server, LetsEncrypt);
  set("port", options.port, "80");
  if (!options.domains.empty() || !settings.contains("domains"))
    settings["domains"] = options.domains.empty() ? std::vector<std::string>{site.hostName} : options.domains;
  if (options.agree) settings["agreed"] = true;
  if (settings.at("mail").get<std::string>().empty())
    throw Error(ErrorKind::Config, "say --mail ADDRESS: the authority writes there when something is wrong");
  if (!settings.value("agreed", false))
    throw Error(ErrorKind::Config, "the authority has terms; read them and say --agree");
  return settings;
}

void runLego(const json& settings, const std::filesystem::path& folder, bool renew) {
  std::vector<std::string> words = {"lego",
                                    "--accept-tos",
                                    "--path",
                                    folder.string(),
                                    "--server",
                                    settings.at("server"),
                                    "--email",
                                    settings.at("mail"),
                                    "--http",
                                    "--http.port",
                                    ":" + settings.at("port").get<std::string>()};
  for (const auto& domain : settings.at("domains")) words.insert(words.end(), {"--domains", domain});
  words.emplace_back(renew ? "renew" : "run");
  if (renew) words.insert(words.end(), {"--days", "36500"});  // whether it is time was decided before
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const auto child = ::fork();
  if (child < 0) throwErrno("start", "lego");
  if (child == 0) {
    ::dup2(STDERR_FILENO, STDOUT_FILENO);  // its words are no answer of ours
    ::execvp("lego", arguments.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    throw Error(ErrorKind::Config, "the program lego is not installed: apt install lego");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Error(ErrorKind::Unavailable,
                "the authority gave no certificate; lego says above why. The old one stays in force");
}

}  // namespace

Exit acmeCertificate(const Context& context, const AcmeOptions& options) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  const auto folder = site.path("acme");
  const auto file = folder / "settings.json";
  const auto before = std::filesystem::exists(file) ? files::read(file) : std::string();
  const auto settings = settingsFor(site, options, file);
  const std::string name = settings.at("domains").at(0);
  const auto made = folder / "certificates" / (name + ".crt");
  const bool same = before == settings.dump();
  if (same && std::filesystem::exists(made) &&
      firstOf(files::read(made), made.string()).notAfter() - SystemClock().now() > RenewBefore) {
    install(site, made, folder / "certificates" / (name + ".key"));
    return show(context, site, "The certificate need not be renewed yet.");
  }
  files::makePrivateFolder(folder);
  runLego(settings, folder, same && std::filesystem::exists(made));
  files::replaceDurably(file, settings.dump());
  install(site, made, folder / "certificates" / (name + ".key"));
  return show(context, site, "A certificate was got and installed; the processes take it over by themselves.");
}

Exit installCertificate(const Context& context, const std::string& certificate, const std::string& key) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  install(site, certificate, key);
  return show(context, site, "The certificate was installed; the processes take it over by themselves.");
}

Exit showCertificate(const Context& context) {
  return show(context, config::loadSiteConfig(context.dataFolder), "The certificate of the mail ports and the web UI.");
}

void addCertificateVerbs(CLI::App& noun, const std::function<void(std::function<Exit(const Context&)>)>& choose) {
  auto asked = std::make_shared<AcmeOptions>();
  auto& acme = *noun.add_subcommand("acme", "Gets and renews the TLS certificate by ACME (HTTP-01).");
  acme.add_option("--mail", asked->mail, "address of the account at the authority");
  acme.add_option("--domain", asked->domains, "name of the certificate; may be given again; default: the host name");
  acme.add_option("--server", asked->server, "directory of the authority; default: Let's Encrypt");
  acme.add_option("--http-port", asked->port, "port on which the authority asks this machine; default: 80");
  acme.add_flag("--agree", asked->agree, "you agree to the terms of the authority");
  acme.callback([choose, asked] { choose([asked](const Context& c) { return acmeCertificate(c, *asked); }); });
  auto files = std::make_shared<std::pair<std::string, std::string>>();
  auto& put = *noun.add_subcommand("install", "Puts a TLS certificate and its key in place.");
  put.add_option("certificate", files->first, "PEM file with the certificate and its chain")->required();
  put.add_option("key", files->second, "PEM file with its private key")->required();
  put.callback([choose, files] {
    choose([files](const Context& c) { return installCertificate(c, files->first, files->second); });
  });
  auto& shown = *noun.add_subcommand("server", "Shows the TLS certificate in place.");
  shown.callback([choose] { choose([](const Context& c) { return showCertificate(c); }); });
}

}  // namespace postern::cli
