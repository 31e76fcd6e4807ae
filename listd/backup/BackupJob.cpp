#include "listd/backup/BackupJob.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "listd/keys/KeyJobs.h"

#include <optional>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::uint64_t Steps = 4;
constexpr std::size_t MostNamed = 5;

// The objects of the copy that cannot be opened; those that were destroyed since do not count.
std::vector<std::uint64_t> withoutKey(SiteContext& context, const std::filesystem::path& siteCopy,
                                      std::uint64_t& objects) {
  std::vector<std::uint64_t> missing;
  storedObjectsOf(siteCopy, [&](std::uint64_t id) {
    ++objects;
    if (!context.keys.hasObjectKey(id)) missing.push_back(id);
  });
  if (missing.empty()) return missing;
  context.site.read([&](SiteTables& tables) {
    std::erase_if(missing, [&](std::uint64_t id) {
      const auto now = tables.archive.find(id);
      return now && now->state != ObjectState::Stored;
    });
  });
  return missing;
}

[[noreturn]] void refuseWithout(const std::vector<std::uint64_t>& missing) {
  std::string some;
  for (std::size_t i = 0; i < std::min(missing.size(), MostNamed); ++i)
    some += (i == 0 ? "" : ", ") + std::to_string(missing[i]);
  throw Error(ErrorKind::Store, std::to_string(missing.size()) +
                                    " stored messages have no key, so a backup could not be read (objects " + some +
                                    "): put back the backup of the keys that has them (postern keys restore)");
}

}  // namespace

json prepareBackup(JobContext& job, SiteContext& context, SubmitGate& gate, const std::function<void()>& copyQueue) {
  const auto folder = context.config.path("listd/backup");
  std::filesystem::remove_all(folder);
  files::makePrivateFolder(folder);
  const auto site = folder / "site.db";
  job.progress(0, Steps, "copying the queue");
  std::optional<SubmitGate::Acknowledging> moment(gate);
  // The queue first: what was accepted then and is planned already is known by its number and not planned again.
  copyQueue();
  const auto at = context.clock.now();
  job.progress(1, Steps, "copying site.db");
  context.site.copyTo(site, [&] { moment.reset(); });
  job.progress(2, Steps, "sealing the keys");
  const auto keys = makeKeyBackup(context);
  job.progress(3, Steps, "looking whether every message has its key");
  std::uint64_t objects = 0;
  if (const auto missing = withoutKey(context, site, objects); !missing.empty()) {
    std::filesystem::remove_all(folder);
    refuseWithout(missing);
  }
  job.progress(Steps, Steps, "ready to be copied");
  return {{"site", "listd/backup"},
          {"queue", "gateway/backup"},
          {"keys", std::filesystem::relative(keys.file, context.config.dataFolder).string()},
          {"objects", objects},
          {"at", toMicros(at)}};
}

void addBackupJobs(JobRunner& jobs, SiteContext& context, SubmitGate& gate, const GatewayAddress& address) {
  jobs.add(std::string(PrepareBackup), [&context, &gate, &address](JobContext& job) {
    return prepareBackup(job, context, gate, [&] { app::GatewayLink(address.socketPath).copyQueue(); });
  });
}

}  // namespace postern::listd
