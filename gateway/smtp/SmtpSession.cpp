#include "gateway/smtp/SmtpSession.h"

#include "core/app/TraceId.h"
#include "core/base/Error.h"
#include "gateway/smtp/ReceivedLine.h"
#include "gateway/smtp/verbs/Verbs.h"
#include "gateway/smtp/VerbTable.h"

#include <algorithm>

namespace postern::gateway {

using smtp::makeReply;
using smtp::ReplyId;

namespace {

// Content over the limit is read to its end, so that the client sees the 552 and no byte of it is taken for a command.
// Somebody who sends this many times the limit does not mean to deliver mail.
constexpr std::uint64_t OversizeFactor = 16;

}  // namespace

SmtpSession::SmtpSession(const SessionSettings& settings, const Ports& ports, ClientFacts client, app::TlsFacts tls,
                         Door door)
    : data_(settings, ports, std::move(client), std::move(tls)) {
  data_.door = std::move(door);
  data_.clientKnown();
}

void SmtpSession::clientIs(ClientFacts client, std::string localAddress) {
  data_.client = std::move(client);
  data_.door.address = std::move(localAddress);
  data_.clientKnown();
}

void SmtpSession::greet() {
  if (!data_.directory.ready()) return refuse(ReplyId::NotReady);
  if (!data_.name) data_.findName({});
  if (data_.inspector.asks(policy::Hook::Connect)) {
    pending_ = SessionPending{policy::Hook::Connect, std::nullopt, {}, {}};
    return;
  }
  data_.say(ReplyId::Greeting, {data_.hostName()});
}

void SmtpSession::refuse(ReplyId id) {
  data_.say(id, {data_.hostName()});
  data_.close();
  pending_.reset();
}

namespace {

// For Received, the policies and the ledger: what the certificate of the client is worth.
std::string verificationOf(const SessionData& data) {
  const auto& certificate = data.client.certificate;
  if (!certificate) return "none";
  if (auto problem = certificate->outOfTime(data.clock.now()); !problem.empty()) return problem;
  if (certificate->trusted) return "verified";
  return data.directory.pinsCertificate(certificate->fingerprint) ? "pinned" : certificate->distrust;
}

}  // namespace

void SmtpSession::tlsStarted(app::TlsFacts tls, TlsPeer peer) {
  data_.tls = std::move(tls);
  data_.client.certificate = std::move(peer.certificate);
  if (data_.client.certificate) {
    data_.tls.verification = verificationOf(data_);
    data_.tls.peerName = data_.client.certificate->subject;
  }
  data_.findName(peer.serverName);
  data_.helo.clear();
  data_.person.reset();
  data_.extended = false;
  data_.errors = data_.idleCommands = data_.refusedRecipients = 0;
  data_.dropTransaction();
  input_.clear();
  skippingLine_ = false;
}

InspectionFacts SmtpSession::facts() const {
  static const Transaction none;
  if (const auto* question = pending_ ? std::get_if<SessionPending>(&*pending_) : nullptr)
    return {data_.client,          question->helo, data_.tls,
            question->transaction, false,          data_.person ? &*data_.person : nullptr};
  if (pending_ && std::holds_alternative<SignInPending>(*pending_)) return {data_.client, data_.helo, data_.tls, none};
  if (!data_.transaction) throw Error(ErrorKind::Invariant, "a session was asked for a transaction that it has not");
  return {data_.client, data_.helo, data_.tls, *data_.transaction, false, data_.person ? &*data_.person : nullptr};
}

void SmtpSession::feed(std::string_view bytes) {
  if (input_.empty()) {
    input_.assign(bytes.substr(consume(bytes)));
  } else {
    input_.append(bytes);
    input_.erase(0, consume(input_));
  }
  if (input_.empty() && input_.capacity() > 1024) std::string().swap(input_);  // idle sessions stay small
}

std::size_t SmtpSession::consume(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !pending_ && data_.output.size() < MaxOutput) {
    const auto rest = bytes.substr(used);
    std::size_t taken = 0;
    switch (data_.state) {
      case State::Closed:
      case State::StartingTls:
        return bytes.size();  // never to be read
      case State::Content:
        taken = takeContent(rest);
        break;
      case State::ChunkBytes:
        taken = takeChunk(rest);
        break;
      default:
        taken = takeLine(rest);
    }
    if (taken == 0) break;
    used += taken;
  }
  return used;
}

