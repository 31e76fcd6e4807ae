#include "cli/KeysVerbs.h"
#include "cli/PolicyVerbs.h"
#include "cli/Render.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/Encoding.h"
#include "core/policy/PolicySet.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

std::string messageIn(const std::string& file) {
  if (file != "-") return files::read(file);
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

// The texts of a folder as orders take them; without a folder that of the site.
json filesIn(const Context& context, std::string folder) {
  if (folder.empty()) {
    const auto site = config::loadSiteConfig(context.dataFolder);
    folder = site.path(site.policyFolder).string();
  }
  auto texts = policy::readSet(folder);
  if (!texts) {
    const auto& problem = texts.error().front();
    throw Error(ErrorKind::Config, (problem.file.empty() ? "" : problem.file + ": ") + problem.text);
  }
  json files = json::object();
  for (const auto& file : texts->files) files[file.path] = file.text;
  const auto order = std::filesystem::path(folder) / "order.txt";
  if (std::filesystem::exists(order)) files["order.txt"] = files::read(order);
  return files;
}

void addSet(const Context& context, const PolicyTrial& trial, json& args) {
  if (trial.revision != 0)
    args["revision"] = trial.revision;
  else
    args["files"] = filesIn(context, trial.folder);
}

std::string inWords(const json& verdict) {
  auto words = verdict.value("verdict", "");
  if (verdict.value("code", 0) != 0)
    words += " " + std::to_string(verdict.value("code", 0)) + " " + verdict.value("enh", "");
  if (!verdict.value("reason", "").empty()) words += " (" + verdict.value("reason", "") + ")";
  if (!verdict.value("text", "").empty()) words += ": " + verdict.value("text", "");
  return words;
}

void printStep(std::ostream& out, const json& step, const json& recipients) {
  out << "  " << step.value("policy", "") << "  " << step.value("micros", 0) << " us\n";
  for (std::size_t i = 0; i < step.at("verdicts").size(); ++i) {
    const auto& verdict = step["verdicts"][i];
    out << "    " << recipients.at(i).get<std::string>() << ": "
        << (verdict.is_null() ? "decided before" : inWords(verdict)) << "\n";
  }
  for (const auto& note : step.at("notes"))
    out << "    notes " << note.value("key", "") << " = " << note.value("value", "") << "\n";
}

void printExplanation(std::ostream& out, const json& view) {
  if (const auto unclear = view.value("unclear", ""); !unclear.empty())
    out << "Refused before any policy is asked: " << unclear << "\n";
  for (const auto& hook : view.value("hooks", json::array())) {
    out << "hook " << hook.value("hook", "") << "\n";
    for (const auto& step : hook.at("steps")) printStep(out, step, hook.at("recipients"));
    if (hook.at("failure").is_object())
      out << "  FAILS (" << hook["failure"].value("kind", "") << ") " << hook["failure"].value("policy", "") << " "
          << hook["failure"].value("detail", "") << "\n";
  }
  out << "result\n";
  for (const auto& one : view.value("recipients", json::array())) {
    out << "  " << one.value("address", "") << ": " << inWords(one);
    if (!one.value("policy", "").empty()) out << ", by " << one.value("policy", "") << " in " << one.value("hook", "");
    out << "\n";
  }
}

void printReport(std::ostream& out, const json& report) {
  for (const auto& problem : report.value("problems", json::array()))
    out << problem.value("file", "") << ":" << problem.value("line", 0) << ": " << problem.value("text", "") << "\n";
  for (const auto& one : report.value("cases", json::array()))
    if (!one.value("ok", false))
      out << "FAILS " << one.value("policy", "") << ": " << one.value("title", "") << "\n      "
          << one.value("text", "") << "\n";
}

Exit print(const Context& context, const json& view, const std::string& text) {
  context.out << (context.json ? view.dump(2) : text) << "\n";
  return Exit::Ok;
}

void printKinds(std::ostream& out, const json& view) {
  out << view.value("compared", 0) << " compared, " << view.value("different", 0) << " would be judged otherwise, "
      << view.value("failed", 0) << " failed\n";
  for (const auto& kind : view.value("kinds", json::array())) {
    out << "  " << kind.value("hook", "") << ": " << kind.value("now", "") << " -> " << kind.value("then", "") << ": "
        << kind.value("messages", 0) << " messages, " << kind.value("recipients", 0) << " recipients\n";
    for (const auto& example : kind.value("examples", json::array()))
      out << "    as " << example.get<std::string>() << "\n";
  }
}

}  // namespace

