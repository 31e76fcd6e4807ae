#pragma once
#include "core/base/Result.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

// Policy sets: a folder with one file per policy (NAME.lua), helpers in lib/*.lua, optionally `settings.lua` (values
// for declared settings) and `order.txt` (one policy name a line; the rest follows by name). Folders meta/ and tests/
// are not part of the set. All Lua runs in a worker process (WorkerProcess.h), never in the caller.
namespace postern::policy {

struct SetFile {
  std::string path;  // below the folder: "secure_tag.lua", "lib/tag.lua"
  std::string text;
};

// The texts of one set, read at one moment: what was checked and tested is what runs. Immutable.
struct SetTexts {
  std::vector<SetFile> files;      // policies, lib/ and settings.lua, sorted by path
  std::vector<std::string> order;  // names of the policies in the order they run
  std::string digest;              // changes with any text: "fnv64:…"
};

struct Problem {
  std::string file;
  std::uint32_t line = 0;  // 0: the whole file
  std::string text;        // what is wrong and what is allowed
};

// A set of values that people of the site fill: `sets = { trusted_domains = "what it is for" }`.
struct DeclaredSet {
  std::string name;  // policies that declare the same name share it
  std::string doc;
};

struct PolicyInfo {
  std::string name;
  std::string doc;
  std::vector<std::string> hooks;
  std::vector<std::string> cases;  // titles
  std::vector<DeclaredSet> sets = {};
  bool asleep = false;  // its settings leave it nothing to do, so that it is not called
};

// What the sets of a site hold. An entry that begins with "." stands for a domain and all below it.
using SiteSets = std::map<std::string, std::vector<std::string>>;

// Why these cannot be the sets of a site: more than 250,000 entries or 8 MB in all, an entry that is empty or over
// 1,000 bytes. Nothing: they can.
std::optional<std::string> whatIsWrongWith(const SiteSets& sets);

struct CheckReport {
  bool ok = false;
  std::vector<PolicyInfo> policies;
  std::vector<Problem> problems;  // any makes ok false
  std::vector<Problem> warnings;  // e.g. a policy without cases
};

// The lines of a file that ran.
struct CoveredFile {
  std::string file;
  std::vector<std::uint32_t> lines;  // ascending
};

struct CaseResult {
  std::string policy;
  std::string title;
  bool ok = false;
  std::string text;                       // why not: expected and got
  std::vector<CoveredFile> covered = {};  // while its hook ran
};

struct TestReport {
  bool ok = false;  // the set loads and all its cases pass
  CheckReport check;
  std::vector<CaseResult> cases;

  // What all cases together ran, by file.
  std::vector<CoveredFile> covered() const;
};

struct CallLimits {
  std::chrono::milliseconds timeout{2000};  // wall clock, then the worker is killed
  std::uint64_t instructions = 5'000'000;   // of the Lua machine
  std::uint64_t memory = 32u << 20;         // bytes of Lua objects
};

// Reads a folder. Expected failures (no folder, no policy in it, a bad file name, too large, an unknown name in
// order.txt) are returned as problems.
Result<SetTexts, std::vector<Problem>> readSet(const std::filesystem::path& folder);

// A set that comes from elsewhere: the files as they stand in a folder, "order.txt" among them if there is one. The
// same rules, and each text is UTF-8.
Result<SetTexts, std::vector<Problem>> assembleSet(const std::vector<SetFile>& files);

// The files as assembleSet() takes them.
std::vector<SetFile> filesOf(const SetTexts& texts);

// Syntax, shape, names: `postern policy check FOLDER`. `worker` is the program postern-policy.
CheckReport checkSet(const std::filesystem::path& folder, const std::filesystem::path& worker,
                     const CallLimits& limits = {});
CheckReport checkSet(const SetTexts& texts, const std::filesystem::path& worker, const CallLimits& limits = {});

// The check and then every case: `postern policy test FOLDER`.
TestReport testSet(const std::filesystem::path& folder, const std::filesystem::path& worker,
                   const CallLimits& limits = {});
TestReport testSet(const SetTexts& texts, const std::filesystem::path& worker, const CallLimits& limits = {});

// The program postern-policy beside the running program (/proc/self/exe).
std::filesystem::path defaultWorkerProgram();

}  // namespace postern::policy