// One command line, or a piece of one that is too long. A lone LF ends a line only to refuse it.
std::size_t SmtpSession::takeLine(std::string_view bytes) {
  const auto window = bytes.substr(0, smtp::MaxCommandLine);
  const auto end = window.find('\n');
  if (end == std::string_view::npos) {
    if (window.size() < smtp::MaxCommandLine) return 0;
    skippingLine_ = true;
    return window.size();
  }
  const auto line = window.substr(0, end);
  ++progress_;
  if (data_.state == State::SignIn) {
    signInLine(line);
  } else if (skippingLine_) {
    skippingLine_ = false;
    data_.say(ReplyId::LineTooLong);
    countError();
  } else if (line.empty() || line.back() != '\r') {
    data_.say(ReplyId::SyntaxError, {"a command ends with CR LF"});
    countError();
  } else {
    command(line.substr(0, line.size() - 1), bytes.size() > end + 1);
  }
  return end + 1;
}

// A response of the client, or what is none; both end the line, whatever they end with.
void SmtpSession::signInLine(std::string_view line) {
  const bool whole = !std::exchange(skippingLine_, false) && !line.empty() && line.back() == '\r';
  verbs::takeSignInLine(data_, whole ? std::optional(line.substr(0, line.size() - 1)) : std::nullopt);
  takeCredentials();
}

void SmtpSession::takeCredentials() {
  if (data_.credentials) pending_ = SignInPending{std::move(*data_.credentials)};
  data_.credentials.reset();
  if (!pending_ && data_.signInFailures >= data_.settings.maxSignInTries) refuse(ReplyId::TooManyErrors);
}

void SmtpSession::resolveSignIn(const SignIns::Outcome& outcome, const std::optional<Refusal>& refusal) {
  pending_.reset();
  if (refusal) {
    ++data_.signInFailures;
    data_.report(refusal->reply, refusal->reason, refusal->policy);
    data_.say(refusal->reply);
  } else {
    verbs::endSignIn(data_, outcome);
  }
  if (data_.signInFailures >= data_.settings.maxSignInTries) refuse(ReplyId::TooManyErrors);
  resume();
}

void SmtpSession::command(std::string_view line, bool bytesBehind) {
  auto parsed = smtp::parseCommand(line, {data_.extended});
  const auto verb = parsed ? std::optional(parsed->verb) : parsed.error().verb;
  if (verb == smtp::Verb::Xclient && !data_.mayXclient) {  // to others it does not exist
    data_.say(ReplyId::UnknownCommand);
    countError();
  } else if (verb && *verb != smtp::Verb::Bdat && line.size() + 2 > rowOf(*verb).maxLine) {
    data_.say(ReplyId::LineTooLong);
    countError();
  } else if (!parsed) {
    refuseCommand(parsed.error());
  } else {
    run(std::move(*parsed), bytesBehind);
  }
}

// Octets stand behind a BDAT whatever we say to it. If nobody can tell how many, or they are absurdly many, the only
// safe thing is to close: read as commands they would be somebody's smuggled session.
bool SmtpSession::closeOverBadChunk(std::uint64_t octets) {
  if (octets <= data_.settings.maxMessageSize * OversizeFactor) return false;
  sizeBroken();
  return true;
}

void SmtpSession::refuseCommand(const smtp::CommandError& error) {
  if (error.verb == smtp::Verb::Bdat) {
    if (!error.bdatOctets) {
      data_.say(error.reply);
      return refuse(ReplyId::TooManyErrors);
    }
    if (closeOverBadChunk(*error.bdatOctets)) return;
    ++data_.errors;
    verbs::skipChunk(data_, *error.bdatOctets, error.reply);
    if (data_.chunkLeft == 0) finishChunk();
    return;
  }
  data_.say(error.reply);
  countError();
}

