#pragma once
#include "core/policy/PolicySet.h"
#include "core/policy/Verdict.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What the host and a worker say to each other, as bytes (core/base/Codec.h). A request or reply starts with its kind.
// Errors: every decode function throws Error(Malformed); those for replies also check each promise of Verdict, since a
// worker in the hands of a hostile script may send anything.
namespace postern::policy::frame {

enum class RequestKind : std::uint8_t {
  Load = 1,
  Rcpt,
  Message,
  Case,
  Session,
  Explain,
  Post,
  Members,
  Delivery,
  Route
};
enum class ReplyKind : std::uint8_t { Ready = 1, Loaded, Verdicts, Failed, CaseDone, Explained };

struct LoadRequest {
  std::vector<SetFile> files;
  std::vector<std::string> order;
  std::uint64_t instructions = 0;
  std::uint64_t memory = 0;
  SiteSets sets = {};
};

struct RcptRequest {
  TransactionFacts facts;
  RecipientFacts recipient;
};

struct MessageRequest {
  TransactionFacts facts;
  MessageFacts message;
};

// A hook before RCPT.
struct SessionRequest {
  Hook hook = Hook::Connect;
  TransactionFacts facts;
  UserFacts user;  // Hook::Auth
};

struct CaseRequest {
  std::uint32_t policy = 0;  // place in the order of the set
  std::uint32_t number = 0;  // place among its cases
};

std::string encode(const LoadRequest& request);
std::string encodeRcpt(const TransactionFacts& facts, const RecipientFacts& recipient);
std::string encodeMessage(const TransactionFacts& facts, const MessageFacts& message);
std::string encode(const CaseRequest& request);
// Asks the question of a Rcpt or Message request, and for what each policy said to it.
std::string encodeExplain(std::string_view question);
std::string encode(const SessionRequest& request);

RequestKind requestKind(std::string_view frame);
LoadRequest decodeLoad(std::string_view frame);
RcptRequest decodeRcpt(std::string_view frame);
MessageRequest decodeMessage(std::string_view frame);
CaseRequest decodeCase(std::string_view frame);
std::string_view decodeExplain(std::string_view frame);
SessionRequest decodeSession(std::string_view frame);

// Every reply says whether the worker has worked enough and wants to be replaced (its CPU limit is for its whole life).
std::string encodeReady(bool retire);
std::string encodeLoaded(const CheckReport& report, bool retire);
std::string encodeOutcome(const MessageOutcome& outcome, bool retire);
std::string encodeCaseDone(const CaseResult& result, bool retire);
std::string encodeExplained(const Explanation& explanation, bool retire);

ReplyKind replyKind(std::string_view frame);
bool wantsToRetire(std::string_view frame);
CheckReport decodeLoaded(std::string_view frame);
// REQUIRES: `recipients` is the number of recipients that were asked about; a reply with another number is malformed.
// Only verdicts that the hook may give are well-formed.
MessageOutcome decodeOutcome(std::string_view frame, std::size_t recipients, Hook hook);
inline MessageOutcome decodeOutcome(std::string_view frame, std::size_t recipients, bool beforeContent) {
  return decodeOutcome(frame, recipients, beforeContent ? Hook::Rcpt : Hook::Message);
}
CaseResult decodeCaseDone(std::string_view frame);
Explanation decodeExplained(std::string_view frame, std::size_t recipients, Hook hook);

// The promises of Verdict and Note; also used where the worker builds them.
bool isReason(std::string_view word);
bool isEnhanced(std::string_view code, char firstDigit);
bool isReplyText(std::string_view text);
bool isAddress(std::string_view text);     // rough: printable ASCII with an '@' inside, no blanks and brackets
bool isHost(std::string_view text);        // rough: a name or an address
bool isProtection(std::string_view word);  // "tls", "pickup", "openpgp", "smime"
bool isWellFormed(const Verdict& verdict, Hook hook);
inline bool isWellFormed(const Verdict& verdict, bool beforeContent) {
  return isWellFormed(verdict, beforeContent ? Hook::Rcpt : Hook::Message);
}
bool isWellFormed(const Note& note);
// Makes any text fit for a reply: control characters to blanks, other characters outside ASCII to '?', 900 bytes.
std::string toReplyText(std::string_view text);

}  // namespace postern::policy::frame
