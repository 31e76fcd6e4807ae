#include "gateway/smtp/verbs/Verbs.h"

namespace postern::gateway::verbs {

std::optional<Reply> checkMail(const SessionData& session, const Arguments& arguments) {
  const auto& command = std::get<smtp::MailCommand>(arguments);
  if (!session.directory.ready()) return makeReply(smtp::ReplyId::StoreNotReady);
  // RFC 1870 §6.1: refuse early what would be refused late.
  if (command.size && *command.size > session.settings.maxMessageSize) {
    auto reply = makeReply(smtp::ReplyId::SizeDeclaredTooLarge, {std::to_string(session.settings.maxMessageSize)});
    session.report(reply, "size");
    return reply;
  }
  return std::nullopt;
}

void applyMail(SessionData& session, Arguments&& arguments) {
  auto command = std::get<smtp::MailCommand>(std::move(arguments));
  Transaction transaction;
  transaction.from = std::move(command.from);
  transaction.declaredSize = command.size.value_or(0);
  transaction.body = command.body;
  transaction.smtpUtf8 = command.smtpUtf8;
  transaction.startedAt = session.clock.now();
  session.transaction = std::move(transaction);
  session.state = State::Sender;
  ++session.transactions;
  session.say(smtp::ReplyId::MailOk);
}

}  // namespace postern::gateway::verbs
