#include "cli/BackupFiles.h"
#include "cli/Render.h"
#include "core/audit/Verify.h"
#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/store/Database.h"
#include "core/vault/KeyBackup.h"
#include "core/vault/RootKeySource.h"

#include <fcntl.h>
#include <Poco/Pipe.h>
#include <Poco/PipeStream.h>
#include <Poco/Process.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

namespace fs = std::filesystem;

// Reads like what was written there, and is noise: for copies of keys that must not stay on the disk.
void overwrite(const fs::path& file) {
  const FileDescriptor fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return;
  files::writeAll(fd.get(), std::string(fs::file_size(file), '\0'), file);
  ::fsync(fd.get());
}

void requireEmpty(const fs::path& target) {
  if (fs::exists(target) && !fs::is_empty(target))
    throw Error(ErrorKind::Config, target.string() + " is not empty; name a new folder");
  files::makePrivateFolder(target);
}

void moveAll(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(from)) fs::rename(entry.path(), to / entry.path().filename());
  fs::remove(from);
}

fs::path newestKeyBackup(const fs::path& folder) {
  fs::path newest;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) newest = std::max(newest, entry.path());
  if (newest.empty()) throw Error(ErrorKind::Config, "there is no backup of the keys in their repository");
  return newest;
}

// Files of a backup in their places; keys.db is still to come. Gives the backup of the keys.
fs::path fetch(const Repositories& repositories, const std::string& snapshot, const fs::path& target) {
  repositories.content.restore(snapshot, target);
  if (!fs::exists(target / "listd/backup/site.db"))
    throw Error(ErrorKind::Config, "the snapshot " + snapshot + " is no backup of Postern");
  fs::rename(target / "listd/backup/postern.toml", target / "postern.toml");
  moveAll(target / "listd/backup", target / "listd");
  moveAll(target / "gateway/backup", target / "gateway");
  // The newest keys whatever the age of the contents: what was destroyed since stays destroyed.
  repositories.keys.restore("latest", target);
  return newestKeyBackup(target / "keys/backups");
}

void placeRootKey(const config::SiteConfig& site, const fs::path& rootKey) {
  if (rootKey.empty()) return;
  const auto place = site.path(site.rootKey);
  files::makePrivateFolder(place.parent_path());
  files::replaceDurably(place, files::read(rootKey));
}

vault::KeyRestore placeKeys(const config::SiteConfig& site, const fs::path& backup, const fs::path& registerFile) {
  if (!registerFile.empty()) {
    files::makePrivateFolder(site.path("journal"));
    files::replaceDurably(site.path("journal/register.log"), files::read(registerFile));
  }
  const auto source = vault::RootKeySource::open(site.rootKeySource, site.path(site.rootKey), vault::askPassphrase);
  auto restored =
      vault::restoreKeyBackup(backup, *source, site.path("keys/keys.db"), site.path("journal/register.log"), false);
  fs::remove_all(site.path("keys/backups"));
  return restored;
}

// listd opens the site without serving it.
json rehearse(const fs::path& target, const json& wish) {
  const auto program = fs::read_symlink("/proc/self/exe").parent_path() / "postern-listd";
  Poco::Pipe input, output;
  const auto process =
      Poco::Process::launch(program.string(), {"--data", target.string(), "--rehearse"}, "/", &input, &output, &output);
  {
    Poco::PipeOutputStream asked(input);
    asked << wish.dump() << "\n";
  }
  input.close(Poco::Pipe::CLOSE_WRITE);
  Poco::PipeInputStream lines(output);
  json result;
  std::string trouble;
  for (std::string line; std::getline(lines, line);) {
    const auto parsed = json::parse(line, nullptr, false);
    if (parsed.is_object() && parsed.contains("objects") && parsed.contains("opened"))
      result = parsed;
    else if (parsed.is_object() && parsed.value("level", "") == "error")
      trouble = parsed.value("text", "");
  }
  if (process.wait() != 0 || result.is_null())
    throw Error(ErrorKind::Store, "the restored site does not open: " + (trouble.empty() ? "see its log" : trouble));
  return result;
}

