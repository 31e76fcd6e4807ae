#include "gateway/smtp/PendingWork.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

namespace postern::gateway {

namespace {

using smtp::makeReply;
using smtp::ReplyId;

void answerMessage(SmtpSession& session, const Ports& ports) {
  const auto facts = session.facts();
  const auto decision = ports.inspector.message(facts, std::get<MessagePending>(*session.pending()).content);
  if (decision.refusal) return session.resolveRefused(*decision.refusal);
  auto submission = session.takeSubmission(decision);
  const auto queueId = submission.queueId;
  const auto recipients = submission.recipients.size();
  const auto bytes = submission.content.size();
  if (recipients > 0)
    ports.acceptor.accept(std::move(submission));
  else
    log::info("smtp", "a message was discarded by policy for all its recipients", {{"id", queueId}});
  ports.observer.accepted(queueId, recipients, bytes);
  session.resolveAccepted();
}

void answerOne(SmtpSession& session, const Ports& ports) {
  if (const auto* question = std::get_if<RecipientPending>(&*session.pending()))
    session.resolveRecipient(ports.inspector.recipient(session.facts(), question->candidate));
  else
    answerMessage(session, ports);
}

void answerBroken(SmtpSession& session, ReplyId reply, const char* reason) {
  if (!session.pending()) return session.refuse(ReplyId::ShuttingDown);
  const Refusal refusal{makeReply(reply), reason, {}};
  if (std::holds_alternative<RecipientPending>(*session.pending()))
    session.resolveRecipient(refusal);
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
