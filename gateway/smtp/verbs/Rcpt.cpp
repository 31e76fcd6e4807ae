#include "core/base/Error.h"
#include "gateway/smtp/verbs/Verbs.h"

#include <algorithm>

namespace postern::gateway::verbs {

namespace {

struct Judgement {
  smtp::ReplyId reply;
  const char* reason;
};

// The list, or for mail of a relay the world outside.
std::optional<app::RoutedAddress> routeOf(const SessionData& session, const mail::Address& address) {
  if (session.directory.isLocalDomain(address.domain())) return session.directory.find(address);
  const auto& from = session.transaction->from;
  if (!from) return session.directory.find(address);
  // A submission listener gives no rights to an address of a network: the person is what counts.
  if (session.settings.submission && !session.person) return session.directory.find(address);
  auto outbound = session.person ? session.directory.outboundOfPerson(*from, address)
                                 : session.directory.outbound(session.client, *from, address);
  return outbound ? outbound : session.directory.find(address);
}

bool isOutbound(const app::RoutedAddress& route) {
  return route.role == app::RoutedAddress::Role::Outbound;
}

// Never an open relay: only addresses that the directory knows are taken, whatever their form, and from relays those
// elsewhere. The answers are uniform, so that they tell no more than what the address itself says.
std::optional<Judgement> judge(const SessionData& session, const smtp::RcptCommand& command) {
  const auto& transaction = *session.transaction;
  if (transaction.recipients.size() >= session.settings.maxRecipients)
    return Judgement{smtp::ReplyId::TooManyRecipients, "too-many-recipients"};
  if (!session.directory.ready()) return Judgement{smtp::ReplyId::StoreNotReady, "not-ready"};
  const auto address = addressOf(session, command);
  if (!address) return Judgement{smtp::ReplyId::UnknownRecipient, "unknown-recipient"};
  if (!address->isAscii() && !transaction.smtpUtf8) return Judgement{smtp::ReplyId::NeedsSmtpUtf8, "needs-smtputf8"};
  const auto route = routeOf(session, *address);
  if (!command.barePostmaster && !session.directory.isLocalDomain(address->domain()) && !(route && isOutbound(*route)))
    return Judgement{smtp::ReplyId::RelayDenied, "relay"};
  if (!route) return Judgement{smtp::ReplyId::UnknownRecipient, "unknown-recipient"};
  // Bounces and automatic answers go to a list's bounces address; at the list itself they would be sent to everybody.
  if (!transaction.from && route->role == app::RoutedAddress::Role::List)
    return Judgement{smtp::ReplyId::NullSenderNotTaken, "null-sender"};
  // Mail of lists and mail for outside go their own ways; the client sends the others in a transaction of their own.
  if (!transaction.recipients.empty() && isOutbound(transaction.recipients.front().route) != isOutbound(*route))
    return Judgement{smtp::ReplyId::TooManyRecipients, "mixed-recipients"};
  return std::nullopt;
}

}  // namespace

std::optional<mail::Address> addressOf(const SessionData& session, const smtp::RcptCommand& command) {
  if (command.to) return command.to;
  auto postmaster = mail::Address::parse("postmaster@" + session.settings.hostName);
  if (!postmaster) return std::nullopt;
  return std::move(*postmaster);
}

std::optional<Reply> checkRcpt(const SessionData& session, const Arguments& arguments) {
  const auto& command = std::get<smtp::RcptCommand>(arguments);
  const auto judgement = judge(session, command);
  if (!judgement) return std::nullopt;
  auto reply = makeReply(judgement->reply);
  const auto address = addressOf(session, command);
  session.report(reply, judgement->reason, {}, address ? address->text() : std::string("postmaster"));
  return reply;
}

TransactionRecipient candidateOf(const SessionData& session, const smtp::RcptCommand& command) {
  auto address = addressOf(session, command);
  if (!address) throw Error(ErrorKind::Invariant, "a recipient without an address passed its check");
  auto route = routeOf(session, *address);
  // The directory may have changed since the check; the recipient is refused then, by the session's boundary.
  if (!route) throw Error(ErrorKind::Unavailable, "the address of a recipient was taken away meanwhile");
  return {std::move(*address), std::move(*route)};
}

bool isRepeated(const SessionData& session, const smtp::RcptCommand& command) {
  const auto address = addressOf(session, command);
  const auto& known = session.transaction->recipients;
  return address && std::any_of(known.begin(), known.end(), [key = address->key()](const TransactionRecipient& one) {
           return one.address.key() == key;
         });
}

void refuseRecipient(SessionData& session, const smtp::RcptCommand& command, const Refusal& refusal) {
  const auto address = addressOf(session, command);
  session.report(refusal.reply, refusal.reason, refusal.policy, address ? address->text() : std::string("postmaster"));
  session.say(refusal.reply);
}

void applyRcpt(SessionData& session, Arguments&& arguments) {
  const auto& command = std::get<smtp::RcptCommand>(arguments);
  if (!isRepeated(session, command)) session.transaction->recipients.push_back(candidateOf(session, command));
  session.state = State::Recipients;
  session.say(smtp::ReplyId::RcptOk);
}

}  // namespace postern::gateway::verbs