Exit explainPolicies(const Context& context, const PolicyTrial& trial) {
  json args = json::object();
  if (!trial.post.empty())
    args["post"] = trial.post;
  else if (trial.file.empty())
    throw Error(ErrorKind::Config, "give a message, or --post ID");
  else
    args["message"] = crypto::base64(messageIn(trial.file));
  if (!trial.clientAddress.empty()) args["clientAddress"] = trial.clientAddress;
  if (!trial.clientName.empty()) args["clientName"] = trial.clientName;
  if (!trial.helo.empty()) args["helo"] = trial.helo;
  if (!trial.mailFrom.empty()) args["mailFrom"] = trial.mailFrom;
  if (!trial.recipients.empty()) args["recipients"] = trial.recipients;
  if (trial.tls) args["tls"] = true;
  if (trial.revision != 0 || !trial.folder.empty()) addSet(context, trial, args);
  const auto view = context.give("policy.explain", args);
  if (context.json)
    context.out << view.dump(2) << "\n";
  else if (view.contains("report"))
    printReport(context.out, view["report"]);
  else
    printExplanation(context.out, view);
  return view.contains("report") ? Exit::No : Exit::Ok;
}

Exit storePolicies(const Context& context, const PolicyTrial& trial) {
  json args{{"files", filesIn(context, trial.folder)}, {"note", trial.reason}};
  const auto view = context.give("policy.store", args);
  const bool good = view.at("report").value("ok", false);
  if (!context.json) printReport(context.out, view["report"]);
  print(context, view,
        "stored as policy set " + view["revision"].dump() + (good ? "" : "; it cannot come into force as it is"));
  return good ? Exit::Ok : Exit::No;
}

// One order after the other: what does not pass its cases is stored, and stays out of force.
Exit reloadPolicies(const Context& context, const PolicyTrial& trial) {
  const auto stored = context.give("policy.store", {{"files", filesIn(context, trial.folder)}, {"note", trial.reason}});
  if (stored.value("state", "") == "in-force")
    return print(context, stored, "policy set " + stored["revision"].dump() + " is the same, and in force");
  if (!stored.at("report").value("ok", false)) {
    if (!context.json) printReport(context.out, stored["report"]);
    print(context, stored, "stored as policy set " + stored["revision"].dump() + "; the one in force stays");
    return Exit::No;
  }
  const auto view = context.give("policy.activate", {{"revision", stored["revision"]}, {"reason", trial.reason}});
  return print(context, view,
               "policy set " + view["revision"].dump() +
                   (view.value("atGateway", false) ? " is in force" : " comes into force when the gateway is back"));
}

Exit startShadow(const Context& context, const PolicyTrial& trial) {
  json args{{"hours", trial.hours}};
  addSet(context, trial, args);
  const auto view = context.give("policy.shadow-start", args);
  return print(context, view,
               "policy set " + view["revision"].dump() + " runs beside the one in force until " +
                   renderValue("untilAt", view["until"]));
}

Exit stopShadow(const Context& context) {
  return print(context, context.give("policy.shadow-stop", json::object()), "stopped; its report stays until the next");
}

Exit reportShadow(const Context& context) {
  const auto view = context.give("policy.shadow", json::object());
  if (context.json) return print(context, view, "");
  if (view.value("digest", "").empty()) {
    context.out << "No policy set has run beside the one in force since the gateway started.\n";
    return Exit::Ok;
  }
  context.out << (view.value("running", false) ? "running" : "ended") << ", since "
              << renderValue("sinceAt", view["since"]) << ", until " << renderValue("untilAt", view["until"]) << "; "
              << view.value("dropped", 0) << " not looked at for want of time\n";
  printKinds(context.out, view);
  return Exit::Ok;
}

