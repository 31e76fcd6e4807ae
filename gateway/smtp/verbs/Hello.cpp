#include "gateway/smtp/verbs/Verbs.h"

namespace postern::gateway::verbs {

namespace {

void beginSession(SessionData& session, Arguments&& arguments, bool extended) {
  session.helo = std::get<smtp::HelloCommand>(std::move(arguments)).name;
  if (session.forwardedHelo) session.helo = *session.forwardedHelo;
  session.extended = extended;
  session.dropTransaction();  // RFC 5321 §4.1.4: EHLO clears all buffers, as RSET does
}

}  // namespace

void applyEhlo(SessionData& session, Arguments&& arguments) {
  beginSession(session, std::move(arguments), true);
  auto reply = makeReply(smtp::ReplyId::HelloExtended, {session.hostName()});
  reply.line("PIPELINING").line("SIZE " + std::to_string(session.settings.maxMessageSize)).line("8BITMIME");
  reply.line("SMTPUTF8").line("ENHANCEDSTATUSCODES").line("CHUNKING");
  if (session.settings.offerTls && !session.encrypted()) reply.line("STARTTLS");
  if (session.encrypted()) reply.line("REQUIRETLS");  // RFC 8689 §4.1: never in clear
  if (session.settings.submission && session.encrypted()) reply.line("AUTH PLAIN LOGIN");  // RFC 4954 §4: not in clear
  if (session.mayXclient) reply.line("XCLIENT " + std::string(smtp::XclientAttributes));
  session.say(reply);
}

void applyHelo(SessionData& session, Arguments&& arguments) {
  beginSession(session, std::move(arguments), false);
  session.say(smtp::ReplyId::Hello, {session.hostName()});
}

}  // namespace postern::gateway::verbs
