#include "core/smtp/Reply.h"

#include "core/base/Error.h"

#include <algorithm>
#include <iterator>

namespace postern::smtp {

namespace {

struct Row {
  ReplyId id;
  std::uint16_t code;
  const char* enhanced;
  const char* text;
};

// RFC 5321 §4.2 for the codes, RFC 3463 for the enhanced ones. In the order of ReplyId.
constexpr Row Table[] = {
    {ReplyId::Greeting, 220, "", "{} ESMTP Postern"},
    {ReplyId::Hello, 250, "", "{}"},
    {ReplyId::HelloExtended, 250, "", "{}"},
    {ReplyId::Closing, 221, "2.0.0", "{} closing the connection"},
    {ReplyId::MailOk, 250, "2.1.0", "sender ok"},
    {ReplyId::RcptOk, 250, "2.1.5", "recipient ok"},
    {ReplyId::ResetOk, 250, "2.0.0", "ok"},
    {ReplyId::NoopOk, 250, "2.0.0", "ok"},
    {ReplyId::VerifyUnsaid, 252, "2.0.0", "addresses are not verified here; send the message and see"},
    {ReplyId::Help, 214, "2.0.0", "see RFC 5321; for people, the postmaster of this site helps"},
    {ReplyId::StartContent, 354, "", "send the message, end with a dot on a line of its own"},
    {ReplyId::ChunkOk, 250, "2.0.0", "{} octets received"},
    {ReplyId::Accepted, 250, "2.0.0", "accepted as {}"},
    {ReplyId::ReadyForTls, 220, "2.0.0", "ready for TLS"},
    {ReplyId::SignedIn, 235, "2.7.0", "signed in"},
    {ReplyId::SignInChallenge, 334, "", "{}"},

    {ReplyId::ShuttingDown, 421, "4.3.2", "{} is shutting down, try again later"},
    {ReplyId::NotReady, 421, "4.3.2", "{} is starting and not ready yet, try again in a minute"},
    {ReplyId::TooManyConnections, 421, "4.7.0", "{} has too many connections, try again later"},
    {ReplyId::TooManyFromClient, 421, "4.7.0", "{} has too many connections from your address, close some first"},
    {ReplyId::IdleTimeout, 421, "4.4.2", "{} waited too long for you, closing the connection"},
    {ReplyId::TransactionTimeout, 421, "4.4.2", "{} the transaction took too long, closing the connection"},
    {ReplyId::TooManyErrors, 421, "4.7.0", "{} too many errors, closing the connection"},
    {ReplyId::TooManyIdleCommands, 421, "4.7.0", "{} too many commands without a message, closing the connection"},
    {ReplyId::TooManyRecipients, 452, "4.5.3", "too many recipients, send the rest in another transaction"},
    {ReplyId::LocalError, 451, "4.3.0", "local error, nothing was accepted, try again later"},
    {ReplyId::StorageFull, 452, "4.3.1", "not enough storage, nothing was accepted, try again later"},
    {ReplyId::StoreNotReady, 451, "4.3.0", "not ready yet, try again in a minute"},
    {ReplyId::PolicyBroken, 451, "4.7.0", "the policy check failed, nothing was accepted, try again later"},
    {ReplyId::PolicyDeferred, 451, "4.7.1", "{}"},
    {ReplyId::MessageDeferred, 451, "4.7.1", "deferred by policy, nothing was delivered to anyone, try again later"},
    {ReplyId::CompanionBroken, 451, "4.7.0",
     "a check of this message could not be made, nothing was accepted, try again later"},
    {ReplyId::TlsNotAvailable, 454, "4.7.0", "TLS is not available, try again later"},
    {ReplyId::SignInTooOften, 454, "4.7.0", "too many wrong sign-ins, wait {} seconds"},
    {ReplyId::SignInLater, 454, "4.7.0", "sign-ins cannot be judged now, try again later"},

    {ReplyId::ClientUnsaid, 451, "4.7.0", "the load balancer in front of this server does not say who you are"},

    {ReplyId::LineTooLong, 500, "5.5.2", "the command line is too long"},
    {ReplyId::UnknownCommand, 500, "5.5.2", "unknown command"},
    {ReplyId::SyntaxError, 501, "5.5.4", "{}"},
    {ReplyId::BadHello, 501, "5.5.4", "give a domain name or an address literal as your name"},
    {ReplyId::NotImplemented, 502, "5.5.1", "{} is not available"},
    {ReplyId::BadSequence, 503, "5.5.1", "{}"},
    {ReplyId::ForbiddenCommand, 421, "4.7.0", "{} speaks SMTP only, closing the connection"},
    {ReplyId::ImproperPipelining, 503, "5.5.0", "content came with a refused DATA command, closing the connection"},
    {ReplyId::MailboxSyntax, 553, "5.1.3", "the recipient address is not valid: {}"},
    {ReplyId::SenderSyntax, 553, "5.1.7", "the sender address is not valid: {}"},
    {ReplyId::NeedsSmtpUtf8, 553, "5.6.7", "this address needs SMTPUTF8 with MAIL"},
    {ReplyId::UnknownParameter, 555, "5.5.4", "parameter not known here: {}"},
    {ReplyId::BadParameter, 501, "5.5.4", "bad value of parameter {}"},
    {ReplyId::SizeDeclaredTooLarge, 552, "5.3.4", "the message is larger than the limit of {} octets"},
    {ReplyId::MessageTooLarge, 552, "5.3.4", "the message is larger than the limit of {} octets"},
    {ReplyId::NoValidRecipients, 554, "5.5.1", "no valid recipients"},
    {ReplyId::RelayDenied, 550, "5.7.1", "mail for this domain is not relayed here"},
    {ReplyId::UnknownRecipient, 550, "5.1.1", "no such address here"},
    {ReplyId::NullSenderNotTaken, 550, "5.7.1", "this address takes no mail with an empty sender"},
    {ReplyId::BareLineEnd, 550, "5.6.0", "refused: the message holds {}; lines must end with CR LF only"},
    {ReplyId::ContentLineTooLong, 550, "5.6.0", "refused: the message has a line longer than {} octets"},
    {ReplyId::MalformedMessage, 550, "5.6.0", "refused as malformed: {}"},
    {ReplyId::LoopDetected, 554, "5.4.6", "mail loop: the message has passed {} servers already"},
    {ReplyId::RecipientRefused, 550, "5.7.1", "{}"},
    {ReplyId::MessageRefused, 550, "5.7.1", "refused by policy; nothing was delivered to anyone"},
    {ReplyId::InfectedMessage, 550, "5.7.1", "refused: the message is infected ({}); nothing was delivered to anyone"},
    {ReplyId::SpamRefused, 550, "5.7.1", "refused as spam; nothing was delivered to anyone"},
    {ReplyId::ClientListed, 550, "5.7.1", "mail from your address is not taken: {}"},
    {ReplyId::BodyTypeNotTaken, 501, "5.5.4", "this BODY type is not taken here; use 7BIT or 8BITMIME"},
    {ReplyId::SignInNeedsTls, 538, "5.7.11", "passwords are taken under TLS only; send STARTTLS first"},
    {ReplyId::SignInMechanism, 504, "5.5.4", "this mechanism is not taken here; use PLAIN or LOGIN"},
    {ReplyId::SignInWrong, 535, "5.7.8", "name or password is wrong; use an access token with the scope mail:write"},
    {ReplyId::SignInCancelled, 501, "5.7.0", "sign-in cancelled"},
    {ReplyId::SignInResponse, 501, "5.5.2", "{}"},
    {ReplyId::SubmissionNeedsTls, 530, "5.7.0", "send STARTTLS first"},
    {ReplyId::SubmissionNeedsSignIn, 530, "5.7.0", "sign in first, with AUTH"},
    {ReplyId::NotYourAddress, 550, "5.7.1",
     "you may write as {} only; set that address as sender in your mail program, or ask your administrator"},
    {ReplyId::NotABalancer, 554, "", "{} takes no connections from your address here"},
    {ReplyId::TlsNeeded, 530, "5.7.0", "{} is taken over TLS only; send STARTTLS first"},
    {ReplyId::TlsTooOld, 550, "5.7.10", "{} is taken over TLS {} or newer only"},
    {ReplyId::CertificateNeeded, 530, "5.7.0", "a client certificate is needed here: {}"},
    {ReplyId::NameRetired, 550, "5.7.1", "{} is retired since {}; set your server to {}, nothing was accepted"},
    {ReplyId::NotPipelined, 503, "5.5.0", "{} must be the last command that you send without waiting"},
};

constexpr bool tableIsInOrder() {
  for (std::size_t i = 0; i < std::size(Table); ++i)
    if (static_cast<std::size_t>(Table[i].id) != i) return false;
  return std::size(Table) == static_cast<std::size_t>(ReplyId::NotPipelined) + 1;
}
static_assert(tableIsInOrder(), "a reply has no row, or stands in the wrong place");

// RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets with its code and CRLF.
constexpr std::size_t MaxText = 480;

std::string printable(std::string_view text, bool utf8) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      out.push_back(' ');
    else if (byte >= 0x80 && !utf8)
      out.push_back('?');
    else
      out.push_back(c);
  }
  return out;
}