Exit replayPolicies(const Context& context, const PolicyTrial& trial) {
  json args{{"days", trial.days}};
  addSet(context, trial, args);
  const auto started = context.give("policy.replay", args);
  const auto job = started.at("job").is_number() ? started["job"].get<std::uint64_t>() : 0;
  if (trial.noWait || job == 0) return print(context, started, "job " + std::to_string(job));
  const auto exit = waitForJob(context, job);
  if (context.json || exit != Exit::Ok) return exit;
  const auto result = context.give("job.show", {{"id", job}}).value("result", json::object());
  printKinds(context.out, result);
  for (const auto& one : result.value("messages", json::array()))
    context.out << "  post " << one.value("post", 0) << " " << one.value("queueId", "") << ": " << one.value("now", "")
                << " -> " << one.value("then", "") << "\n";
  return exit;
}

void addPolicyVerbs(CLI::App& policy, const Choose& choose) {
  auto trial = std::make_shared<PolicyTrial>();
  const auto leaf = [&](CLI::App& parent, const char* name, const char* doc, auto act) {
    auto& command = *parent.add_subcommand(name, doc);
    command.callback([choose, trial, act] { choose([trial, act](const Context& c) { return act(c, *trial); }); });
    return &command;
  };
  auto& explain =
      *leaf(policy, "explain", "Tells what each policy says to a message, and which decides.", explainPolicies);
  explain.add_option("file", trial->file, "the message, - for standard input");
  explain.add_option("--post", trial->post, "instead: a stored message by Message-ID, queue id or number");
  explain.add_option("--client-ip", trial->clientAddress, "address of the server that sends it; default: this machine");
  explain.add_option("--client-name", trial->clientName, "its verified name");
  explain.add_option("--helo", trial->helo, "the name it gives in EHLO");
  explain.add_option("--mail-from", trial->mailFrom, "envelope sender; default: the From field");
  explain.add_option("--rcpt", trial->recipients, "recipient; may be given again; default: To and Cc");
  explain.add_flag("--tls", trial->tls, "it comes over TLS");
  explain.add_option("--folder", trial->folder, "ask the policies of this folder, not those in force");
  explain.add_option("--revision", trial->revision, "ask this stored set");

  auto& reload =
      *leaf(policy, "reload", "Puts the policies of the folder in force, if all their cases pass.", reloadPolicies);
  auto& store = *leaf(policy, "store", "Stores the policies of a folder without putting them in force.", storePolicies);
  auto& shadow = *policy.add_subcommand("shadow", "Has a policy set judge live mail beside the one in force.");
  shadow.require_subcommand(1);
  auto& start = *leaf(shadow, "start", "Begins; changes no outcome.", startShadow);
  leaf(shadow, "stop", "Ends it.", [](const Context& c, const PolicyTrial&) { return stopShadow(c); });
  leaf(shadow, "report", "Counts what would be judged otherwise.",
       [](const Context& c, const PolicyTrial&) { return reportShadow(c); });
  auto& replay =
      *leaf(policy, "replay", "Has a policy set judge stored mail, and counts what would differ.", replayPolicies);
  for (auto* command : {&reload, &store, &start, &replay})
    command->add_option("folder", trial->folder, "folder of policies; default: that of the site");
  reload.add_option("--reason", trial->reason, "why, for the history")->required();
  store.add_option("--note", trial->reason, "what it is for");
  start.add_option("--hours", trial->hours, "for how long")->capture_default_str();
  replay.add_option("--days", trial->days, "the messages of how many days")->capture_default_str();
  replay.add_flag("--no-wait", trial->noWait, "do not wait until it is done");
  for (auto* command : {&start, &replay}) command->add_option("--revision", trial->revision, "a stored set instead");
}

}  // namespace postern::cli
