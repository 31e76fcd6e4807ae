#include "cli/MachineVerbs.h"

#include "cli/BackupVerbs.h"
#include "cli/Hardening.h"
#include "cli/SupportBundle.h"

#include <CLI/CLI.hpp>

namespace postern::cli {

namespace {

void addPlace(CLI::App& command, BackupPlace& place) {
  auto* repository = command.add_option("--repository", place.repository, "contents; default: as postern.toml says");
  command.add_option("--keys-repository", place.keysRepository, "keys")->needs(repository);
  command.add_option("--password-file", place.passwordFile, "password of both")->needs(repository);
  command.add_option("--environment-file", place.environmentFile, "lines NAME=VALUE for restic")->needs(repository);
}

void addRestore(CLI::App& restore, RestoreOptions& wish) {
  addPlace(restore, wish.place);
  restore.add_option("--to", wish.target, "empty folder")->required();
  restore.add_option("--snapshot", wish.snapshot, "of the contents")->capture_default_str();
  restore.add_option("--root-key", wish.rootKey, "file with the root key");
  restore.add_option("--register", wish.registerFile, "journal/register.log of the lost site, if it survived");
  restore.add_option("--anchors", wish.anchors, "folder of checkpoints that were kept elsewhere");
  restore.add_option("--reason", wish.reason, "why; stands in the audit log")->required();
  restore.add_option("--by", wish.requester, "who restores")->required();
  restore.add_option("--second", wish.approver, "who agrees")->required();
}

}  // namespace

void addBackupVerbs(CLI::App& backup, const Choose& choose) {
  const auto add = [&](const char* verb, const char* doc, std::function<Exit(const Context&)> act) {
    auto* command = backup.add_subcommand(verb, doc);
    command->callback([choose, act = std::move(act)] { choose(act); });
    return command;
  };
  add("init", "Makes the repositories of section [backup] and their password.", initBackups);
  auto scheduled = std::make_shared<bool>(false);
  add("create", "Copies what changed into the repositories, encrypted, keys apart.", [scheduled](const Context& c) {
    return createBackup(c, *scheduled);
  })->add_flag("--scheduled", *scheduled, "do nothing where no repository is set");
  auto place = std::make_shared<BackupPlace>();
  auto* list =
      add("list", "Lists what is in the repositories.", [place](const Context& c) { return listBackups(c, *place); });
  addPlace(*list, *place);
  auto all = std::make_shared<bool>(false);
  auto* verify = add("verify", "Checks the repositories.",
                     [place, all](const Context& c) { return verifyBackups(c, *place, *all); });
  addPlace(*verify, *place);
  verify->add_flag("--all", *all, "read every stored byte");
  auto drill = std::make_shared<DrillOptions>();
  auto* rehearse = add("drill", "Restores the newest backup aside and opens it, to prove that it can be done.",
                       [drill](const Context& c) { return drillBackup(c, *drill); });
  rehearse->add_option("--scratch", drill->scratch, "folder that is made and removed; default: below the data folder");
  rehearse->add_flag("--scheduled", drill->scheduled, "do nothing where no repository is set");
  rehearse->add_option("--samples", drill->samples, "messages to open; 0: all")->capture_default_str();
  auto wish = std::make_shared<RestoreOptions>();
  addRestore(*add("restore", "Makes a site from a backup in an empty folder; two people declare it.",
                  [wish](const Context& c) { return restoreBackup(c, *wish); }),
             *wish);
}

void addMachineVerbs(CLI::App& app, CLI::App& config, const Choose& choose) {
  config.add_subcommand("drift", "Shows what differs from the defaults and the shipped policies.")->callback([choose] {
    choose(showDrift);
  });
  app.add_subcommand("hardening", "Looks at settings, files and kernel for what would help an attacker.")
      ->callback([choose] { choose(showHardening); });
  auto bundle = std::make_shared<SupportOptions>();
  auto& support = *app.add_subcommand("support-bundle", "Collects what a helper needs, without mail, keys and names.");
  support.add_option("file", bundle->file, "archive to make, .tar.gz")->required();
  support.add_option("--days", bundle->days, "of the journal")->capture_default_str();
  support.callback([choose, bundle] { choose([bundle](const Context& c) { return makeSupportBundle(c, *bundle); }); });
}

}  // namespace postern::cli
