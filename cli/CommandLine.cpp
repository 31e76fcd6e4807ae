#include "cli/CommandLine.h"

#include "cli/AuditVerbs.h"
#include "cli/Certificate.h"
#include "cli/DeliveryReports.h"
#include "cli/HopsVerb.h"
#include "cli/Init.h"
#include "cli/KeysVerbs.h"
#include "cli/MachineVerbs.h"
#include "cli/MailVerbs.h"
#include "cli/ManPage.h"
#include "cli/OrderVerbs.h"
#include "cli/PolicyVerbs.h"
#include "cli/ProbeVerbs.h"
#include "cli/Reload.h"
#include "cli/Reports.h"
#include "cli/SearchVerbs.h"
#include "cli/Send.h"
#include "cli/Supervisor.h"
#include "cli/TlsReportVerb.h"
#include "core/app/Orders.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/Encoding.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace postern::cli {

using nlohmann::json;

namespace {

using Action = std::function<Exit(const Context&)>;

// What one verb was given; lives as long as the parser that fills it.
struct Given {
  std::map<std::string, std::string> texts;
  std::map<std::string, bool> flags;
};

std::string readInput(const std::string& file) {
  if (file != "-") return files::read(file);
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

// Certificates may be DER: orders are JSON, so what is not text travels as base64.
std::string asText(const std::string& content) {
  const bool text = std::none_of(content.begin(), content.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
  });
  return text ? content : crypto::base64(content);
}

json argumentsOf(const OrderVerb& verb, const Given& given) {
  json args = json::object();
  for (const auto& parameter : verb.parameters) {
    if (parameter.kind == Parameter::Kind::Flag) {
      if (*parameter.field == '\0') continue;  // for the command line itself
      if (given.flags.at(parameter.name)) args[parameter.field] = true;
      continue;
    }
    const auto& value = given.texts.at(parameter.name);
    if (value.empty()) continue;
    if (parameter.kind == Parameter::Kind::FileContent)
      args[parameter.field] = asText(readInput(value));
    else if (parameter.type == Parameter::Type::Number)
      args[parameter.field] = std::stoll(value);
    else
      args[parameter.field] = value;
  }
  return args;
}

// The lines of describeSiteConfig ("[section]", "# meaning", "key = value", values as in JSON) as
// {section: {key: {value, meaning}}}.
json settingsAsJson(const std::string& described) {
  json settings = json::object();
  std::string section, meaning, line;
  std::istringstream lines(described);
  while (std::getline(lines, line)) {
    const auto equals = line.find(" = ");
    if (line.starts_with('[')) {
      section = line.substr(1, line.size() - 2);
    } else if (line.starts_with("# ")) {
      meaning = line.substr(2);
    } else if (equals != std::string::npos) {
      const auto text = line.substr(equals + 3);
      auto value = json::parse(text, nullptr, false);
      settings[section][line.substr(0, equals)] = {{"value", value.is_discarded() ? json(text) : value},
                                                   {"meaning", meaning}};
    }
  }
  return settings;
}

// What is a text by its nature: as it is, or as the one field of a document.
Exit writeText(const Context& context, const std::string& text) {
  context.out << (context.json ? json{{"text", text}}.dump(2) + "\n" : text);
  return Exit::Ok;
}

void collectVerbs(const CLI::App& app, const std::string& before, std::vector<std::string>& verbs) {
  const auto below = app.get_subcommands({});
  // "tlsrpt FILE" stands beside "tlsrpt list".
  const bool alone = !app.get_options([](const CLI::Option* option) { return option->get_positional(); }).empty();
  if (below.empty() || alone) verbs.push_back(before);
  for (const auto* one : below) collectVerbs(*one, (before.empty() ? "" : before + " ") + one->get_name(), verbs);
}

class Parser {
public:
  Parser() : app_("Postern: secure mailing lists and mail gateway", "postern") {
    app_.require_subcommand(1);
    app_.add_option("--data", dataFolder_, "folder of the site")->envname("POSTERN_DATA")->capture_default_str();
    app_.add_option("--token-file", tokenFile_, "acts as the person of the access token in this file")
        ->envname("POSTERN_TOKEN_FILE");
    app_.add_flag("--json", json_, "answer in JSON");
    app_.set_version_flag("--version", "postern " POSTERN_VERSION);
    app_.fallthrough();
    addOrderVerbs();
    addSiteVerbs();
    addPolicyVerbs();
    addMailVerbs();
    addKeysVerbs();
    const Choose choose = [this](std::function<Exit(const Context&)> action) { action_ = std::move(action); };
    addBackupVerbs(noun("backup"), choose);
    addMachineVerbs(app_, noun("config"), choose);
    addAuditVerbs();
    addReportVerbs();
  }

