#include "core/base/Error.h"
#include "gateway/smtp/verbs/Verbs.h"

// The verbs that need a line or two each.
namespace postern::gateway::verbs {

std::optional<Reply> checkNothing(const SessionData&, const Arguments&) {
  return std::nullopt;
}

void applyRset(SessionData& session, Arguments&&) {
  session.dropTransaction();
  session.say(smtp::ReplyId::ResetOk);
}

void applyNoop(SessionData& session, Arguments&&) {
  session.say(smtp::ReplyId::NoopOk);
}

void applyQuit(SessionData& session, Arguments&&) {
  session.say(smtp::ReplyId::Closing, {session.hostName()});
  session.saidQuit = true;
  session.close();
}

// RFC 5321 §7.3: saying who exists would help address harvesters, and membership is nobody's business.
void applyVrfy(SessionData& session, Arguments&&) {
  session.say(smtp::ReplyId::VerifyUnsaid);
}

void applyHelp(SessionData& session, Arguments&&) {
  session.say(smtp::ReplyId::Help);
}

std::optional<Reply> checkExpn(const SessionData&, const Arguments&) {
  return makeReply(smtp::ReplyId::NotImplemented, {"EXPN"});
}

void applyForeign(SessionData& session, Arguments&&) {
  session.say(smtp::ReplyId::ForbiddenCommand, {session.settings.hostName});
  session.close();
}

void applyNever(SessionData&, Arguments&&) {
  throw Error(ErrorKind::Invariant, "a command that is always refused was applied");
}

}  // namespace postern::gateway::verbs
