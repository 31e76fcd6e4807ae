#include "listd/keys/KeyJobs.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/vault/KeyBackup.h"

#include <algorithm>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t AtOnce = 1000;

std::uint64_t newestEpoch(const vault::KeyStore& keys) {
  std::uint64_t newest = 0;
  for (const auto& epoch : keys.epochs()) newest = std::max(newest, epoch.id);
  return newest;
}

// The list's epoch that this rotation made, or makes now.
std::uint64_t epochSince(SiteContext& context, std::uint64_t listId, std::uint64_t before) {
  for (const auto& epoch : context.keys.epochs())
    if (epoch.listId == listId && epoch.current && epoch.id > before) return epoch.id;
  return context.keys.startEpoch(listId, context.clock.now());
}

void record(SiteContext& context, const Job& job, const std::string& what) {
  context.site.write([&](SiteTables& tables) {
    audit::Event event;
    event.actorKind = "system";
    event.action = "keys.rotated";
    event.objectType = "keys";
    event.objectId = what;
    event.person("started-by", job.startedBy).number("job", job.id);
    tables.audit.append(event);
  });
}

}  // namespace

json rotateLists(JobContext& job, SiteContext& context) {
  auto& keys = context.keys;
  auto state = job.checkpoint();
  if (state.is_null()) {
    state = {{"before", newestEpoch(keys)}};
    job.saveCheckpoint(state);
  }
  const auto before = state.at("before").get<std::uint64_t>();
  std::uint64_t done = 0, total = 0;
  for (const auto& epoch : keys.epochs()) {
    total += epoch.objects;
    if (epoch.id > before) done += epoch.objects;
  }
  const auto lists = keys.listsWithKeys();
  for (const auto listId : lists) {
    const auto epoch = epochSince(context, listId, before);
    while (true) {
      job.progress(
          std::min(done, total), total,
          std::to_string(std::min(done, total)) + " of " + std::to_string(total) + " objects under the current epoch");
      if (job.stopRequested()) return {};
      const auto some = keys.rewrapObjectKeys(epoch, AtOnce);
      if (some == 0) break;
      done += some;
    }
  }
  job.progress(total, total,
               std::to_string(total) + " of " + std::to_string(total) + " objects under the current epoch");
  record(context, job.job(), "lists");
  return {{"lists", lists.size()}, {"objects", total}};
}

json rotateRoot(JobContext& job, SiteContext& context) {
  auto& keys = context.keys;
  auto state = job.checkpoint();
  if (const auto trouble = context.journal.trouble()) throw Error(ErrorKind::Store, *trouble);
  if (state.is_null()) {
    state = {{"from", keys.rootFacts().epoch}};
    job.saveCheckpoint(state);
  }
  std::uint64_t wrapped = 0;
  // When the process died after the change, the start that followed has ended it.
  if (keys.rootFacts().epoch == state.at("from").get<std::uint64_t>()) {
    job.progress(0, 1, "wrapping the keys under the new root key");
    const auto next = context.rootSource->prepareNext();
    wrapped = keys.changeRoot(next, context.clock.now());
    context.rootSource->finishNext();
  }
  const auto facts = keys.rootFacts();
  context.journal.append(vault::Journal::Kind::RootRotated, "root epoch " + std::to_string(facts.epoch));
  // None of them can be opened any more.
  for (const auto& entry : std::filesystem::directory_iterator(keyBackupFolder(context.config)))
    if (entry.is_regular_file()) std::filesystem::remove(entry.path());
  job.progress(1, 1, "keep a copy of the new root key elsewhere, and make a backup of the keys now");
  record(context, job.job(), "root");
  return {{"epoch", facts.epoch}, {"keys", wrapped}};
}

MadeKeyBackup makeKeyBackup(SiteContext& context) {
  const auto folder = keyBackupFolder(context.config);
  files::makePrivateFolder(folder);
  const auto now = context.clock.now();
  vault::removeOldKeyBackups(folder, now);
  MadeKeyBackup made{folder / ("keys-" + std::to_string(toMicros(now)) + ".postern-keys"), {}};
  const auto root = vault::currentRoot(context.keys, *context.rootSource);
  made.facts = vault::writeKeyBackup(context.keys, root, made.file, now);
  context.keys.noteBackup({now, made.file.filename().string()});
  return made;
}

std::filesystem::path keyBackupFolder(const config::SiteConfig& config) {
  return config.path("keys/backups");
}

void addKeyJobs(JobRunner& jobs, SiteContext& context) {
  files::makePrivateFolder(keyBackupFolder(context.config));
  vault::removeOldKeyBackups(keyBackupFolder(context.config), context.clock.now());
  jobs.add(std::string(RotateKeys), [&context](JobContext& job) {
    return job.job().args.at("what") == "root" ? rotateRoot(job, context) : rotateLists(job, context);
  });
}

}  // namespace postern::listd