  std::vector<std::string> verbs() const {
    std::vector<std::string> all;
    collectVerbs(app_, "", all);
    return all;
  }

  Exit run(std::vector<std::string> arguments, std::ostream& out, std::ostream& err) {
    std::reverse(arguments.begin(), arguments.end());
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
      if (json_ && error.get_exit_code() != 0) throw app::OrderRefused({"usage", error.what(), "see: postern --help"});
      return app_.exit(error, out, err) == 0 ? Exit::Ok : Exit::Usage;
    }
    return action_({dataFolder_, json_, out, err, readToken()});
  }

private:
  // The token never stands in the arguments, which every user of the machine can read.
  std::string readToken() const {
    if (tokenFile_.empty()) {
      const auto* fromEnvironment = std::getenv("POSTERN_TOKEN");
      return fromEnvironment != nullptr ? fromEnvironment : "";
    }
    auto token = files::read(tokenFile_);
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
    if (token.empty()) throw Error(ErrorKind::Config, tokenFile_ + " holds no token");
    return token;
  }

  CLI::App& noun(const std::string& name) {
    for (auto* existing : app_.get_subcommands([&](CLI::App* app) { return app->get_name() == name; }))
      return *existing;
    auto& made = *app_.add_subcommand(name, nounDoc(name));
    made.require_subcommand(1);
    return made;
  }

  CLI::App& leaf(const char* nounName, const char* verb, const char* doc) {
    if (*verb == '\0') return *app_.add_subcommand(nounName, doc);
    return *noun(nounName).add_subcommand(verb, doc);
  }

  void addOrderVerbs() {
    for (const auto& verb : orderVerbs()) {
      auto& command = leaf(verb.noun, verb.verb, verb.doc);
      auto given = std::make_shared<Given>();
      for (const auto& parameter : verb.parameters) addParameter(command, parameter, *given);
      if (verb.waitsForJob) command.add_flag("--no-wait", given->flags["--no-wait"], "do not wait until it is done");
      command.callback([this, &verb, given] {
        action_ = [&verb, given](const Context& context) {
          const auto result = context.give(verb.order, argumentsOf(verb, *given));
          if (verb.waitsForJob && !given->flags["--no-wait"] && result.contains("job") && result["job"].is_number())
            return waitForJob(context, result["job"].get<std::uint64_t>());
          if (context.json)
            context.out << result.dump(2) << "\n";
          else
            verb.render(context.out, result);
          return given->flags["--check"] && hasErrors(result) ? Exit::No : Exit::Ok;
        };
      });
    }
  }

  static void addParameter(CLI::App& command, const Parameter& parameter, Given& given) {
    if (parameter.kind == Parameter::Kind::Flag) {
      command.add_flag(parameter.name, given.flags[parameter.name], parameter.doc);
      return;
    }
    auto* added = command.add_option(parameter.name, given.texts[parameter.name], parameter.doc);
    added->required(parameter.required);
    if (parameter.type == Parameter::Type::Number) added->check(CLI::NonNegativeNumber);
  }

