#include "cli/BackupVerbs.h"

#include "cli/BackupFiles.h"
#include "cli/Render.h"
#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Random.h"
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

constexpr std::chrono::milliseconds Poll{200};

bool onTerminal(const Context& context) {
  return !context.json && &context.out == &std::cout && ::isatty(STDOUT_FILENO) != 0;
}

// The step that is under way, with how much of it is done, on one line of a terminal.
void show(const Context& context, const std::string& step, double part = -1) {
  if (!onTerminal(context)) return;
  context.out << "\r\033[K" << step;
  if (part >= 0) context.out << ": " << static_cast<int>(part * 100) << "%";
  context.out << std::flush;
}

void endLine(const Context& context) {
  if (onTerminal(context)) context.out << "\r\033[K" << std::flush;
}

// What listd made ready; throws what the job failed with.
json prepare(const Context& context) {
  const auto id = context.give("backup.prepare", json::object()).at("job").get<std::uint64_t>();
  while (true) {
    const auto job = context.give("job.show", {{"id", id}});
    const auto state = job.at("state").get<std::string>();
    if (state == "done") return job.at("result");
    if (state != "waiting" && state != "running")
      throw Error(ErrorKind::Store, "the backup was not made: " + job.at("message").get<std::string>());
    show(context, job.at("message").get<std::string>());
    std::this_thread::sleep_for(Poll);
  }
}

bool lies(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto relative = path.lexically_normal().lexically_relative(folder.lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

// Everything of the data folder that a restore needs, but for the keys.
std::vector<std::string> contentItems(const config::SiteConfig& site, const json& prepared) {
  std::vector<std::string> items{prepared.at("site").get<std::string>(), prepared.at("queue").get<std::string>(),
                                 "vault"};
  for (const auto& path : {site.policyFolder, site.certificate, site.certificateKey, site.anchorFolder}) {
    const auto whole = site.path(path);
    if (lies(whole, site.dataFolder) && std::filesystem::exists(whole))
      items.push_back(whole.lexically_relative(site.dataFolder).string());
  }
  return items;
}

// The copies on this machine have done their work; left there they would keep what is destroyed later.
struct Cleaning {
  const config::SiteConfig& site;
  std::string keys = {};
  ~Cleaning() {
    std::error_code ignored;  // the next backup makes them anew
    std::filesystem::remove_all(site.path("listd/backup"), ignored);
    std::filesystem::remove_all(site.path("gateway/backup"), ignored);
    if (!keys.empty()) std::filesystem::remove(site.path(keys), ignored);
  }
};

struct Made {
  json prepared;
  Restic::Stored keys;
  Restic::Stored content;
};

Made make(const Context& context, const config::SiteConfig& site, const Repositories& repositories) {
  Made made;
  Cleaning cleaning{site};
  made.prepared = prepare(context);
  cleaning.keys = made.prepared.at("keys").get<std::string>();
  // Its place in the data folder may be a link to where the system keeps it.
  files::replaceDurably(site.path("listd/backup/postern.toml"), files::read(site.path("postern.toml")));
  const auto tag = "postern-" + std::to_string(made.prepared.at("at").get<std::int64_t>());
  const auto step = [&](const char* what) { return [&context, what](double part) { show(context, what, part); }; };
  // Keys first: a backup of contents that nobody can open never stands there as the newest.
  made.keys = repositories.keys.store(site.dataFolder, {cleaning.keys}, tag, {}, step("copying the keys"));
  made.content = repositories.content.store(site.dataFolder, contentItems(site, made.prepared), tag, "vault",
                                            step("copying the contents"));
  show(context, "forgetting what is old");
  repositories.keys.forgetOlderThan(vault::KeyBackupLife.count());
  if (site.backupKeepDays > 0) repositories.content.forgetOlderThan(site.backupKeepDays);
  return made;
}

json viewOf(const Restic::Snapshot& snapshot) {
  return {{"snapshot", snapshot.id}, {"at", snapshot.time}};
}

json viewOf(const std::vector<Restic::Snapshot>& snapshots) {
  auto items = json::array();
  for (const auto& each : snapshots) items.push_back(viewOf(each));
  return items;
}

void renderStatus(std::ostream& out, const json& result) {
  const auto line = [&](const char* what, const char* outcome, const char* none) {
    const auto& row = result.at(outcome);
    out << what << ": " << (row.is_null() ? none : renderValue("at", row.at("at")));
    if (!row.is_null() && row.at("message") != "") out << " (" << row.at("message").get<std::string>() << ")";
    out << "\n";
  };
  const auto repository = result.at("repository").get<std::string>();
  out << "repository: "
      << (repository.empty() ? "none; set [backup] in postern.toml, then: postern backup init" : repository) << "\n";
  line("last backup", "made", "never");
  line("last failure", "failed", "none");
  line("last proven restore", "proven", "never; try one: postern backup drill");
  renderTable(out, result.at("items"),
              {{"AT", "at"},
               {"OUTCOME", "outcome"},
               {"CONTENTS", "content"},
               {"KEYS", "keys"},
               {"MESSAGES", "objects"},
               {"NEW BYTES", "bytes"}},
              "No backups yet.");
}

// With characters that nobody confuses; 128 bits.
std::string newPassword() {
  return crypto::randomToken();
}

}  // namespace

std::vector<OrderVerb> backupVerbs() {
  return {{"backup",
           "status",
           "backup.status",
           "Shows when backups were made and when one was last restored.",
           {{Kind::Option, "--limit", "limit", "most rows to show", false, Type::Number}},
           renderStatus}};
}

Exit initBackups(const Context& context) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  const auto repositories = repositoriesOf(site);
  const auto password = site.path(site.backupPasswordFile);
  const bool fresh = !std::filesystem::exists(password);
  if (fresh) {
    files::makePrivateFolder(password.parent_path());
    files::replaceDurably(password, newPassword() + "\n");
  }
  for (const auto* repository : {&repositories.content, &repositories.keys})
    if (!repository->exists()) repository->init();
  if (context.json) {
    context.out << json{{"repository", repositories.content.repository()},
                        {"keysRepository", repositories.keys.repository()},
                        {"passwordFile", password.string()}}
                       .dump(2)
                << "\n";
    return Exit::Ok;
  }
  context.out << "Backups go to " << repositories.content.repository() << ", their keys to "
              << repositories.keys.repository() << ".\nKeep copies of " << password.string()
              << (site.rootKeySource == "file" ? " and of " + site.path(site.rootKey).string() : "")
              << " in another place: nothing can be restored without them.\nNext: postern backup create\n";
  return Exit::Ok;
}

