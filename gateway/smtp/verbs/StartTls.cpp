#include "gateway/smtp/verbs/Verbs.h"

namespace postern::gateway::verbs {

std::optional<Reply> checkStartTls(const SessionData& session, const Arguments&) {
  if (session.encrypted()) return makeReply(smtp::ReplyId::BadSequence, {"TLS is in use already"});
  if (!session.settings.offerTls) return makeReply(smtp::ReplyId::TlsNotAvailable);
  return std::nullopt;
}

// The loop drops what came behind the command, and SmtpSession::tlsStarted() forgets all that was said in clear.
void applyStartTls(SessionData& session, Arguments&&) {
  session.say(smtp::ReplyId::ReadyForTls);
  session.dropTransaction();
  session.state = State::StartingTls;
}

}  // namespace postern::gateway::verbs
