#include "gateway/smtp/verbs/Verbs.h"

namespace postern::gateway::verbs {

namespace {

// On a submission listener: who writes has signed in, and writes as himself.
std::optional<Reply> checkPerson(const SessionData& session, const smtp::MailCommand& command) {
  if (!session.settings.submission)
    return command.saysAuth ? std::optional(makeReply(smtp::ReplyId::UnknownParameter, {"AUTH"})) : std::nullopt;
  if (!session.encrypted()) return makeReply(smtp::ReplyId::SubmissionNeedsTls);
  if (!session.person) return makeReply(smtp::ReplyId::SubmissionNeedsSignIn);
  const auto own = mail::Address::parse(session.person->address);
  if (own && command.from && command.from->key() == own->key()) return std::nullopt;
  auto reply = makeReply(smtp::ReplyId::NotYourAddress, {session.person->address});
  session.report(reply, "not-your-address");
  return reply;
}

// The domain, or one above it.
bool isBelow(std::string_view domain, std::string_view rule) {
  return domain == rule || (domain.ends_with(rule) && domain[domain.size() - rule.size() - 1] == '.');
}

// What TLS the listener and the sender's domain demand.
std::optional<Reply> checkTls(const SessionData& session, const smtp::MailCommand& command) {
  if (session.door.tlsRequired && !session.encrypted()) return makeReply(smtp::ReplyId::TlsNeeded, {"mail"});
  if (session.door.certificateRequired) {
    const auto& shown = session.tls.verification;
    if (!session.client.certificate)
      return makeReply(smtp::ReplyId::CertificateNeeded, {session.encrypted() ? "none came" : "send STARTTLS first"});
    if (shown != "verified" && shown != "pinned") return makeReply(smtp::ReplyId::CertificateNeeded, {shown});
  }
  if (!command.from) return std::nullopt;
  for (const auto& rule : session.settings.senderTls) {
    if (!isBelow(command.from->domain(), rule.domain)) continue;
    const auto whose = "mail of " + rule.domain;
    if (!session.encrypted()) return makeReply(smtp::ReplyId::TlsNeeded, {whose});
    if (rule.least == "1.3" && session.tls.version != "TLSv1.3")
      return makeReply(smtp::ReplyId::TlsTooOld, {whose, rule.least});
  }
  return std::nullopt;
}

// A name of this server that is retired, where the administrator wants an end of it.
std::optional<Reply> checkName(const SessionData& session) {
  if (!session.name || !session.name->refuses) return std::nullopt;
  session.names->used(session.name->name, session.client.address, ServerNames::Use::Refusal);
  return makeReply(smtp::ReplyId::NameRetired,
                   {session.name->name, session.name->retiredOn, session.settings.hostName});
}

std::optional<Reply> checkDoor(const SessionData& session, const smtp::MailCommand& command) {
  const auto refuse = [&](std::optional<Reply> reply, const char* reason) {
    if (reply) session.report(*reply, reason);
    return reply;
  };
  if (!session.client.known) return refuse(makeReply(smtp::ReplyId::ClientUnsaid), "client-unsaid");
  if (auto reply = refuse(checkTls(session, command), "tls-demanded")) return reply;
  return refuse(checkName(session), "name-retired");
}

}  // namespace

std::optional<Reply> checkMail(const SessionData& session, const Arguments& arguments) {
  const auto& command = std::get<smtp::MailCommand>(arguments);
  if (!session.directory.ready()) return makeReply(smtp::ReplyId::StoreNotReady);
  if (auto refusal = checkPerson(session, command)) return refusal;
  if (auto refusal = checkDoor(session, command)) return refusal;
  // RFC 8689 §4.1: what came to us in clear was not sent as its sender wants it. It is not offered in clear either.
  if (command.requireTls && !session.encrypted()) {
    auto reply = makeReply(smtp::ReplyId::UnknownParameter, {"REQUIRETLS is for connections with TLS only"});
    session.report(reply, "requiretls-in-clear");
    return reply;
  }
  // RFC 1870 §6.1: refuse early what would be refused late.
  if (command.size && *command.size > session.settings.maxMessageSize) {
    auto reply = makeReply(smtp::ReplyId::SizeDeclaredTooLarge, {std::to_string(session.settings.maxMessageSize)});
    session.report(reply, "size");
    return reply;
  }
  return std::nullopt;
}

Transaction transactionOf(const SessionData& session, const smtp::MailCommand& command) {
  Transaction transaction;
  transaction.from = command.from;
  transaction.declaredSize = command.size.value_or(0);
  transaction.body = command.body;
  transaction.smtpUtf8 = command.smtpUtf8;
  transaction.requireTls = command.requireTls;
  transaction.startedAt = session.clock.now();
  return transaction;
}

void applyMail(SessionData& session, Arguments&& arguments) {
  session.transaction = transactionOf(session, std::get<smtp::MailCommand>(arguments));
  session.state = State::Sender;
  ++session.transactions;
  session.say(smtp::ReplyId::MailOk);
}

}  // namespace postern::gateway::verbs
