#pragma once
#include "core/audit/Checkpoint.h"
#include "core/base/Secret.h"
#include "listd/jobs/JobRunner.h"
#include "listd/search/SearchStore.h"
#include "listd/site/SiteContext.h"

#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace postern::listd {

constexpr const char* ExportJob = "export";
constexpr std::chrono::days ExportsKept{14};
constexpr std::size_t MostExported = 200'000;  // messages in one export

// What people typed for a matter (searches, passphrases of exports that are being made) as it lies in site.db.
std::string sealForMatter(const SiteContext& context, std::uint64_t matterId, std::string_view text);
std::string openForMatter(const SiteContext& context, std::uint64_t matterId, std::string_view sealed);

// Signs manifests; made on first use. Its public half goes into every archive.
audit::SignerKey exportKey(SiteContext& context);
std::string publicKeyPem(const audit::VerifierKey& key);

std::filesystem::path exportFile(const SiteContext& context, std::uint64_t exportId);

// The job {"export": id}: writes DATA/exports/ID.zip. After a crash it begins again with the same list of messages,
// which the chain of custody tells. When it fails, nothing of the archive is left. When the disk is full, nothing is
// left either; the job is paused, says so, and goes on by itself once there is room.
JobRunner::Work exportWork(SiteContext& context);

// Removes the archive; its row and chain of custody stay. State "removed" or "expired".
void removeExport(SiteContext& context, SiteTables& tables, Export made, std::string state);

// Removes what is older than ExportsKept, and what a crash left half written, at the start and each hour.
class ExportSweeper {
public:
  explicit ExportSweeper(SiteContext& context);
  void runOnce();

private:
  SiteContext& context_;
  std::jthread thread_;
};

}  // namespace postern::listd
