#include "gateway/smtp/verbs/Verbs.h"

namespace postern::gateway::verbs {

namespace {

void beginSession(SessionData& session, Arguments&& arguments, bool extended) {
  session.helo = std::get<smtp::HelloCommand>(std::move(arguments)).name;
  session.extended = extended;
  session.dropTransaction();  // RFC 5321 §4.1.4: EHLO clears all buffers, as RSET does
}

}  // namespace

void applyEhlo(SessionData& session, Arguments&& arguments) {
  beginSession(session, std::move(arguments), true);
  auto reply = makeReply(smtp::ReplyId::HelloExtended, {session.settings.hostName});
  reply.line("PIPELINING").line("SIZE " + std::to_string(session.settings.maxMessageSize)).line("8BITMIME");
  reply.line("SMTPUTF8").line("ENHANCEDSTATUSCODES").line("CHUNKING");
  if (session.settings.offerTls && !session.encrypted()) reply.line("STARTTLS");
  session.say(reply);
}

void applyHelo(SessionData& session, Arguments&& arguments) {
  beginSession(session, std::move(arguments), false);
  session.say(smtp::ReplyId::Hello, {session.settings.hostName});
}

}  // namespace postern::gateway::verbs