// What the log of the restored site says of itself, by the anchors in a folder.
json auditVerdict(const config::SiteConfig& site, const fs::path& anchors) {
  const auto own = site.path(site.anchorFolder);
  const auto publicKey = (anchors.empty() ? own : anchors) / "public-key";
  if (!fs::exists(publicKey)) return {{"code", nullptr}, {"text", "not verified: the site has no anchors yet"}};
  auto database = store::Database::openReader(site.path("listd/site.db"));
  audit::VerifyOptions options;
  options.keys = audit::parseKeys(files::read(publicKey)).value_or(std::vector<audit::VerifierKey>());
  options.anchors = audit::readAnchors(anchors.empty() ? own : anchors);
  options.now = SystemClock(site.clockOffset).now();
  const store::Transaction snapshot(database, store::Transaction::Kind::Read);
  const auto verdict = audit::verifyLog(audit::LogFile(database), options);
  return {{"code", static_cast<int>(verdict.finding)}, {"text", verdict.text}};
}

bool isWhole(const json& report) {
  const auto& audit = report.at("audit");
  const auto code = audit.at("code");
  const bool logHolds = code.is_null() || code == 0 || code == static_cast<int>(audit::Finding::DeclaredGap);
  return !report.contains("registerTrouble") && report.at("unreadable").empty() && report.at("changed").empty() &&
         report.at("withoutKey") == 0 && logHolds;
}

std::string sentenceOf(const json& report) {
  auto text = std::to_string(report.at("opened").get<std::uint64_t>()) + " of " +
              std::to_string(report.at("tried").get<std::uint64_t>()) + " messages opened, " +
              std::to_string(report.at("objects").get<std::uint64_t>()) + " are there";
  if (report.at("withoutKey") != 0)
    text += ", " + std::to_string(report.at("withoutKey").get<std::uint64_t>()) + " without their key";
  if (!report.at("changed").empty()) text += ", some were changed";
  if (!report.at("unreadable").empty()) text += ", some cannot be read";
  if (report.contains("registerTrouble")) text += "; the register: " + report.at("registerTrouble").get<std::string>();
  return text + "; audit log: " + report.at("audit").at("text").get<std::string>();
}

std::vector<std::string> notesIn(const fs::path& anchors) {
  std::vector<std::string> notes;
  if (!anchors.empty())
    for (const auto& entry : fs::recursive_directory_iterator(anchors))
      if (entry.is_regular_file() && entry.file_size() < (64u << 10)) notes.push_back(files::read(entry.path()));
  return notes;
}

void giveTo(const fs::path& folder, const struct stat& owner) {
  if (!fs::exists(folder)) return;
  const auto give = [&](const fs::path& path) {
    if (::lchown(path.c_str(), owner.st_uid, owner.st_gid) != 0) throwErrno("give to its user", path);
  };
  give(folder);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) give(entry.path());
}

// Files that were made here by root belong to the users that the restored ones belong to.
void restoreOwners(const fs::path& target) {
  if (::geteuid() != 0) return;
  struct stat owner {};
  if (::stat((target / "listd/site.db").c_str(), &owner) == 0)
    for (const auto* folder : {"listd", "keys", "journal", "index", "exports"}) giveTo(target / folder, owner);
  if (::stat((target / "gateway/queue.db").c_str(), &owner) == 0) giveTo(target / "gateway", owner);
}

