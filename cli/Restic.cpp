#include "cli/Restic.h"

#include "core/base/Error.h"
#include "core/base/Files.h"

#include <Poco/Pipe.h>
#include <Poco/PipeStream.h>
#include <Poco/Process.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace postern::cli {

using nlohmann::json;

namespace {

constexpr int NotFound = 72;  // of Poco, when the program could not be started
constexpr int SomeNotRead = 3;
constexpr std::size_t MostSaid = 1000;

std::map<std::string, std::string> environmentOf(const std::filesystem::path& file) {
  std::map<std::string, std::string> environment;
  if (file.empty()) return environment;
  std::istringstream lines(files::read(file));
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (line.empty() || line.front() == '#') continue;
    if (equals == std::string::npos || equals == 0)
      throw Error(ErrorKind::Config, file.string() + ": a line is not NAME=VALUE");
    environment[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return environment;
}

bool isBelow(const std::string& path, const std::filesystem::path& folder) {
  return !folder.empty() && path.starts_with(folder.string() + "/");
}

}  // namespace

// Answers with what restic wrote that is no message; its last words tell why it failed.
std::string Restic::run(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                        const std::function<void(const json&)>& message, int& code) const {
  std::vector<std::string> all{
      "--repo", repository_, "--password-file", access_.passwordFile.string(), "--cache-dir", access_.cache.string(),
      "--json"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  Poco::Pipe output;
  const auto process = Poco::Process::launch("restic", all, folder.string(), nullptr, &output, &output,
                                             environmentOf(access_.environmentFile));
  Poco::PipeInputStream lines(output);
  std::string said;
  for (std::string line; std::getline(lines, line);) {
    const auto parsed = line.starts_with("{") ? json::parse(line, nullptr, false) : json();
    if (message && parsed.is_object() && parsed.contains("message_type"))
      message(parsed);
    else
      said += line + "\n";
  }
  code = process.wait();
  if (code == NotFound) throw Error(ErrorKind::Config, "the program restic is missing: apt install restic");
  return said;
}

namespace {

[[noreturn]] void fail(const std::string& repository, const std::string& said) {
  auto words = said.size() > MostSaid ? said.substr(said.size() - MostSaid) : said;
  while (!words.empty() && words.back() == '\n') words.pop_back();
  throw Error(ErrorKind::Io, "restic failed with the repository " + repository + ": " + words);
}

}  // namespace

std::string Restic::runOrThrow(const std::vector<std::string>& arguments) const {
  int code = 0;
  auto said = run(arguments, "/", {}, code);
  if (code != 0) fail(repository_, said);
  return said;
}

bool Restic::exists() const {
  int code = 0;
  run({"cat", "config"}, "/", {}, code);
  return code == 0;
}

void Restic::init() const {
  runOrThrow({"init"});
}

Restic::Stored Restic::store(const std::filesystem::path& folder, const std::vector<std::string>& items,
                             const std::string& tag, const std::string& mayGo, const Progress& progress) const {
  std::vector<std::string> arguments{"backup", "--tag", tag, "--host", "postern"};
  arguments.insert(arguments.end(), items.begin(), items.end());
  Stored stored;
  std::string unread;
  const auto vanishing = mayGo.empty() ? std::filesystem::path() : folder / mayGo;
  int code = 0;
  const auto said = run(
      arguments, folder,
      [&](const json& message) {
        const auto type = message.value("message_type", "");
        if (type == "status" && progress) progress(message.value("percent_done", 0.0));
        if (type == "summary") {
          stored.snapshot = message.value("snapshot_id", "");
          stored.added = message.value("data_added", std::uint64_t{0});
        }
        const auto item = message.value("item", "");
        if (type == "error" && !(isBelow(item, vanishing) && !std::filesystem::exists(item))) unread += item + " ";
      },
      code);
  if (!unread.empty()) fail(repository_, "these files could not be read: " + unread + said);
  if ((code != 0 && code != SomeNotRead) || stored.snapshot.empty()) fail(repository_, said);
  return stored;
}

std::vector<Restic::Snapshot> Restic::snapshots() const {
  std::vector<Snapshot> found;
  for (const auto& each : json::parse(runOrThrow({"snapshots"}))) {
    found.push_back({each.value("short_id", ""), each.value("time", ""), {}});
    if (each.contains("tags")) found.back().tags = each.at("tags").get<std::vector<std::string>>();
  }
  return found;
}

void Restic::restore(const std::string& snapshot, const std::filesystem::path& target) const {
  runOrThrow({"restore", snapshot, "--target", target.string()});
}

void Restic::forgetOlderThan(std::uint32_t days) const {
  // The newest one stays whatever its age: a machine that was off for long must not lose its last backup.
  runOrThrow(
      {"forget", "--keep-last", "1", "--keep-within", std::to_string(days) + "d", "--group-by", "host", "--prune"});
}

void Restic::check(bool all) const {
  std::vector<std::string> arguments{"check"};
  if (all) arguments.push_back("--read-data");
  runOrThrow(arguments);
}

}  // namespace postern::cli
