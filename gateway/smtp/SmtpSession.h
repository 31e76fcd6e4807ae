#pragma once
#include "core/smtp/Command.h"
#include "gateway/smtp/SessionData.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace postern::gateway {

// A question that the session cannot answer by itself, since the answer may take time. While one is open, bytes are
// kept and nothing is read from them.
struct RecipientPending {
  TransactionRecipient candidate;
  smtp::RcptCommand command;
};
struct MessagePending {
  std::string content;
  std::string queueId;
};
struct SignInPending {
  Credentials credentials;
};
// A policy hook before RCPT.
struct SessionPending {
  policy::Hook hook;
  std::optional<smtp::Command> command;  // that waits for the answer; nothing: the greeting does
  std::string helo;                      // as it is if the answer is yes
  Transaction transaction;               // the same
};
using Pending = std::variant<RecipientPending, MessagePending, SignInPending, SessionPending>;

// One SMTP session (RFC 5321) without I/O: bytes in, replies and questions out. Drive it like this:
//   greet(); then feed() what was read, answer each pending() (answerPending in PendingWork.h), send takeOutput(),
//   begin TLS when wantsTls(), close when closed().
// Invariants:
//  1. What came in clear before TLS is neither answered nor used after it (RFC 3207 §4.2).
//  2. A command line ends with CR LF; lines and buffers are bounded, whatever comes.
//  3. 250 to a message is said by resolveAccepted() only, which the caller calls after Acceptor::accept() returned.
// Ownership: the settings and what `ports` refers to must outlive the session. Threads: one at a time.
// Errors: none are thrown for what a client does.
class SmtpSession {
public:
  // `tls` is filled in on a port with implicit TLS.
  SmtpSession(const SessionSettings& settings, const Ports& ports, ClientFacts client, app::TlsFacts tls = {},
              Door door = {});

  // Who the client is after all, as a load balancer says. REQUIRES: before greet() and TLS.
  void clientIs(ClientFacts client, std::string localAddress);

  void greet();
  void refuse(smtp::ReplyId id);  // a 421 in place of the greeting, or at any later time; closes
  void feed(std::string_view bytes);

  const std::optional<Pending>& pending() const { return pending_; }
  void resolveRecipient(const std::optional<Refusal>& refusal);
  void resolveRefused(const Refusal& refusal);
  void resolveAccepted();
  // `refusal`: of a policy, though the password was right.
  void resolveSignIn(const SignIns::Outcome& outcome, const std::optional<Refusal>& refusal = {});
  void resolveSession(const std::optional<Refusal>& refusal);

  InspectionFacts facts() const;
  // What the acceptor gets: REQUIRES a pending message. Takes the content out of the question; call it once.
  app::Submission takeSubmission(const MessageDecision& decision);

  bool wantsTls() const { return data_.state == State::StartingTls && data_.output.empty(); }
  void tlsStarted(app::TlsFacts tls, TlsPeer peer = {});

  bool closed() const { return data_.state == State::Closed; }
  bool inTransaction() const { return data_.transaction.has_value(); }
  bool saidQuit() const { return data_.saidQuit; }  // closed because the client wants it
  bool hasOutput() const { return !data_.output.empty(); }
  std::string takeOutput() { return std::exchange(data_.output, {}); }
  // Past MaxOutput no command is read until output was taken and resume() is called: a client that sends commands and
  // never reads replies costs no memory.
  void resume() { feed({}); }

  State state() const { return data_.state; }
  std::uint64_t transactions() const { return data_.transactions; }
  // Grows with each command done and each octet of content: what an idle limit looks at.
  std::uint64_t progress() const { return progress_; }
  const app::TlsFacts& tls() const { return data_.tls; }
  const std::string& clientAddress() const { return data_.client.address; }

private:
  static constexpr std::size_t MaxOutput = 64u << 10;

  std::size_t consume(std::string_view bytes);
  std::size_t takeLine(std::string_view bytes);
  std::size_t takeContent(std::string_view bytes);
  std::size_t takeChunk(std::string_view bytes);
  void command(std::string_view line, bool bytesBehind);
  void signInLine(std::string_view line);
  void takeCredentials();
  bool askBefore(smtp::Command& command);
  void refuseCommand(const smtp::CommandError& error);
  void refuseMessage(const Refusal& refusal);
  void run(smtp::Command&& command, bool bytesBehind);
  void apply(smtp::Command&& command);
  void countError();
  bool closeOverBadChunk(std::uint64_t octets);
  void finishChunk();
  void finishContent();
  void sizeBroken();

  SessionData data_;
  std::string input_;
  std::optional<Pending> pending_;
  std::uint64_t progress_ = 0;
  bool skippingLine_ = false;
};

}  // namespace postern::gateway
