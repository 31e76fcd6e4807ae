#pragma once
#include "core/base/Result.h"
#include "core/mail/Address.h"
#include "core/smtp/Reply.h"
#include "core/smtp/Xclient.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The grammar of every SMTP command as it comes from a client (RFC 5321 §4.1, RFC 1870, 3030, 3207, 6152, 6531).
// Pure: a line in, typed values out; a line is parsed once.
namespace postern::smtp {

enum class Verb : std::uint8_t {
  Ehlo,
  Helo,
  Mail,
  Rcpt,
  Data,
  Bdat,
  Rset,
  Noop,
  Quit,
  Vrfy,
  Expn,
  Help,
  StartTls,
  Auth,
  Xclient,
  Foreign,  // a word of another protocol (GET, POST, CONNECT …): somebody's browser was made to speak to us
};
constexpr std::size_t VerbCount = static_cast<std::size_t>(Verb::Foreign) + 1;
const char* verbName(Verb verb);

// EHLO and HELO. `name` holds domain characters or an address literal only, so it may be put into a header.
struct HelloCommand {
  std::string name;
};

enum class BodyType : std::uint8_t { SevenBit, EightBitMime };

struct MailCommand {
  std::optional<mail::Address> from;  // none: the null sender <>
  std::optional<std::uint64_t> size;  // RFC 1870
  BodyType body = BodyType::SevenBit;
  bool smtpUtf8 = false;
  bool requireTls = false;  // RFC 8689
  bool saysAuth = false;    // RFC 4954 §5: taken from whoever has signed in, and not believed
};

// `to` has a domain always; <postmaster> alone (RFC 5321 §4.1.1.3) sets `barePostmaster`, and the server adds its name.
struct RcptCommand {
  std::optional<mail::Address> to;
  bool barePostmaster = false;
};

struct BdatCommand {
  std::uint64_t octets = 0;
  bool last = false;
};

// RFC 4954 §4. `initial` is as it came: base64, or "=" for an empty response.
struct AuthCommand {
  std::string mechanism;  // upper case
  std::optional<std::string> initial;
};

// VRFY, EXPN, HELP, NOOP: what stands behind the verb is not used.
struct NoArguments {};

using Arguments =
    std::variant<NoArguments, HelloCommand, MailCommand, RcptCommand, BdatCommand, AuthCommand, XclientCommand>;

struct Command {
  Verb verb;
  Arguments arguments;
};

// Why a line is no command, as the reply that says so. `verb` is set when the verb itself was known.
struct CommandError {
  std::optional<Verb> verb;
  Reply reply;
  // A BDAT that is wrong otherwise still has this many octets behind it; none: nobody can tell where they end.
  std::optional<std::uint64_t> bdatOctets;
};

// What EHLO offered decides what MAIL and RCPT may carry: after HELO no parameter is taken.
struct CommandContext {
  bool extended = true;
};

// `line` is without its CRLF. RFC 5321 §4.5.3.1.4 gives 512 octets, extensions more; MaxLine is our hard limit.
constexpr std::size_t MaxCommandLine = 4096;
Result<Command, CommandError> parseCommand(std::string_view line, const CommandContext& context = {});

}  // namespace postern::smtp
