#pragma once
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

// Structured log lines: time, level, process, area, text and fields; what becomes of a message also has the name of an
// event of LogEvents.h, and its trace id. They go to standard error, to a file for each process, or to systemd's
// journal in its own protocol, as JSON or as key=value (docs/logs.md). Never log a subject, a body, a password, a token
// or a key; values of fields by such names are left out. Addresses of list members are logged only where an
// administrator needs them to act. Threads: safe for all. Errors: throws nothing once it is open; a line that cannot be
// written where it belongs goes to standard error.
namespace postern::log {

struct Field {
  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  Field(std::string_view n, const char* v) : name(n), value(v) {}
  Field(std::string_view n, const std::string& v) : name(n), value(v) {}
  template <class Int>
  requires std::is_integral_v<Int> Field(std::string_view n, Int v) : name(n), value(std::to_string(v)) {}
  std::string_view name;
  std::string value;
};

using Fields = std::initializer_list<Field>;

enum class Level : std::uint8_t { Debug, Info, Warning, Error, Fatal };

// One kind of line that programs may rely on; all of them stand in LogEvents.h.
struct Event {
  const char* name;
  Level level;
  const char* area;
  const char* text;
};

struct Options {
  std::string level = "info";         // "debug", "info", "warning", "error"; anything else: nothing is written
  std::string to = "stderr";          // "stderr", "file", "journal"; "auto": the journal where stderr leads there
  std::string format = "json";        // "json", "text" (key=value); of stderr and file
  std::filesystem::path folder = {};  // of PROCESS.log
  std::string journal = "/run/systemd/journal/socket";
};

// Names the process in every later line. Opens the file or the journal anew, so that a file that was moved away is
// left; throws Error(Io) when it cannot be opened, and leaves all as it was.
void open(std::string_view process, const Options& options);
void open(std::string_view process, std::string_view level);  // on standard error

void debug(std::string_view area, std::string_view text, Fields fields = {});
void info(std::string_view area, std::string_view text, Fields fields = {});
void warning(std::string_view area, std::string_view text, Fields fields = {});
void error(std::string_view area, std::string_view text, Fields fields = {});
void event(const Event& what, Fields fields = {});

// How many lines were written at a level since the process started, whatever the level in force: for metrics.
std::uint64_t written(Level level);

}  // namespace postern::log
