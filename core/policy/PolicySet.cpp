#include "core/policy/PolicySet.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/mail/Text.h"
#include "core/policy/frame/PolicyFrame.h"
#include "core/policy/WorkerProcess.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>

namespace postern::policy {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t MaxFileSize = 256u << 10;
constexpr std::size_t MaxSetSize = 4u << 20;

bool isPolicyName(const std::string& name) {
  return !name.empty() && name.size() <= 40 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

// FNV-1a: tells versions of a set apart for people and logs; nothing trusts it.
std::string digestOf(const SetTexts& texts) {
  std::uint64_t hash = 14695981039346656037u;
  const auto add = [&](const std::string& bytes) {
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211u;
    hash = (hash ^ 0x1ffu) * 1099511628211u;
  };
  for (const auto& file : texts.files) {
    add(file.path);
    add(file.text);
  }
  for (const auto& name : texts.order) add(name);
  char text[32];
  std::snprintf(text, sizeof text, "fnv64:%016llx", static_cast<unsigned long long>(hash));
  return text;
}

// Reads the Lua files of one folder of the set.
class FolderReader {
public:
  FolderReader(SetTexts& texts, std::vector<Problem>& problems) : texts_(texts), problems_(problems) {}

  void read(const fs::path& folder, const std::string& prefix) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      const auto file = entry.path().filename().string();
      if (file.starts_with(".") || !file.ends_with(".lua")) continue;
      const auto name = file.substr(0, file.size() - 4);
      if (!isPolicyName(name))
        problems_.push_back({prefix + file, 0, "the name of a policy file is a-z, 0-9 and _, at most 40, then .lua"});
      else if (!entry.is_regular_file(error))
        problems_.push_back({prefix + file, 0, "is not a regular file"});
      else if (entry.file_size(error) > MaxFileSize)
        problems_.push_back({prefix + file, 0, "is larger than 256 kB"});
      else
        texts_.files.push_back({prefix + file, files::read(entry.path())});
    }
    if (error) problems_.push_back({prefix, 0, "cannot read the folder: " + error.message()});
  }

private:
  SetTexts& texts_;
  std::vector<Problem>& problems_;
};

// The names of order.txt first, then the rest by name.
void readOrder(const std::string& order, const std::string& where, SetTexts& texts, std::vector<Problem>& problems) {
  std::set<std::string> names;
  for (const auto& file : texts.files)
    if (!file.path.starts_with("lib/") && file.path != "settings.lua")
      names.insert(file.path.substr(0, file.path.size() - 4));
  if (names.empty()) problems.push_back({"", 0, "there is no policy in " + where + " (no NAME.lua)"});
  std::istringstream lines(order);
  std::string line;
  for (std::uint32_t number = 1; std::getline(lines, line); ++number) {
    line.erase(0, line.find_first_not_of(" \t"));
    line.erase(std::min(line.find_first_of("# \t\r"), line.size()));
    if (line.empty()) continue;
    if (names.erase(line) == 0)
      problems.push_back({"order.txt", number, "there is no policy `" + line + "`, or it is named twice"});
    else
      texts.order.push_back(line);
  }
  texts.order.insert(texts.order.end(), names.begin(), names.end());
}

CheckReport broken(std::vector<Problem> problems) {
  CheckReport report;
  report.problems = std::move(problems);
  return report;
}

// A worker with a set in it, started again when a case has killed it.
class TestBench {
public:
  TestBench(const SetTexts& texts, const fs::path& program, const CallLimits& limits)
      : texts_(texts), program_(program), limits_(limits) {}

  CheckReport load() {
    try {
      worker_ = std::make_unique<WorkerProcess>(program_);
      return worker_->load(texts_, limits_);
    } catch (const Error& error) {
      worker_.reset();
      return broken({{"", 0, error.message()}});
    }
  }

  CaseResult run(const PolicyInfo& policy, std::uint32_t policyNumber, std::uint32_t number) {
    CaseResult result{policy.name, policy.cases[number], false, "the policy worker cannot be started"};
    if ((!worker_ || !worker_->usable()) && !load().ok) return result;
    const auto reply = worker_->call(frame::encode(frame::CaseRequest{policyNumber, number}), limits_.timeout);
    if (reply) {
      try {
        result = frame::decodeCaseDone(*reply);
      } catch (const Error& error) {
        worker_->kill();
        result.text = error.message();
      }
      return result;
    }
    result.text = reply.error() == FailureKind::Timeout
                      ? "killed after " + std::to_string(limits_.timeout.count()) + " ms"
                      : "the policy worker died";
    return result;
  }

private:
  const SetTexts& texts_;
  const fs::path& program_;
  const CallLimits& limits_;
  std::unique_ptr<WorkerProcess> worker_;
};

Result<SetTexts, std::vector<Problem>> finished(SetTexts texts, std::vector<Problem> problems) {
  std::size_t size = 0;
  for (const auto& file : texts.files) size += file.text.size();
  if (size > MaxSetSize) problems.push_back({"", 0, "the policy set is larger than 4 MB"});
  if (!problems.empty()) return Unexpected(std::move(problems));
  texts.digest = digestOf(texts);
  return texts;
}