// Check, policy, apply: the one way from a command to a change.
void SmtpSession::run(smtp::Command&& command, bool bytesBehind) {
  const auto& row = rowOf(command.verb);
  const auto* chunk = std::get_if<smtp::BdatCommand>(&command.arguments);
  if (chunk && closeOverBadChunk(chunk->octets)) return;
  if (row.idle && ++data_.idleCommands > data_.settings.maxIdleCommands) return refuse(ReplyId::TooManyIdleCommands);
  if (!row.states.has(data_.state)) {
    auto reply = data_.state == State::Sender && (command.verb == smtp::Verb::Data || chunk)
                     ? makeReply(ReplyId::NoValidRecipients)
                     : makeReply(row.outOfSequence, {row.needed});
    if (chunk) {
      verbs::skipChunk(data_, chunk->octets, std::move(reply));
      if (data_.chunkLeft == 0) finishChunk();
      return;
    }
    data_.say(reply);
    // Content sent without waiting for our 354 would now be read as commands.
    if (command.verb == smtp::Verb::Data && bytesBehind) {
      data_.say(ReplyId::ImproperPipelining);
      return data_.close();
    }
    return countError();
  }
  if (command.verb == smtp::Verb::Xclient && bytesBehind) {
    // They were sent for another client than the one that comes now.
    data_.say(ReplyId::NotPipelined, {"XCLIENT"});
    return data_.close();
  }
  if (auto refusal = row.check(data_, command.arguments)) {
    data_.say(*refusal);
    if (command.verb != smtp::Verb::Rcpt) return countError();
    if (++data_.refusedRecipients > data_.settings.maxRefusedRecipients) refuse(ReplyId::TooManyErrors);
    return;
  }
  if (askBefore(command)) return;
  if (row.hook == Hook::Recipient) {
    const auto& rcpt = std::get<smtp::RcptCommand>(command.arguments);
    if (!verbs::isRepeated(data_, rcpt)) {
      pending_ = RecipientPending{verbs::candidateOf(data_, rcpt), rcpt};
      return;
    }
  }
  apply(std::move(command));
}

// EHLO, HELO and MAIL wait for a policy, where one has the hook.
bool SmtpSession::askBefore(smtp::Command& command) {
  const auto* hello = std::get_if<smtp::HelloCommand>(&command.arguments);
  const auto* mail = std::get_if<smtp::MailCommand>(&command.arguments);
  if (!hello && !mail) return false;
  const auto hook = hello ? policy::Hook::Ehlo : policy::Hook::Mail;
  if (!data_.inspector.asks(hook)) return false;
  SessionPending question{hook, std::nullopt, hello ? data_.forwardedHelo.value_or(hello->name) : data_.helo,
                          mail ? verbs::transactionOf(data_, *mail) : Transaction{}};
  question.command = std::move(command);
  pending_ = std::move(question);
  return true;
}

void SmtpSession::resolveSession(const std::optional<Refusal>& refusal) {
  auto question = std::get<SessionPending>(std::exchange(pending_, std::nullopt).value());
  if (refusal) {
    data_.report(refusal->reply, refusal->reason, refusal->policy);
    data_.say(refusal->reply);
    if (question.command)
      countError();
    else
      data_.close();
  } else if (question.command) {
    apply(std::move(*question.command));
  } else {
    data_.say(ReplyId::Greeting, {data_.hostName()});
  }
  resume();
}

void SmtpSession::apply(smtp::Command&& command) {
  const auto& row = rowOf(command.verb);
  const bool another = command.verb == smtp::Verb::Xclient;
  row.apply(data_, std::move(command.arguments));
  if (another) return greet();  // the policies have not seen this client yet
  takeCredentials();
  if (data_.state == State::ChunkBytes && data_.chunkLeft == 0) finishChunk();
}

void SmtpSession::countError() {
  if (++data_.errors > data_.settings.maxErrors) refuse(ReplyId::TooManyErrors);
}

void SmtpSession::resolveRecipient(const std::optional<Refusal>& refusal) {
  auto question = std::get<RecipientPending>(std::exchange(pending_, std::nullopt).value());
  if (refusal) {
    verbs::refuseRecipient(data_, question.command, *refusal);
    if (++data_.refusedRecipients > data_.settings.maxRefusedRecipients) refuse(ReplyId::TooManyErrors);
  } else {
    apply({smtp::Verb::Rcpt, std::move(question.command)});
  }
  resume();
}

std::size_t SmtpSession::takeContent(std::string_view bytes) {
  const auto used = data_.decoder->feedData(bytes);
  progress_ += used;
  if (data_.decoder->done())
    finishContent();
  else if (data_.decoder->receivedBytes() > data_.settings.maxMessageSize * OversizeFactor)
    sizeBroken();
  return used;
}

