#pragma once
#include "core/vault/KeyBackup.h"
#include "listd/jobs/JobRunner.h"

namespace postern::listd {

constexpr std::string_view RotateKeys = "keys.rotate";

// "keys.rotate" {"what": "lists"}: each list gets a new epoch key, and the keys of its objects are wrapped anew under
// it; contents are not touched. {"what": "root"}: the keys that hang on the root key are wrapped anew under a new one.
// Both can be killed at any step: everything stays readable, and they go on where they were.
void addKeyJobs(JobRunner& jobs, SiteContext& context);

nlohmann::json rotateLists(JobContext& job, SiteContext& context);
nlohmann::json rotateRoot(JobContext& job, SiteContext& context);

// Writes a sealed backup of keys.db into the folder of such backups, and removes those whose life is over. Every key in
// it was opened. Errors as writeKeyBackup.
struct MadeKeyBackup {
  std::filesystem::path file;
  vault::KeyBackupFacts facts;
};
MadeKeyBackup makeKeyBackup(SiteContext& context);

// Where listd puts backups of keys.db; the command line moves them to where they are to be.
std::filesystem::path keyBackupFolder(const config::SiteConfig& config);

}  // namespace postern::listd
