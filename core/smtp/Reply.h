#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace postern::smtp {

// Every reply that our server can give. The texts stand in one table in Reply.cpp and nowhere else.
enum class ReplyId : std::uint8_t {
  Greeting,       // {host}
  Hello,          // {host}
  HelloExtended,  // {host}; the keywords follow as lines
  Closing,        // {host}
  MailOk,
  RcptOk,
  ResetOk,
  NoopOk,
  VerifyUnsaid,
  Help,
  StartContent,
  ChunkOk,   // {octets}
  Accepted,  // {queue id}
  ReadyForTls,
  SignedIn,
  SignInChallenge,  // {base64}
  // 4xx
  ShuttingDown,         // {host}
  NotReady,             // {host}
  TooManyConnections,   // {host}
  TooManyFromClient,    // {host}
  IdleTimeout,          // {host}
  TransactionTimeout,   // {host}
  TooManyErrors,        // {host}
  TooManyIdleCommands,  // {host}
  TooManyRecipients,
  LocalError,
  StorageFull,
  StoreNotReady,
  PolicyBroken,
  PolicyDeferred,
  MessageDeferred,
  CompanionBroken,
  TlsNotAvailable,
  SignInTooOften,  // {seconds}
  SignInLater,
  ClientUnsaid,
  // 5xx
  LineTooLong,
  UnknownCommand,
  SyntaxError,  // {what is wrong}
  BadHello,
  NotImplemented,    // {verb}
  BadSequence,       // {what is needed first}
  ForbiddenCommand,  // {host}
  ImproperPipelining,
  MailboxSyntax,  // {what is wrong}
  SenderSyntax,   // {what is wrong}
  NeedsSmtpUtf8,
  UnknownParameter,      // {parameter}
  BadParameter,          // {parameter}
  SizeDeclaredTooLarge,  // {limit}
  MessageTooLarge,       // {limit}
  NoValidRecipients,
  RelayDenied,
  UnknownRecipient,
  NullSenderNotTaken,
  BareLineEnd,         // {which bytes}
  ContentLineTooLong,  // {limit}
  MalformedMessage,    // {what is wrong}
  LoopDetected,        // {hops}
  RecipientRefused,    // {why}
  MessageRefused,      // one line per refused recipient, then the help link, follow
  InfectedMessage,     // {what was found}
  SpamRefused,
  ClientListed,  // {why}
  BodyTypeNotTaken,
  SignInNeedsTls,
  SignInMechanism,
  SignInWrong,
  SignInCancelled,
  SignInResponse,  // {what is wrong}
  SubmissionNeedsTls,
  SubmissionNeedsSignIn,
  NotYourAddress,     // {address}
  NotABalancer,       // {host}
  TlsNeeded,          // {whose mail}
  TlsTooOld,          // {whose mail} {version}
  CertificateNeeded,  // {why the one that came does not count}
  NameRetired,        // {old name} {day} {new name}
  NotPipelined,       // {verb}
};

// One reply: code, enhanced code (RFC 3463) and text lines. A value; what is put into its lines may come from anywhere:
// render() lets no line end, no control character and no over-long line through.
struct Reply {
  std::uint16_t code = 0;
  std::string enhanced;            // "5.7.1"; empty where RFC 2034 has none (greeting, EHLO, 354)
  std::vector<std::string> lines;  // at least one

  Reply& line(std::string_view text) {
    lines.emplace_back(text);
    return *this;
  }
  // The wire form, "550-5.7.1 …" lines with CRLF, the enhanced code on each. Long texts are wrapped so that no line
  // passes 512 octets. `utf8`: the client has asked for SMTPUTF8, so bytes above 127 may stand; "?" otherwise.
  std::string render(bool utf8 = false) const;
};

// The reply with each "{}" of its text replaced by the next argument.
Reply makeReply(ReplyId id, std::initializer_list<std::string_view> arguments = {});

}  // namespace postern::smtp
