#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

// Structured log lines on standard error: one JSON object a line with time, level, process, area, text and fields.
// Never log a subject, a body, a password, a token or a key. Addresses of list members are logged only where an
// administrator needs them to act. Threads: safe for all.
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

// Names the process in every later line and sets the level: "debug", "info", "warning", "error". Call once in main.
void open(std::string_view process, std::string_view level);

void debug(std::string_view area, std::string_view text, Fields fields = {});
void info(std::string_view area, std::string_view text, Fields fields = {});
void warning(std::string_view area, std::string_view text, Fields fields = {});
void error(std::string_view area, std::string_view text, Fields fields = {});

}  // namespace postern::log
