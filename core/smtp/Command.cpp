#include "core/smtp/Command.h"

#include "core/mail/Text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace postern::smtp {

namespace {

using Parsed = Result<Arguments, Reply>;

Parsed fail(ReplyId id, std::initializer_list<std::string_view> arguments = {}) {
  return Unexpected(makeReply(id, arguments));
}

std::string_view trimEnd(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The next word up to a blank; leading blanks are skipped.
std::string_view nextWord(std::string_view& rest) {
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  const auto word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

std::optional<std::uint64_t> parseNumber(std::string_view text) {
  std::uint64_t value = 0;
  if (text.empty() || text.size() > 20) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool isHelloCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || c == '.' ||
         c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
}

// Lenient about what the name means (underscores, one label), strict about its characters.
Parsed parseHello(std::string_view rest, const CommandContext&) {
  const auto name = trimEnd(nextWord(rest));
  if (name.empty() || name.size() > 255 || !trimEnd(rest).empty()) return fail(ReplyId::BadHello);
  if (!std::all_of(name.begin(), name.end(), isHelloCharacter)) return fail(ReplyId::BadHello);
  const bool literal = name.front() == '[';
  const auto inner = literal ? name.substr(1, name.size() - 1) : name;
  if (literal && (name.size() < 3 || name.back() != ']')) return fail(ReplyId::BadHello);
  const auto plain = literal ? inner.substr(0, inner.size() - 1) : inner;
  if (plain.find_first_of("[]") != std::string_view::npos) return fail(ReplyId::BadHello);
  if (!literal && plain.find(':') != std::string_view::npos) return fail(ReplyId::BadHello);
  return Arguments(HelloCommand{std::string(name)});
}

// The end of the path that begins with '<': behind the '>' that stands outside quotes. npos without one.
std::size_t endOfPath(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\')
      ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (c == '>' && !quoted)
      return i + 1;
  }
  return std::string_view::npos;
}

// RFC 5321 §4.1.1.3: a source route is recognised and stripped; mail is never routed by it. The hosts must be domains.
Result<std::string_view, mail::AddressError> stripSourceRoute(std::string_view mailbox) {
  if (mailbox.empty() || mailbox.front() != '@') return mailbox;
  const auto colon = mailbox.find(':');
  if (colon == std::string_view::npos) return Unexpected(mail::AddressError::SourceRoute);
  auto hosts = mailbox.substr(0, colon);
  for (;;) {
    const auto comma = hosts.find(',');
    const auto host = hosts.substr(0, comma);
    if (host.size() < 2 || host.front() != '@' || !mail::DomainName::parse(host.substr(1)))
      return Unexpected(mail::AddressError::SourceRoute);
    if (comma == std::string_view::npos) break;
    hosts.remove_prefix(comma + 1);
  }
  return mailbox.substr(colon + 1);
}

struct Path {
  std::string_view mailbox;     // between the angle brackets
  std::string_view parameters;  // behind them
};

// "FROM:<...> parameters". A blank behind the colon is common and harmless (RFC 5321 §3.3 forbids it to senders).
Result<Path, Reply> parsePath(std::string_view rest, std::string_view keyword) {
  const std::string wanted = "use " + std::string(keyword) + "<address>";
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (!mail::equalsIgnoreCase(rest.substr(0, keyword.size()), keyword))
    return Unexpected(makeReply(ReplyId::SyntaxError, {wanted}));
  rest.remove_prefix(keyword.size());
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (rest.empty() || rest.front() != '<') return Unexpected(makeReply(ReplyId::SyntaxError, {wanted}));
  const auto end = endOfPath(rest);
  if (end == std::string_view::npos) return Unexpected(makeReply(ReplyId::SyntaxError, {wanted}));
  const auto parameters = rest.substr(end);
  if (!parameters.empty() && parameters.front() != ' ') return Unexpected(makeReply(ReplyId::SyntaxError, {wanted}));
  return Path{rest.substr(1, end - 2), parameters};
}

Result<mail::Address, mail::AddressError> parseMailbox(std::string_view text) {
  const auto mailbox = stripSourceRoute(text);
  if (!mailbox) return Unexpected(mailbox.error());
  return mail::Address::parse(*mailbox);
}

std::optional<Reply> applyMailParameter(MailCommand& command, std::string_view name, std::string_view value,
                                        bool hasValue) {
  if (mail::equalsIgnoreCase(name, "SIZE")) {
    const auto size = parseNumber(value);
    if (!size || command.size) return makeReply(ReplyId::BadParameter, {"SIZE"});
    command.size = size;
  } else if (mail::equalsIgnoreCase(name, "BODY")) {
    if (mail::equalsIgnoreCase(value, "8BITMIME"))
      command.body = BodyType::EightBitMime;
    else if (!mail::equalsIgnoreCase(value, "7BIT"))
      return makeReply(ReplyId::BodyTypeNotTaken);
  } else if (mail::equalsIgnoreCase(name, "SMTPUTF8")) {
    if (hasValue) return makeReply(ReplyId::BadParameter, {"SMTPUTF8"});
    command.smtpUtf8 = true;
  } else if (mail::equalsIgnoreCase(name, "REQUIRETLS")) {
    if (hasValue || command.requireTls) return makeReply(ReplyId::BadParameter, {"REQUIRETLS"});
    command.requireTls = true;
  } else if (mail::equalsIgnoreCase(name, "AUTH")) {
    if (value.empty() || command.saysAuth) return makeReply(ReplyId::BadParameter, {"AUTH"});
    command.saysAuth = true;
  } else {
    return makeReply(ReplyId::UnknownParameter, {name.substr(0, 40)});
  }
  return std::nullopt;
}

Parsed parseMail(std::string_view rest, const CommandContext& context) {
  const auto path = parsePath(rest, "FROM:");
  if (!path) return Unexpected(path.error());
  MailCommand command;
  auto parameters = trimEnd(path->parameters);
  while (!parameters.empty()) {
    const auto word = nextWord(parameters);
    const auto equals = word.find('=');
    const auto value = equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
    if (!context.extended) return fail(ReplyId::UnknownParameter, {word.substr(0, 40)});
    if (auto reply = applyMailParameter(command, word.substr(0, equals), value, equals != std::string_view::npos))
      return Unexpected(std::move(*reply));
  }
  if (path->mailbox.empty()) return Arguments(std::move(command));
  auto address = parseMailbox(path->mailbox);
  if (!address) return fail(ReplyId::SenderSyntax, {mail::addressErrorText(address.error())});
  if (!address->isAscii() && !command.smtpUtf8) return fail(ReplyId::NeedsSmtpUtf8);
  command.from = std::move(*address);
  return Arguments(std::move(command));
}

// We offer no DSN, so RCPT has no parameters.
Parsed parseRcpt(std::string_view rest, const CommandContext&) {
  const auto path = parsePath(rest, "TO:");
  if (!path) return Unexpected(path.error());
  auto parameters = trimEnd(path->parameters);
  if (!parameters.empty()) return fail(ReplyId::UnknownParameter, {nextWord(parameters).substr(0, 40)});
  if (mail::equalsIgnoreCase(path->mailbox, "postmaster")) return Arguments(RcptCommand{std::nullopt, true});
  auto address = parseMailbox(path->mailbox);
  if (!address) return fail(ReplyId::MailboxSyntax, {mail::addressErrorText(address.error())});
  return Arguments(RcptCommand{std::move(*address), false});
}

Parsed parseBdat(std::string_view rest, const CommandContext&) {
  const auto octets = parseNumber(nextWord(rest));
  const auto last = nextWord(rest);
  if (!octets || !trimEnd(rest).empty()) return fail(ReplyId::SyntaxError, {"use BDAT octets, or BDAT octets LAST"});
  if (!last.empty() && !mail::equalsIgnoreCase(last, "LAST"))
    return fail(ReplyId::SyntaxError, {"use BDAT octets, or BDAT octets LAST"});
  return Arguments(BdatCommand{*octets, !last.empty()});
}

Parsed parseNothing(std::string_view rest, const CommandContext&) {
  if (!trimEnd(rest).empty()) return fail(ReplyId::SyntaxError, {"this command takes no argument"});
  return Arguments(NoArguments{});
}

Parsed parseAnything(std::string_view, const CommandContext&) {
  return Arguments(NoArguments{});
}

Parsed parseSomething(std::string_view rest, const CommandContext&) {
  if (trimEnd(rest).empty()) return fail(ReplyId::SyntaxError, {"this command needs an argument"});
  return Arguments(NoArguments{});
}

Parsed parseAuth(std::string_view rest, const CommandContext&) {
  AuthCommand command;
  for (const char c : nextWord(rest)) command.mechanism += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  if (command.mechanism.empty()) return fail(ReplyId::SyntaxError, {"name a mechanism, as in AUTH PLAIN"});
  if (const auto initial = nextWord(rest); !initial.empty()) command.initial = initial;
  if (!trimEnd(rest).empty()) return fail(ReplyId::SyntaxError, {"use AUTH mechanism, or AUTH mechanism response"});
  return Arguments(std::move(command));
}

Parsed parseXclientCommand(std::string_view rest, const CommandContext&) {
  auto command = parseXclient(trimEnd(rest));
  if (!command) return fail(ReplyId::SyntaxError, {command.error()});
  return Arguments(std::move(*command));
}

struct Grammar {
  std::string_view word;
  Verb verb;
  Parsed (*parse)(std::string_view rest, const CommandContext& context);
};

constexpr Grammar Grammars[] = {
    {"EHLO", Verb::Ehlo, parseHello},
    {"HELO", Verb::Helo, parseHello},
    {"MAIL", Verb::Mail, parseMail},
    {"RCPT", Verb::Rcpt, parseRcpt},
    {"DATA", Verb::Data, parseNothing},
    {"BDAT", Verb::Bdat, parseBdat},
    {"RSET", Verb::Rset, parseNothing},
    {"NOOP", Verb::Noop, parseAnything},
    {"QUIT", Verb::Quit, parseNothing},
    {"VRFY", Verb::Vrfy, parseSomething},
    {"EXPN", Verb::Expn, parseSomething},
    {"HELP", Verb::Help, parseAnything},
    {"STARTTLS", Verb::StartTls, parseNothing},
    {"AUTH", Verb::Auth, parseAuth},
    {"XCLIENT", Verb::Xclient, parseXclientCommand},
    {"GET", Verb::Foreign, parseAnything},
    {"POST", Verb::Foreign, parseAnything},
    {"PUT", Verb::Foreign, parseAnything},
    {"CONNECT", Verb::Foreign, parseAnything},
    {"HEAD", Verb::Foreign, parseAnything},
    {"OPTIONS", Verb::Foreign, parseAnything},
};

// A BDAT with wrong arguments is followed by its octets all the same; the caller has to skip them.
std::optional<std::uint64_t> octetsBehind(Verb verb, std::string_view rest) {
  return verb == Verb::Bdat ? parseNumber(nextWord(rest)) : std::nullopt;
}

}  // namespace

const char* verbName(Verb verb) {
  for (const auto& grammar : Grammars)
    if (grammar.verb == verb) return grammar.word.data();
  return "";
}

Result<Command, CommandError> parseCommand(std::string_view line, const CommandContext& context) {
  const auto word = line.substr(0, line.find(' '));
  const auto grammar = std::find_if(std::begin(Grammars), std::end(Grammars),
                                    [&](const Grammar& row) { return mail::equalsIgnoreCase(row.word, word); });
  if (grammar == std::end(Grammars))
    return Unexpected(CommandError{std::nullopt, makeReply(ReplyId::UnknownCommand), {}});
  const auto rest = line.substr(word.size());
  if (mail::hasControl(line) || !mail::isUtf8(line))
    return Unexpected(CommandError{
        grammar->verb, makeReply(ReplyId::SyntaxError, {"control characters and broken UTF-8 are not allowed"}),
        octetsBehind(grammar->verb, rest)});
  auto arguments = grammar->parse(rest, context);
  if (!arguments)
    return Unexpected(CommandError{grammar->verb, std::move(arguments.error()), octetsBehind(grammar->verb, rest)});
  return Command{grammar->verb, std::move(*arguments)};
}

}  // namespace postern::smtp