  void addSiteVerbs() {
    auto init = std::make_shared<InitOptions>();
    auto& make = *app_.add_subcommand("init", "Makes a site in the data folder.");
    make.add_option("--host-name", init->hostName, "name of this machine in mail")->capture_default_str();
    make.add_option("--smtp", init->listen, "address for SMTP, as in 0.0.0.0:25; may be given again");
    make.add_option("--smtps", init->listenTls, "address for SMTP in TLS, as in 0.0.0.0:465; may be given again");
    make.add_option("--web", init->web, "address of the web UI");
    make.add_option("--root-key", init->rootKeySource, "file, passphrase or credential:NAME")->capture_default_str();
    make.callback([this, init] { action_ = [init](const Context& c) { return initSite(c, *init); }; });
    addCertificateVerbs(noun("certificate"), [this](Action action) { action_ = std::move(action); });
    const auto plain = [this](const char* verb, const char* doc, Exit (*act)(const Context&)) {
      app_.add_subcommand(verb, doc)->callback([this, act] { action_ = act; });
    };
    plain("reload", "Has the running processes read postern.toml again.", reloadSite);
    plain("run", "Runs all processes of the site until stopped.", runSite);
    auto domain = std::make_shared<std::string>();
    auto& ask = *app_.add_subcommand("probe", "Asks the mail servers of a domain for their TLS.");
    ask.add_option("domain", *domain, "the recipients' domain")->required();
    ask.callback([this, domain] { action_ = [domain](const Context& c) { return probe(c, *domain); }; });

    auto& check = *noun("config").add_subcommand("check", "Checks postern.toml.");
    check.callback([this] {
      action_ = [](const Context& c) {
        config::loadSiteConfig(c.dataFolder);
        c.out << (c.json ? "{\"ok\": true}" : "The configuration is right.") << "\n";
        return Exit::Ok;
      };
    });
    auto& show = *noun("config").add_subcommand("show", "Shows every setting with its value and meaning.");
    show.callback([this] {
      action_ = [](const Context& c) {
        const auto described = config::describeSiteConfig(config::loadSiteConfig(c.dataFolder));
        c.out << (c.json ? settingsAsJson(described).dump(2) + "\n" : described);
        return Exit::Ok;
      };
    });

    auto send = std::make_shared<SendOptions>();
    auto& mail = *app_.add_subcommand("send", "Hands a message to the site by SMTP, as a mail program would.");
    mail.add_option("file", send->file, "RFC 5322 message, - for standard input")->required();
    mail.add_option("--from", send->from, "envelope sender; default: the From field");
    mail.add_option("--to", send->to, "recipient; may be given again; default: To and Cc");
    auto* secure = mail.add_flag("--secure", send->secure, "send it protected to people elsewhere, as an account");
    mail.add_option("--as", send->account, "with --secure: the account whose message it is")->needs(secure);
    mail.add_option("--key", send->key, "with --secure: the same key sends once, however often it is tried")
        ->needs(secure);
    mail.callback([this, send] { action_ = [send](const Context& c) { return sendMessage(c, *send); }; });

    auto hops = std::make_shared<HopsOptions>();
    auto& way = *app_.add_subcommand("hops", "Tells of each hop of a message whether it was encrypted.");
    way.add_option("file", hops->file, "RFC 5322 message or its header, - for standard input")->required();
    way.add_option("--own", hops->ownDomains, "domain of your own organisation; may be given again");
    way.callback([this, hops] { action_ = [hops](const Context& c) { return showHops(c, *hops); }; });

    auto report = std::make_shared<std::string>();
    auto& received = noun("tlsrpt");  // with verbs of its own, or a file
    received.require_subcommand(0, 1);
    received.add_option("file", *report, "mail with a report, or the report, - for standard input");
    received.callback([this, report, &received] {
      if (!received.get_subcommands().empty()) return;
      if (report->empty()) throw CLI::RequiredError("file, list, show or days");
      action_ = [report](const Context& c) { return showTlsReport(c, *report); };
    });

    auto get = std::make_shared<ExportGetOptions>();
    auto& fetch = *noun("export").add_subcommand("get", "Writes the archive of an export to a file.");
    fetch.add_option("id", get->id, "the export")->required();
    fetch.add_option("file", get->file, "the file to make")->required();
    fetch.callback([this, get] { action_ = [get](const Context& c) { return getExport(c, *get); }; });

    auto pack = std::make_shared<ExportGetOptions>();
    pack->evidence = true;
    auto& fetchPack = *noun("evidence").add_subcommand("get", "Writes an evidence pack to a file.");
    fetchPack.add_option("id", pack->id, "the evidence pack")->required();
    fetchPack.add_option("file", pack->file, "the file to make")->required();
    fetchPack.callback([this, pack] { action_ = [pack](const Context& c) { return getExport(c, *pack); }; });

    auto& man = *app_.add_subcommand("man", "Writes the manual page (groff).");
    man.callback([this] {
      action_ = [](const Context& c) {
        std::ostringstream page;
        writeManPage(page);
        return writeText(c, page.str());
      };
    });
    auto& completion = *app_.add_subcommand("completion", "Writes the completion for bash.");
    completion.callback([this] {
      action_ = [](const Context& c) {
        std::ostringstream script;
        writeCompletion(script);
        return writeText(c, script.str());
      };
    });
  }

