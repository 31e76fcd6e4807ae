#include "cli/KeysVerbs.h"

#include "cli/Render.h"
#include "core/app/Orders.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/vault/KeyBackup.h"

#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

constexpr std::chrono::milliseconds PollFirst{50};
constexpr std::chrono::milliseconds PollLast{1000};
constexpr std::size_t BarWidth = 30;

void renderStatus(std::ostream& out, const json& result) {
  const auto& root = result.at("rootKey");
  out << "root key: " << root.at("source").get<std::string>() << ", epoch " << root.at("epoch") << ", since "
      << renderValue("sinceAt", root.at("since")) << "\n";
  if (root.at("source") == "file")
    out << "  It lies beside the data it protects: who takes the disk has both. A passphrase or a systemd credential "
           "keeps them apart.\n";
  out << "objects: " << result.at("current") << " of " << result.at("total") << " under the current epoch\n"
      << "contents on disk: " << result.at("vaultBytes") << " bytes\n";
  const auto& backup = result.at("backup");
  if (backup.at("age").is_null())
    out << "backup of the keys: none yet; make one with: postern keys backup PATH\n";
  else
    out << "backup of the keys: " << renderValue("backupAt", backup.at("at")) << "\n";
  out << "  Backups of the keys live " << backup.at("keepDays")
      << " days. Delete older ones: what was destroyed can be brought back by one that is older.\n";
  const auto& rotation = result.at("rotation");
  if (!rotation.at("job").is_null())
    out << "last rotation: job " << rotation.at("job") << " (" << rotation.at("what").get<std::string>() << "), "
        << rotation.at("state").get<std::string>() << ": " << rotation.at("message").get<std::string>() << "\n";
  renderTable(
      out, result.at("epochs"),
      {{"LIST", "list"}, {"EPOCH", "epoch"}, {"SINCE", "createdAt"}, {"OBJECTS", "objects"}, {"CURRENT", "current"}},
      "No keys of lists yet.");
}

void renderJob(std::ostream& out, const json& job) {
  renderRecord(out, job);
}

std::string barOf(const json& job) {
  const auto done = job.at("done").get<std::uint64_t>(), total = job.at("total").get<std::uint64_t>();
  if (total == 0) return job.at("message").get<std::string>();
  const auto part = std::min<std::uint64_t>(done, total) * BarWidth / total;
  return "[" + std::string(part, '#') + std::string(BarWidth - part, '.') + "] " +
         std::to_string(std::min(done, total) * 100 / total) + "%  " + job.at("message").get<std::string>();
}

Exit endOf(const Context& context, const json& job) {
  const auto state = job.at("state").get<std::string>();
  if (context.json)
    context.out << job.dump(2) << "\n";
  else if (state == "done")
    context.out << "done" << (job.at("message") == "" ? "" : ": ") << job.at("message").get<std::string>() << "\n";
  else
    context.err << "postern: job " << job.at("id") << " " << state << ": " << job.at("message").get<std::string>()
                << "\n";
  return state == "done" ? Exit::Ok : Exit::No;
}

std::unique_ptr<vault::RootKeySource> sourceOf(const config::SiteConfig& site) {
  return vault::RootKeySource::open(site.rootKeySource, site.path(site.rootKey), vault::askPassphrase);
}

void copyDurably(const std::filesystem::path& from, const std::filesystem::path& to) {
  files::replaceDurably(to, files::read(from));
  std::filesystem::remove(from);
}

json viewOf(const vault::KeyBackupFacts& facts) {
  return {{"at", toMicros(facts.at)},
          {"epochs", facts.epochs},
          {"keys", facts.objects},
          {"registerRecords", facts.registerRecords}};
}

}  // namespace

