#include "core/base/Log.h"

#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Mutex.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

namespace postern::log {

namespace {

enum class Where { Stderr, File, Journal };

// Where lines go. A line is written under the lock and by one call, so that lines of several processes in one place do
// not mix.
struct Sink {
  Where where = Where::Stderr;
  bool json = true;
  std::string process = "postern";
  FileDescriptor descriptor = {};
};

struct State {
  Mutex mutex;
  Sink sink GUARDED_BY(mutex);
};

// Never destroyed: other static objects log while they end.
State& state() {
  static auto* one = new State;
  return *one;
}

std::atomic<Level> least{Level::Info};
std::array<std::atomic<std::uint64_t>, 5> counts{};

constexpr const char* LevelWords[] = {"debug", "info", "warning", "error", "fatal"};
constexpr int Priorities[] = {7, 6, 4, 3, 2};  // of syslog

struct Line {
  Level level;
  std::string_view area;
  std::string_view text;
  const char* event;  // null: none
  Fields fields;
};

// What nobody may log by mistake.
bool isSecret(std::string_view name) {
  for (const auto* word : {"password", "passphrase", "token", "secret", "authorization", "cookie", "subject", "body"})
    if (name == word) return true;
  return false;
}

std::string_view shown(const Field& field) {
  return isSecret(field.name) ? std::string_view("[not logged]") : std::string_view(field.value);
}

std::string asJson(const Line& line, const std::string& process) {
  nlohmann::ordered_json json;
  json["time"] = formatRfc3339(SystemClock().now());
  json["level"] = LevelWords[static_cast<std::size_t>(line.level)];
  json["process"] = process;
  json["area"] = line.area;
  if (line.event != nullptr) json["event"] = line.event;
  json["text"] = line.text;
  for (const auto& field : line.fields) json[std::string(field.name)] = shown(field);
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void addPair(std::string& to, std::string_view name, std::string_view value) {
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != '"' && c != '=' && c != '\\' && c != 0x7f;
  });
  to.append(to.empty() ? "" : " ").append(name).append("=");
  to +=
      plain ? std::string(value) : nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void addFields(std::string& to, const Line& line) {
  for (const auto& field : line.fields) addPair(to, field.name, shown(field));
}

std::string asText(const Line& line, const std::string& process) {
  std::string text;
  addPair(text, "time", formatRfc3339(SystemClock().now()));
  addPair(text, "level", LevelWords[static_cast<std::size_t>(line.level)]);
  addPair(text, "process", process);
  addPair(text, "area", line.area);
  if (line.event != nullptr) addPair(text, "event", line.event);
  addPair(text, "text", line.text);
  addFields(text, line);
  return text;
}

// https://systemd.io/JOURNAL_NATIVE_PROTOCOL: "NAME=value\n", or the name, a length of eight bytes and the value.
void addJournalField(std::string& to, std::string_view name, std::string_view value) {
  to.append(name);
  if (value.find('\n') == std::string_view::npos) {
    to.append("=").append(value).append("\n");
    return;
  }
  to.append("\n");
  for (unsigned i = 0; i < 8; ++i)
    to += static_cast<char>((static_cast<std::uint64_t>(value.size()) >> (8 * i)) & 0xff);
  to.append(value).append("\n");
}

std::string journalName(std::string_view name) {
  std::string made = "POSTERN_";
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c >= 'A' && c <= 'Z' && made.back() != '_') made += '_';  // queueId: POSTERN_QUEUE_ID
    made += letter ? static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) : '_';
  }
  return made;
}

std::string asJournal(const Line& line, const std::string& process) {
  std::string message(line.text);
  addFields(message, line);
  std::string bytes;
  addJournalField(bytes, "MESSAGE", message);
  addJournalField(bytes, "PRIORITY", std::to_string(Priorities[static_cast<std::size_t>(line.level)]));
  addJournalField(bytes, "SYSLOG_IDENTIFIER", process);
  addJournalField(bytes, "POSTERN_AREA", line.area);
  if (line.event != nullptr) addJournalField(bytes, "POSTERN_EVENT", line.event);
  for (const auto& field : line.fields) addJournalField(bytes, journalName(field.name), shown(field));
  return bytes;
}

bool writeLine(int descriptor, const std::string& line) {
  for (std::size_t done = 0; done < line.size();) {
    const auto written = ::write(descriptor, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

// One at a time for each sink.
void writeTo(const Sink& sink, const Line& line) {
  if (sink.where == Where::Journal) {
    const auto bytes = asJournal(line, sink.process);
    if (::send(sink.descriptor.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return;
  }
  const auto text = (sink.json ? asJson(line, sink.process) : asText(line, sink.process)) + "\n";
  if (sink.where == Where::File && writeLine(sink.descriptor.get(), text)) return;
  std::cerr << text;
}

void write(const Line& line) {
  ++counts[static_cast<std::size_t>(line.level)];
  if (line.level < least.load(std::memory_order_relaxed)) return;
  auto& all = state();
  const MutexLock lock(all.mutex);
  writeTo(all.sink, line);
}

// systemd says in JOURNAL_STREAM which file is its journal; somebody may have sent stderr elsewhere since.
bool stderrIsJournal() {
  const auto* stream = std::getenv("JOURNAL_STREAM");
  struct stat file {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &file) != 0) return false;
  return stream == std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
}

FileDescriptor connectJournal(const std::string& path) {
  FileDescriptor made(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!made || path.size() >= sizeof address.sun_path) throwErrno("reach", path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throwErrno("reach", path);
  return made;
}

FileDescriptor openFile(const std::filesystem::path& path) {
  FileDescriptor made(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!made) throwErrno("open", path);
  return made;
}

Level levelOf(std::string_view word) {
  for (std::size_t i = 0; i < 4; ++i)
    if (word == LevelWords[i]) return static_cast<Level>(i);
  return Level::Fatal;
}

}  // namespace

void open(std::string_view process, const Options& options) {
  Sink made;
  made.process = process;
  made.json = options.format != "text";
  if (options.to == "journal" || (options.to == "auto" && stderrIsJournal())) {
    made.where = Where::Journal;
    made.descriptor = connectJournal(options.journal);
  } else if (options.to == "file") {
    made.where = Where::File;
    made.descriptor = openFile(options.folder / (made.process + ".log"));
  }
  auto& all = state();
  const MutexLock lock(all.mutex);
  all.sink = std::move(made);
  least = levelOf(options.level);
}

void open(std::string_view process, std::string_view level) {
  Options options;
  options.level = level;
  open(process, options);
}

void debug(std::string_view area, std::string_view text, Fields fields) {
  write({Level::Debug, area, text, nullptr, fields});
}

void info(std::string_view area, std::string_view text, Fields fields) {
  write({Level::Info, area, text, nullptr, fields});
}

void warning(std::string_view area, std::string_view text, Fields fields) {
  write({Level::Warning, area, text, nullptr, fields});
}

void error(std::string_view area, std::string_view text, Fields fields) {
  write({Level::Error, area, text, nullptr, fields});
}

void event(const Event& what, Fields fields) {
  write({what.level, what.area, what.text, what.name, fields});
}

std::uint64_t written(Level level) {
  return counts[static_cast<std::size_t>(level)];
}

}  // namespace postern::log