  void addReportVerbs() {
    auto asked = std::make_shared<DeliveryOptions>();
    auto& made = *noun("report").add_subcommand("delivery", "Tells how mail came, what was done with it, how it left.");
    made.add_option("--post", asked->post, "Message-ID, queue id or number of a post");
    made.add_option("--recipient", asked->recipient, "address of one recipient");
    made.add_option("--list", asked->list, "address of a list");
    made.add_option("--from", asked->from, "first day, as 2026-03-01");
    made.add_option("--until", asked->until, "last day");
    made.add_option("--out", asked->out, "file to write; without --csv and --html as JSON");
    made.add_flag("--csv", asked->csv, "as CSV");
    made.add_flag("--html", asked->html, "as a page to print");
    made.callback([this, asked] { action_ = [asked](const Context& c) { return showDeliveryReport(c, *asked); }; });
    auto check = std::make_shared<VerifyOptions>();
    auto& verify = *noun("report").add_subcommand("verify", "Checks the signature of reports; needs no site.");
    verify.add_option("file", check->file, "signed reports, - for standard input")->required();
    verify.add_option("--key", check->key, "file with the site's public key (PEM)");
    verify.callback([this, check] { action_ = [check](const Context& c) { return verifyReports(c, *check); }; });
  }

  void addPolicyVerbs() {
    auto folder = std::make_shared<std::string>();
    const auto add = [&](const char* verb, const char* doc, Exit (*act)(const Context&, const std::string&)) {
      auto& command = *noun("policy").add_subcommand(verb, doc);
      command.add_option("folder", *folder, "folder of policies; default: that of the site");
      command.callback([this, act, folder] { action_ = [act, folder](const Context& c) { return act(c, *folder); }; });
    };
    add("check", "Checks that the policies load.", checkPolicies);
    add("test", "Runs the cases of the policies.", testPolicies);
    cli::addPolicyVerbs(noun("policy"), [this](Action action) { action_ = std::move(action); });
  }

  void addMailVerbs() {
    auto asked = std::make_shared<MailCheckOptions>();
    auto& check = *noun("mail").add_subcommand("check", "Checks whether a message is of whom it says.");
    check.add_option("file", asked->file, "the message, - for standard input")->required();
    check.add_option("--ip", asked->address, "address of the server that sent it")->required();
    check.add_option("--mail-from", asked->mailFrom, "its envelope sender; default: the null sender");
    check.add_option("--helo", asked->helo, "the name it gave in EHLO");
    check.callback([this, asked] { action_ = [asked](const Context& c) { return checkMail(c, *asked); }; });
  }

  void addKeysVerbs() {
    auto path = std::make_shared<std::string>();
    const auto add = [&](const char* verb, const char* doc) {
      auto* command = noun("keys").add_subcommand(verb, doc);
      command->add_option("path", *path, "the backup of the keys")->required();
      return command;
    };
    add("backup", "Writes a sealed backup of the keys to a new file.")->callback([this, path] {
      action_ = [path](const Context& c) { return backupKeys(c, *path); };
    });
    add("verify", "Opens a backup of the keys and every key in it.")->callback([this, path] {
      action_ = [path](const Context& c) { return verifyKeys(c, *path); };
    });
    auto replace = std::make_shared<bool>(false);
    auto* restore = add("restore", "Puts a backup of the keys in place while the site is stopped.");
    restore->add_flag("--replace", *replace, "lose the keys that are there and not in the backup");
    restore->callback([this, path, replace] {
      action_ = [path, replace](const Context& c) { return restoreKeys(c, *path, *replace); };
    });
    auto job = std::make_shared<std::uint64_t>(0);
    auto& watch = *noun("job").add_subcommand("watch", "Shows how a job goes until it has ended.");
    watch.add_option("id", *job, "the job")->required();
    watch.callback([this, job] { action_ = [job](const Context& c) { return waitForJob(c, *job); }; });
  }

