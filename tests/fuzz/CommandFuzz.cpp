// rooms: smtp
#include "core/smtp/Command.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace postern::smtp;

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

// Whatever a command quotes into its reply: lines of at most 512 octets, CRLF ends only, the code on each.
void demandGoodReply(const Reply& reply) {
  demand(reply.code >= 400 && reply.code < 600);
  for (const bool utf8 : {false, true}) {
    const auto wire = reply.render(utf8);
    for (std::size_t start = 0; start < wire.size();) {
      const auto end = wire.find("\r\n", start);
      demand(end != std::string::npos && end - start + 2 <= 512);
      const auto line = std::string_view(wire).substr(start, end - start);
      demand(line.substr(0, 3) == std::to_string(reply.code));
      for (const char c : line) demand(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
      start = end + 2;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  for (const bool extended : {true, false}) {
    const auto parsed = parseCommand(line, {extended});
    if (!parsed) {
      demandGoodReply(parsed.error().reply);
      continue;
    }
    if (const auto* hello = std::get_if<HelloCommand>(&parsed->arguments)) {
      demand(!hello->name.empty() && hello->name.size() <= 255);
      demand(hello->name.find_first_of("()<>\"\\;, \r\n") == std::string::npos);
    }
    if (const auto* command = std::get_if<MailCommand>(&parsed->arguments)) {
      if (command->from) demand(postern::mail::Address::parse(command->from->text()).has_value());
      if (!extended) demand(!command->smtpUtf8 && !command->size);
    }
    if (const auto* command = std::get_if<RcptCommand>(&parsed->arguments)) {
      demand(command->to.has_value() != command->barePostmaster);
      if (command->to) demand(command->to->text().find_first_of("\r\n") == std::string::npos);
    }
  }
  return 0;
}