// A folder of its own with copies of keys in it, which are gone with it.
struct Scratch {
  explicit Scratch(fs::path folder) : path(std::move(folder)) { requireEmpty(path); }
  ~Scratch() {
    std::error_code ignored;  // what is left is told by the next drill, which wants the folder empty
    for (const auto* file : {"keys/root.key", "keys/keys.db", "keys/keys.db-wal"})
      if (fs::exists(path / file, ignored)) overwrite(path / file);
    fs::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path path;
};

json drill(const config::SiteConfig& site, const Repositories& repositories, const fs::path& folder,
           std::uint64_t samples) {
  const Scratch scratch(folder);
  const auto keys = fetch(repositories, "latest", scratch.path);
  auto copy = config::loadSiteConfig(scratch.path);
  if (!site.rootKeySource.starts_with("credential:")) placeRootKey(copy, site.path(site.rootKey));
  placeKeys(copy, keys, site.path("journal/register.log"));
  auto report = rehearse(scratch.path, {{"samples", samples}});
  report["audit"] = auditVerdict(copy, {});
  return report;
}

}  // namespace

Exit drillBackup(const Context& context, const DrillOptions& options) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  if (options.scheduled && site.backupRepository.empty()) return Exit::Ok;
  const auto repositories = repositoriesOf(site);
  const auto folder = options.scratch.empty() ? site.path("backup/drill") : fs::path(options.scratch);
  const auto began = SystemClock().now();
  json report;
  std::string sentence;
  bool whole = false;
  try {
    report = drill(site, repositories, folder, options.samples);
    whole = isWhole(report);
    sentence = sentenceOf(report);
  } catch (const Error& error) {
    context.give(
        "backup.record",
        {{"outcome", "refuted"}, {"repository", site.backupRepository}, {"message", oneLine(error.message())}});
    throw;
  }
  const auto took = std::chrono::duration_cast<std::chrono::seconds>(SystemClock().now() - began).count();
  sentence += "; " + std::to_string(took) + " seconds";
  context.give("backup.record", {{"outcome", whole ? "proven" : "refuted"},
                                 {"repository", site.backupRepository},
                                 {"objects", report.at("objects")},
                                 {"message", oneLine(sentence)}});
  if (context.json) {
    report["proven"] = whole;
    report["seconds"] = took;
    context.out << report.dump(2) << "\n";
  } else {
    context.out << (whole ? "The newest backup can be restored: " : "The newest backup is NOT whole: ") << sentence
                << ".\n";
  }
  return whole ? Exit::Ok : Exit::No;
}

Exit restoreBackup(const Context& context, const RestoreOptions& options) {
  const auto repositories = repositoriesAt(context, options.place);
  const fs::path target = fs::absolute(options.target);
  requireEmpty(target);
  const auto keys = fetch(repositories, options.snapshot, target);
  const auto site = config::loadSiteConfig(target);
  placeRootKey(site, options.rootKey);
  const auto restored = placeKeys(site, keys, options.registerFile);
  auto report = rehearse(target, {{"samples", 200},
                                  {"declare",
                                   {{"reason", options.reason},
                                    {"requester", options.requester},
                                    {"approver", options.approver},
                                    {"checkpoints", notesIn(options.anchors)}}}});
  report["audit"] = auditVerdict(site, options.anchors);
  report["destroyed"] = restored.destroyed;
  restoreOwners(target);
  const bool whole = isWhole(report);
  if (context.json) {
    report["whole"] = whole;
    context.out << report.dump(2) << "\n";
    return whole ? Exit::Ok : Exit::No;
  }
  context.out << (whole ? "The site is back in " : "The site is back, but NOT whole, in ") << target.string() << ": "
              << sentenceOf(report) << ".\n"
              << restored.destroyed << " keys were destroyed since that backup of the keys and stay destroyed; "
              << report.at("holdsBack") << " holds came back from the register.\n";
  if (options.registerFile.empty())
    context.out
        << "The register of the lost site was not given (--register), so what was destroyed after the newest backup "
           "of the keys is back with it: destroy it again from the certificates.\n";
  context.out << "Next: postern --data " << target.string() << " run\n";
  return whole ? Exit::Ok : Exit::No;
}

}  // namespace postern::cli