Exit createBackup(const Context& context, bool scheduled) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  if (scheduled && site.backupRepository.empty()) return Exit::Ok;
  const auto repositories = repositoriesOf(site);
  Made made;
  try {
    made = make(context, site, repositories);
  } catch (const std::exception& error) {
    endLine(context);
    const auto* known = dynamic_cast<const Error*>(&error);
    const auto text = known != nullptr ? known->message() : error.what();
    context.give("backup.record",
                 {{"outcome", "failed"}, {"repository", site.backupRepository}, {"message", oneLine(text)}});
    throw;
  }
  endLine(context);
  const auto row = context.give("backup.record", {{"outcome", "made"},
                                                  {"repository", site.backupRepository},
                                                  {"content", made.content.snapshot},
                                                  {"keys", made.keys.snapshot},
                                                  {"objects", made.prepared.at("objects")},
                                                  {"bytes", made.content.added + made.keys.added}});
  if (context.json)
    context.out << row.dump(2) << "\n";
  else
    context.out << "A backup was made: contents " << made.content.snapshot << ", keys " << made.keys.snapshot << ", "
                << renderValue("messages", row.at("objects")) << " messages, " << renderValue("bytes", row.at("bytes"))
                << " new bytes.\n";
  return Exit::Ok;
}

Exit listBackups(const Context& context, const BackupPlace& place) {
  const auto repositories = repositoriesAt(context, place);
  const auto content = repositories.content.snapshots();
  const auto keys = repositories.keys.snapshots();
  if (context.json) {
    context.out << json{{"contents", viewOf(content)}, {"keys", viewOf(keys)}}.dump(2) << "\n";
    return Exit::Ok;
  }
  renderTable(context.out, viewOf(content), {{"CONTENTS", "snapshot"}, {"MADE", "at"}}, "No backups of contents.");
  renderTable(context.out, viewOf(keys), {{"KEYS", "snapshot"}, {"MADE", "at"}}, "No backups of keys.");
  return Exit::Ok;
}

Exit verifyBackups(const Context& context, const BackupPlace& place, bool all) {
  const auto repositories = repositoriesAt(context, place);
  for (const auto* repository : {&repositories.keys, &repositories.content}) {
    show(context, "checking " + repository->repository());
    repository->check(all);
  }
  endLine(context);
  context.out << (context.json ? "{\"ok\": true}\n"
                               : "Both repositories are sound. Whether a site comes back from them tells: "
                                 "postern backup drill\n");
  return Exit::Ok;
}

}  // namespace postern::cli
