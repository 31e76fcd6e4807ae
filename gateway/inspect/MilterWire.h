#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The milter protocol, version 6 (libmilter's mfdef.h), from the side of the mail server: bytes to values and back, no
// I/O. Packets are a 32-bit length, a command byte and data.
namespace postern::gateway::milter {

// What a milter may do, and what it does not want to be sent or does not answer.
namespace action {
constexpr std::uint32_t AddHeaders = 0x01, ChangeHeaders = 0x10, Quarantine = 0x20, SetMacros = 0x100;
// Bodies and envelopes are never a milter's to change (docs/decisions/0043): those flags are not offered.
constexpr std::uint32_t Offered = AddHeaders | ChangeHeaders | Quarantine | SetMacros;
}  // namespace action
namespace step {
constexpr std::uint32_t NoConnect = 0x01, NoHelo = 0x02, NoMail = 0x04, NoRcpt = 0x08, NoBody = 0x10, NoHeaders = 0x20,
                        NoEndOfHeaders = 0x40, SilentHeader = 0x80, NoUnknown = 0x100, NoData = 0x200, Skip = 0x400,
                        RefusedRcpts = 0x800, SilentConnect = 0x1000, SilentHelo = 0x2000, SilentMail = 0x4000,
                        SilentRcpt = 0x8000, SilentData = 0x10000, SilentUnknown = 0x20000,
                        SilentEndOfHeaders = 0x40000, SilentBody = 0x80000, LeadingSpace = 0x100000;
constexpr std::uint32_t Offered = 0x1FFFFF;
}  // namespace step

struct Options {
  std::uint32_t version = 6;
  std::uint32_t actions = action::Offered;
  std::uint32_t steps = step::Offered;
};

enum class ReplyKind : std::uint8_t {
  Continue,
  Accept,
  Reject,
  TempFail,
  Discard,
  Code,  // code, enhanced, text
  Quarantine,
  AddHeader,
  InsertHeader,
  ChangeHeader,
  Progress,
  Skip,
};

struct Reply {
  ReplyKind kind = ReplyKind::Continue;
  std::uint16_t code = 0;  // Code: 4xx or 5xx
  std::string enhanced;    // Code: "5.7.1", of the class of the code
  std::string text;        // Code, Quarantine: printable, for people
  std::uint32_t index = 0;
  std::string name;
  std::string value;  // AddHeader, InsertHeader, ChangeHeader: as it came
};

constexpr std::size_t LongestPacket = 1u << 20;

std::string packet(char command, std::string_view data);
std::string offer();
std::string macros(char command, const std::vector<std::pair<std::string, std::string>>& named);
std::string zero(std::string_view text);  // with a NUL behind it; those inside are taken out

// Of a packet without its length. Nothing: it is no such packet, or leaves out steps that were not offered, or is not
// known; the milter cannot be gone on with then.
std::optional<Options> readOptions(std::string_view packet);
std::optional<Reply> readReply(std::string_view packet);

}  // namespace postern::gateway::milter