// Where to break a text that does not fit: at a blank, else before a whole character.
std::size_t breakPoint(std::string_view text) {
  if (text.size() <= MaxText) return text.size();
  const auto blank = text.rfind(' ', MaxText);
  if (blank != std::string_view::npos && blank > MaxText / 2) return blank;
  auto at = MaxText;
  while (at > MaxText - 4 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  return at;
}

}  // namespace

Reply makeReply(ReplyId id, std::initializer_list<std::string_view> arguments) {
  const Row& row = Table[static_cast<std::size_t>(id)];
  std::string text;
  auto next = arguments.begin();
  for (std::string_view rest = row.text; !rest.empty();) {
    const auto hole = rest.find("{}");
    text += rest.substr(0, hole);
    if (hole == std::string_view::npos) break;
    if (next == arguments.end())
      throw Error(ErrorKind::Invariant, std::string("a reply lacks an argument: ") + row.text);
    text += *next++;
    rest.remove_prefix(hole + 2);
  }
  return {row.code, row.enhanced, {std::move(text)}};
}

std::string Reply::render(bool utf8) const {
  std::vector<std::string> wrapped;
  for (const auto& text : lines) {
    const std::string clean = printable(text, utf8);
    std::string_view rest = clean;
    do {
      const auto length = breakPoint(rest);
      wrapped.emplace_back(rest.substr(0, length));
      rest.remove_prefix(length);
      if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    } while (!rest.empty());
  }
  if (wrapped.empty()) wrapped.emplace_back();
  const std::string number = std::to_string(code);
  std::string out;
  for (std::size_t i = 0; i < wrapped.size(); ++i) {
    out += number;
    out += i + 1 < wrapped.size() ? '-' : ' ';
    if (!enhanced.empty()) out.append(enhanced).append(" ");
    out.append(wrapped[i]).append("\r\n");
  }
  return out;
}

}  // namespace postern::smtp