  // What works on the file of the log instead of asking listd, so that it also works on a copy.
  void addAuditVerbs() {
    struct Asked {
      AuditFiles files;
      std::uint64_t from = 0;
      std::uint64_t to = UINT64_MAX;
    };
    auto asked = std::make_shared<Asked>();
    const auto add = [&](const char* verb, const char* doc, std::function<Exit(const Context&, const Asked&)> act) {
      auto* command = noun("audit").add_subcommand(verb, doc);
      command->add_option("--db", asked->files.database, "database file; default: that of the site");
      command->callback([this, act, asked] { action_ = [act, asked](const Context& c) { return act(c, *asked); }; });
      return command;
    };
    auto* verify = add("verify", "Verifies the audit log; exit 0 to 7 as in docs/audit.md.",
                       [](const Context& c, const Asked& a) { return verifyAudit(c, a.files, a.from); });
    verify->add_option("--pub", asked->files.publicKey, "file with the log's public key");
    verify->add_option("--anchors", asked->files.anchors, "folder of checkpoints that were kept elsewhere");
    verify->add_option("--from", asked->from, "first entry to look at");
    add("prove", "Proves that an entry is in the log.",
        [](const Context& c, const Asked& a) { return proveAudit(c, a.files, a.from); })
        ->add_option("--seq", asked->from, "number of the entry")
        ->required();
    auto* consistency =
        add("consistency", "Proves that the log only grew between two sizes.",
            [](const Context& c, const Asked& a) { return proveAuditConsistency(c, a.files, a.from, a.to); });
    consistency->add_option("from", asked->from, "smaller size")->required();
    consistency->add_option("to", asked->to, "larger size")->required();
    auto* written = add("export", "Writes entries with their proofs as JSON lines.",
                        [](const Context& c, const Asked& a) { return exportAudit(c, a.files, a.from, a.to); });
    written->add_option("--from", asked->from, "first entry");
    written->add_option("--to", asked->to, "entry before which to stop");
    auto reason = std::make_shared<std::string>();
    auto& declare = *noun("audit").add_subcommand("declare-rollback",
                                                  "Asks that the log say that a restore put it back; two people.");
    declare.add_option("--reason", *reason, "why it was put back")->required();
    declare.add_option("--anchors", asked->files.anchors, "folder of checkpoints that were kept elsewhere");
    declare.callback([this, asked, reason] {
      action_ = [asked, reason](const Context& c) { return declareAuditRollback(c, asked->files, *reason); };
    });
    noun("audit")
        .add_subcommand("anchor", "Carries the newest checkpoint to the places of section [audit].")
        ->callback([this] { action_ = [](const Context& c) { return anchorAudit(c); }; });
  }

  CLI::App app_;
  std::string tokenFile_;
  std::string dataFolder_ = "/var/lib/postern";
  bool json_ = false;
  Action action_;
};

Exit report(const Context& context, Exit code, const std::string& kind, const std::string& message,
            const std::string& hint) {
  if (context.json) {
    context.out << json{{"error", {{"code", kind}, {"message", message}, {"hint", hint}}}}.dump(2) << "\n";
  } else {
    context.err << "postern: " << message << "\n";
    if (!hint.empty()) context.err << "  " << hint << "\n";
  }
  return code;
}

Exit exitOf(const app::OrderError& error) {
  if (error.code == "usage" || error.code == "invalid") return Exit::Usage;
  return error.code == "broken" || error.code == "unavailable" ? Exit::Broken : Exit::No;
}

}  // namespace

std::vector<std::string> allVerbs() {
  return Parser().verbs();
}

Exit runCommandLine(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  const bool asJson = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  const Context context{"", asJson, out, err, ""};
  try {
    return Parser().run(arguments, out, err);
  } catch (const app::OrderRefused& refused) {
    return report(context, exitOf(refused.error()), refused.error().code, refused.error().message,
                  refused.error().hint);
  } catch (const Error& error) {
    return report(context, Exit::Broken, "broken", error.message(), "");
  } catch (const std::exception& error) {
    return report(context, Exit::Broken, "broken", error.what(), "");
  }
}

}  // namespace postern::cli