std::vector<OrderVerb> keysVerbs() {
  const Parameter id{Kind::Positional, "id", "id", "the job", true};
  return {
      {"keys",
       "status",
       "keys.status",
       "Shows the root key, the epochs and the newest backup of the keys.",
       {},
       renderStatus},
      {"keys",
       "rotate",
       "keys.rotate",
       "Wraps keys anew under new ones; contents are not touched.",
       {{Kind::Positional, "what", "what", "lists or root", true}},
       renderJob,
       true},
      {"job",
       "list",
       "job.list",
       "Shows long work, newest first.",
       {{Kind::Option, "--limit", "limit", "most rows to show", false, Type::Number}},
       [](std::ostream& out, const json& result) {
         renderTable(out, result.at("items"),
                     {{"JOB", "id"},
                      {"KIND", "kind"},
                      {"STATE", "state"},
                      {"DONE", "done"},
                      {"OF", "total"},
                      {"STARTED", "createdAt"},
                      {"BY", "startedBy"},
                      {"MESSAGE", "message"}},
                     "No jobs yet.");
       }},
      {"job", "show", "job.show", "Shows one job.", {id}, renderJob},
      {"job", "cancel", "job.cancel", "Stops a job at its next step.", {id}, renderJob},
  };
}

Exit waitForJob(const Context& context, std::uint64_t id) {
  const bool terminal = !context.json && &context.out == &std::cout && ::isatty(STDOUT_FILENO) != 0;
  auto pause = PollFirst;
  while (true) {
    const auto job = context.give("job.show", {{"id", id}});
    if (terminal) context.out << "\r\033[K" << barOf(job) << std::flush;
    const auto state = job.at("state").get<std::string>();
    if (state != "waiting" && state != "running") {
      if (terminal) context.out << "\r\033[K";
      return endOf(context, job);
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, PollLast);
  }
}

Exit backupKeys(const Context& context, const std::string& path) {
  const auto target = std::filesystem::absolute(path);
  if (std::filesystem::exists(target)) throw Error(ErrorKind::Config, target.string() + " is there already");
  auto result = context.give("keys.backup", json::object());
  copyDurably(result.at("path").get<std::string>(), target);
  result["path"] = target.string();
  if (context.json)
    context.out << result.dump(2) << "\n";
  else
    context.out << result.at("keys") << " keys in " << result.at("epochs") << " epochs are in " << target.string()
                << ".\n  Keep it apart from backups of the content, and delete it in " << vault::KeyBackupLife.count()
                << " days: as long as it is there, it can bring back what is destroyed from now on.\n"
                   "  Only the root key of today opens it.\n";
  return Exit::Ok;
}

Exit verifyKeys(const Context& context, const std::string& path) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  const auto source = sourceOf(site);
  const auto facts = vault::verifyKeyBackup(path, *source);
  const bool old = facts.at + vault::KeyBackupLife < SystemClock(site.clockOffset).now();
  if (context.json) {
    auto view = viewOf(facts);
    view["overdue"] = old;
    context.out << view.dump(2) << "\n";
  } else {
    context.out << "good: " << facts.objects << " keys in " << facts.epochs << " epochs, made "
                << formatRfc3339(facts.at) << "\n";
    if (old)
      context.out << "  It is older than " << vault::KeyBackupLife.count()
                  << " days: delete it, it can bring back what was destroyed.\n";
  }
  return Exit::Ok;
}

Exit restoreKeys(const Context& context, const std::string& path, bool replace) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  const auto source = sourceOf(site);
  const auto result =
      vault::restoreKeyBackup(path, *source, site.path("keys/keys.db"), site.path("journal/register.log"), replace);
  if (context.json) {
    auto view = viewOf(result.backup);
    view["destroyed"] = result.destroyed;
    context.out << view.dump(2) << "\n";
  } else {
    context.out << "restored " << result.backup.objects << " keys of " << formatRfc3339(result.backup.at) << "; "
                << result.destroyed << " of them were destroyed since and stay destroyed.\n";
  }
  return Exit::Ok;
}

}  // namespace postern::cli