void SmtpSession::sizeBroken() {
  auto reply = makeReply(ReplyId::MessageTooLarge, {std::to_string(data_.settings.maxMessageSize)});
  data_.report(reply, "size");
  data_.say(reply);
  data_.close();
}

std::size_t SmtpSession::takeChunk(std::string_view bytes) {
  const auto part = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), data_.chunkLeft)));
  progress_ += part.size();
  if (!data_.chunkRefusal) data_.decoder->feedChunk(part);
  data_.chunkLeft -= part.size();
  if (data_.chunkLeft == 0) finishChunk();
  return part.size();
}

void SmtpSession::finishChunk() {
  if (data_.chunkRefusal) {
    const auto reply = std::move(*data_.chunkRefusal);
    data_.dropTransaction();
    data_.say(reply);
    return countError();
  }
  if (data_.chunkIsLast) data_.decoder->endOfChunks();
  if (data_.chunkIsLast || data_.decoder->findings().any()) return finishContent();
  data_.state = State::Chunking;
  data_.say(ReplyId::ChunkOk, {std::to_string(data_.chunkSize)});
}

// All content is here. What the bytes themselves rule out is refused at once; the rest is asked.
void SmtpSession::finishContent() {
  const auto findings = data_.decoder->findings();
  auto content = data_.decoder->takeContent();
  data_.decoder.reset();
  data_.idleCommands = 0;
  const auto refuseContent = [this](smtp::Reply reply, std::string_view reason) {
    refuseMessage({std::move(reply), std::string(reason), {}});
  };
  if (const auto text = findings.lineEndText(); !text.empty())
    return refuseContent(makeReply(ReplyId::BareLineEnd, {text}), "bare-line-end");
  if (findings.tooLarge)
    return refuseContent(makeReply(ReplyId::MessageTooLarge, {std::to_string(data_.settings.maxMessageSize)}), "size");
  if (findings.lineTooLong)
    return refuseContent(makeReply(ReplyId::ContentLineTooLong, {std::to_string(data_.settings.maxContentLine)}),
                         "long-line");
  if (const auto hops = countHops(content); hops > data_.settings.maxHops)
    return refuseContent(makeReply(ReplyId::LoopDetected, {std::to_string(hops)}), "loop");
  pending_ = MessagePending{std::move(content), app::newTraceId()};
}

app::Submission SmtpSession::takeSubmission(const MessageDecision& decision) {
  auto& question = std::get<MessagePending>(pending_.value());
  const auto& transaction = *data_.transaction;
  app::Submission submission;
  submission.mailFrom = transaction.mailFrom();
  for (std::size_t i = 0; i < transaction.recipients.size(); ++i) {
    if (!std::binary_search(decision.discarded.begin(), decision.discarded.end(), i))
      submission.recipients.push_back(transaction.recipients[i].address.text());
  }
  submission.clientAddress = data_.client.address;
  submission.clientName = data_.client.name;
  submission.helo = data_.helo;
  submission.tls = data_.tls;
  submission.smtpUtf8 = transaction.smtpUtf8;
  submission.receivedAt = data_.clock.now();
  submission.queueId = question.queueId;
  submission.notes = decision.notes;
  if (data_.person) submission.notes.emplace_back("sender-account", data_.person->account);
  if (transaction.requireTls) submission.notes.emplace_back(app::RequireTlsNote, "yes");
  submission.content =
      receivedLine({data_.client, data_.helo, data_.extended, data_.tls, transaction, data_.settings.hostName,
                    question.queueId, submission.receivedAt, data_.person.has_value()});
  auto content = std::exchange(question.content, {});
  submission.content += decision.content ? *decision.content : content;
  return submission;
}

void SmtpSession::resolveRefused(const Refusal& refusal) {
  refuseMessage(refusal);
  resume();
}

void SmtpSession::refuseMessage(const Refusal& refusal) {
  pending_.reset();
  data_.report(refusal.reply, refusal.reason, refusal.policy);
  data_.say(refusal.reply);
  data_.dropTransaction();
}

void SmtpSession::resolveAccepted() {
  const auto question = std::get<MessagePending>(std::exchange(pending_, std::nullopt).value());
  data_.errors = 0;
  if (data_.name) data_.names->used(data_.name->name, data_.client.address, ServerNames::Use::Message);
  data_.say(ReplyId::Accepted, {question.queueId});
  data_.dropTransaction();
  resume();
}

}  // namespace postern::gateway
