#include "core/base/Log.h"

#include "core/base/Clock.h"

#include <Poco/AutoPtr.h>
#include <Poco/ConsoleChannel.h>
#include <Poco/Logger.h>
#include <Poco/Message.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

namespace postern::log {

namespace {

std::string processName = "postern";

Poco::Logger& logger() {
  return Poco::Logger::root();
}

void write(Poco::Message::Priority priority, const char* level, std::string_view area, std::string_view text,
           Fields fields) {
  if (!logger().is(priority)) return;
  nlohmann::ordered_json line;
  line["time"] = formatRfc3339(SystemClock().now());
  line["level"] = level;
  line["process"] = processName;
  line["area"] = area;
  line["text"] = text;
  for (const auto& field : fields) line[std::string(field.name)] = field.value;
  Poco::Message message(processName, line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), priority);
  logger().log(message);
}

}  // namespace

void open(std::string_view process, std::string_view level) {
  processName = process;
  logger().setChannel(Poco::AutoPtr<Poco::Channel>(new Poco::ConsoleChannel(std::cerr)));
  logger().setLevel(level == "info" ? "information" : std::string(level));
}

void debug(std::string_view area, std::string_view text, Fields fields) {
  write(Poco::Message::PRIO_DEBUG, "debug", area, text, fields);
}

void info(std::string_view area, std::string_view text, Fields fields) {
  write(Poco::Message::PRIO_INFORMATION, "info", area, text, fields);
}

void warning(std::string_view area, std::string_view text, Fields fields) {
  write(Poco::Message::PRIO_WARNING, "warning", area, text, fields);
}

void error(std::string_view area, std::string_view text, Fields fields) {
  write(Poco::Message::PRIO_ERROR, "error", area, text, fields);
}

}  // namespace postern::log