bool isPathLike(const std::string& path) {
  return path.size() <= 100 && std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::optional<std::string> whatIsWrongWith(const SiteSets& sets) {
  std::size_t entries = 0;
  std::size_t size = 0;
  for (const auto& [name, values] : sets) {
    entries += values.size();
    for (const auto& value : values) {
      if (value.empty() || value.size() > 1000)
        return "an entry of the set `" + name + "` is empty or over 1,000 bytes";
      size += value.size();
    }
  }
  if (entries > 250'000 || size > (8u << 20)) return "the sets hold more than 250,000 entries or 8 MB in all";
  return std::nullopt;
}

Result<SetTexts, std::vector<Problem>> readSet(const fs::path& folder) {
  SetTexts texts;
  std::vector<Problem> problems;
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return Unexpected(std::vector<Problem>{{"", 0, "there is no policy folder " + folder.string()}});
  try {
    FolderReader reader(texts, problems);
    reader.read(folder, "");
    if (fs::is_directory(folder / "lib", error)) reader.read(folder / "lib", "lib/");
    std::sort(texts.files.begin(), texts.files.end(),
              [](const SetFile& a, const SetFile& b) { return a.path < b.path; });
    const bool ordered = fs::exists(folder / "order.txt", error);
    readOrder(ordered ? files::read(folder / "order.txt") : std::string(), folder.string(), texts, problems);
  } catch (const Error& failure) {
    problems.push_back({"", 0, failure.message()});
  }
  return finished(std::move(texts), std::move(problems));
}

Result<SetTexts, std::vector<Problem>> assembleSet(const std::vector<SetFile>& files) {
  SetTexts texts;
  std::vector<Problem> problems;
  std::string order;
  std::set<std::string> seen;
  for (const auto& file : files) {
    const auto name = file.path.starts_with("lib/") ? file.path.substr(4) : file.path;
    const auto shown = isPathLike(file.path) ? file.path : std::string("a file");
    if (file.text.size() > MaxFileSize)
      problems.push_back({shown, 0, "is larger than 256 kB"});
    else if (!mail::isUtf8(file.text))
      problems.push_back({shown, 0, "is not UTF-8"});
    else if (!seen.insert(file.path).second)
      problems.push_back({shown, 0, "is there twice"});
    else if (file.path == "order.txt")
      order = file.text;
    else if (!name.ends_with(".lua") || !isPolicyName(name.substr(0, name.size() - 4)))
      problems.push_back({shown, 0, "the name of a policy file is a-z, 0-9 and _, at most 40, then .lua"});
    else
      texts.files.push_back(file);
  }
  std::sort(texts.files.begin(), texts.files.end(), [](const SetFile& a, const SetFile& b) { return a.path < b.path; });
  readOrder(order, "this set", texts, problems);
  return finished(std::move(texts), std::move(problems));
}

std::vector<SetFile> filesOf(const SetTexts& texts) {
  auto files = texts.files;
  std::string order;
  for (const auto& name : texts.order) order += name + "\n";
  files.push_back({"order.txt", std::move(order)});
  return files;
}

CheckReport checkSet(const fs::path& folder, const fs::path& worker, const CallLimits& limits) {
  const auto texts = readSet(folder);
  return texts ? checkSet(*texts, worker, limits) : broken(texts.error());
}

CheckReport checkSet(const SetTexts& texts, const fs::path& worker, const CallLimits& limits) {
  return TestBench(texts, worker, limits).load();
}

TestReport testSet(const fs::path& folder, const fs::path& worker, const CallLimits& limits) {
  const auto texts = readSet(folder);
  if (texts) return testSet(*texts, worker, limits);
  TestReport report;
  report.check = broken(texts.error());
  return report;
}

TestReport testSet(const SetTexts& texts, const fs::path& worker, const CallLimits& limits) {
  TestReport report;
  TestBench bench(texts, worker, limits);
  report.check = bench.load();
  report.ok = report.check.ok;
  if (!report.ok) return report;
  for (std::uint32_t policy = 0; policy < report.check.policies.size(); ++policy) {
    const auto& info = report.check.policies[policy];
    for (std::uint32_t number = 0; number < info.cases.size(); ++number) {
      report.cases.push_back(bench.run(info, policy, number));
      report.ok = report.ok && report.cases.back().ok;
    }
  }
  return report;
}

std::vector<CoveredFile> TestReport::covered() const {
  std::map<std::string, std::set<std::uint32_t>> all;
  for (const auto& one : cases)
    for (const auto& file : one.covered) all[file.file].insert(file.lines.begin(), file.lines.end());
  std::vector<CoveredFile> files;
  for (const auto& [file, lines] : all) files.push_back({file, {lines.begin(), lines.end()}});
  return files;
}

fs::path defaultWorkerProgram() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path() / "postern-policy";
}

}  // namespace postern::policy
