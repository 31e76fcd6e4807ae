#pragma once
#include "core/base/CompanionAddress.h"
#include "core/mail/Message.h"
#include "gateway/smtp/Ports.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace postern::gateway {

// What a milter makes of a message.
struct MilterOutcome {
  enum class Kind : std::uint8_t { Pass, Reject, Defer, Discard };
  Kind kind = Kind::Pass;
  std::uint16_t code = 0;                 // of Reject and Defer, where the milter named one
  std::string enhanced;                   // likewise
  std::string text;                       // likewise, printable
  std::string recipient;                  // the one that it refused; empty: the message
  std::optional<std::string> quarantine;  // to be held, and why
  std::optional<std::string> content;     // with the header as the milter wants it
};

// Shows whole messages to one milter, as the mail server of the milter protocol: connection, HELO, sender, recipients,
// header, body, one after another when the message is there, since nothing is decided of it before. Each message has a
// connection of its own. What the milter neither wants nor answers is left out as it was agreed on.
// Threads: safe for all. Errors: Error(Unavailable) for whatever keeps it from a verdict, also when it breaks the
// protocol or wants to change bodies or envelopes, which it is told at the start that it may not.
class MilterClient {
public:
  struct Settings {
    std::string name;
    CompanionAddress address;
    std::chrono::milliseconds timeLimit{30000};  // for a whole message
    std::string hostName;
  };
  explicit MilterClient(Settings settings) : settings_(std::move(settings)) {}

  MilterOutcome judge(const InspectionFacts& facts, const mail::Message& message) const;
  const std::string& name() const { return settings_.name; }

private:
  const Settings settings_;
};

}  // namespace postern::gateway
