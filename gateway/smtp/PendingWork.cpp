#include "gateway/smtp/PendingWork.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

namespace postern::gateway {

namespace {

using smtp::makeReply;
using smtp::ReplyId;

void answerMessage(SmtpSession& session, const Ports& ports) {
  const auto& pending = std::get<MessagePending>(*session.pending());
  auto facts = session.facts();
  facts.queueId = pending.queueId;
  const auto decision = ports.inspector.message(facts, pending.content);
  if (decision.refusal) return session.resolveRefused(*decision.refusal);
  auto submission = session.takeSubmission(decision);
  const auto queueId = submission.queueId;
  const auto recipients = submission.recipients.size();
  const auto bytes = submission.content.size();
  if (recipients > 0) ports.acceptor.accept(std::move(submission));
  ports.observer.accepted(queueId, recipients, bytes);
  session.resolveAccepted();
}

// Only who has the right password is judged: strangers do not learn whom a policy refuses.
void answerSignIn(SmtpSession& session, const Ports& ports, const Credentials& credentials) {
  if (!ports.signIns) return session.resolveSignIn({});
  const auto outcome = ports.signIns->signIn(session.clientAddress(), credentials.name, credentials.password);
  std::optional<Refusal> refusal;
  if (outcome.kind == SignIns::Outcome::Kind::Right && ports.inspector.asks(policy::Hook::Auth)) {
    auto facts = session.facts();
    facts.person = &outcome.person;
    refusal = ports.inspector.session(policy::Hook::Auth, facts);
  }
  session.resolveSignIn(outcome, refusal);
}

void answerOne(SmtpSession& session, const Ports& ports) {
  if (const auto* question = std::get_if<RecipientPending>(&*session.pending()))
    session.resolveRecipient(ports.inspector.recipient(session.facts(), question->candidate));
  else if (const auto* signIn = std::get_if<SignInPending>(&*session.pending()))
    answerSignIn(session, ports, signIn->credentials);
  else if (const auto* asked = std::get_if<SessionPending>(&*session.pending()))
    session.resolveSession(ports.inspector.session(asked->hook, session.facts()));
  else
    answerMessage(session, ports);
}

void answerBroken(SmtpSession& session, ReplyId reply, const char* reason) {
  if (!session.pending()) return session.refuse(ReplyId::ShuttingDown);
  if (std::holds_alternative<SignInPending>(*session.pending())) return session.resolveSignIn({});
  const Refusal refusal{makeReply(reply), reason, {}};
  if (std::holds_alternative<RecipientPending>(*session.pending()))
    session.resolveRecipient(refusal);
  else if (std::holds_alternative<SessionPending>(*session.pending()))
    session.resolveSession(refusal);
  else
    session.resolveRefused(refusal);
}

}  // namespace

void answerPending(SmtpSession& session, const Ports& ports) noexcept {
  while (session.pending()) {
    try {
      answerOne(session, ports);
    } catch (const Error& error) {
      const bool full = error.kind() == ErrorKind::DiskFull;
      log::error("smtp", "a message could not be taken", {{"reason", error.message()}});
      answerBroken(session, full ? ReplyId::StorageFull : ReplyId::LocalError, full ? "disk-full" : "local-error");
    } catch (const std::exception& error) {
      log::error("smtp", "a message could not be taken", {{"reason", error.what()}});
      answerBroken(session, ReplyId::LocalError, "local-error");
    }
  }
}

}  // namespace postern::gateway
