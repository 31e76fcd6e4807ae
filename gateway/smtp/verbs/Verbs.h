#pragma once
#include "gateway/smtp/SessionData.h"

#include <optional>

// Check and apply of each verb. `check` answers with the reply that refuses, or nothing.
namespace postern::gateway::verbs {

using smtp::Arguments;
using smtp::Reply;

std::optional<Reply> checkNothing(const SessionData& session, const Arguments& arguments);

void applyEhlo(SessionData& session, Arguments&& arguments);
void applyHelo(SessionData& session, Arguments&& arguments);

std::optional<Reply> checkStartTls(const SessionData& session, const Arguments& arguments);
void applyStartTls(SessionData& session, Arguments&& arguments);

std::optional<Reply> checkMail(const SessionData& session, const Arguments& arguments);
void applyMail(SessionData& session, Arguments&& arguments);
// The transaction that a MAIL begins.
Transaction transactionOf(const SessionData& session, const smtp::MailCommand& command);

std::optional<Reply> checkRcpt(const SessionData& session, const Arguments& arguments);
void applyRcpt(SessionData& session, Arguments&& arguments);
// The address that RCPT names: a bare postmaster gets our host name.
std::optional<mail::Address> addressOf(const SessionData& session, const smtp::RcptCommand& command);
// The recipient that an RCPT would add. REQUIRES that checkRcpt let it pass.
TransactionRecipient candidateOf(const SessionData& session, const smtp::RcptCommand& command);
// True if that recipient is in the transaction already: answered with 250 again, not asked about again.
bool isRepeated(const SessionData& session, const smtp::RcptCommand& command);
// The reply to a refused recipient goes through here, whoever refused it.
void refuseRecipient(SessionData& session, const smtp::RcptCommand& command, const Refusal& refusal);

void applyData(SessionData& session, Arguments&& arguments);

void applyBdat(SessionData& session, Arguments&& arguments);
// Begins to skip the octets of a BDAT that is refused; the reply comes behind them (RFC 3030 §2).
void skipChunk(SessionData& session, std::uint64_t octets, Reply refusal);

std::optional<Reply> checkAuth(const SessionData& session, const Arguments& arguments);
void applyAuth(SessionData& session, Arguments&& arguments);
// A line of the dialogue that AUTH began; nothing for one that was too long or did not end with CR LF.
void takeSignInLine(SessionData& session, std::optional<std::string_view> line);
void endSignIn(SessionData& session, const SignIns::Outcome& outcome);

void applyXclient(SessionData& session, Arguments&& arguments);

void applyRset(SessionData& session, Arguments&& arguments);
void applyNoop(SessionData& session, Arguments&& arguments);
void applyQuit(SessionData& session, Arguments&& arguments);
void applyVrfy(SessionData& session, Arguments&& arguments);
void applyHelp(SessionData& session, Arguments&& arguments);
std::optional<Reply> checkExpn(const SessionData& session, const Arguments& arguments);
void applyForeign(SessionData& session, Arguments&& arguments);
void applyNever(SessionData& session, Arguments&& arguments);

}  // namespace postern::gateway::verbs
