#include "core/mail/Text.h"
#include "listd/people/Proofs.h"
#include "listd/people/SignInThrottle.h"
#include "listd/pickup/PickupOrders.h"
#include "listd/pickup/Visitor.h"

// The question that some lists have asked besides the factor, never instead of it, and never to reset one. Off unless
// somebody turns it on; docs/decisions/0024 says why we advise against it.
namespace postern::listd {
namespace {

using nlohmann::json;

constexpr std::size_t LongestQuestion = 200;
constexpr std::size_t LongestAnswer = 200;
constexpr std::size_t ShortestAnswer = 6;

// Guesses are counted by themselves: who is here has the factor already.
std::string subjectOf(const RecipientSession& session) {
  return "recipient-question:" + session.address;
}

// People forget how they wrote it: case, blanks at the ends and how many between do not count.
std::string foldedAnswer(const OrderCall& call) {
  std::string folded;
  for (const char c : mail::lowerAscii(call.args.bytes("answer", LongestAnswer))) {
    if (c != ' ') folded += c;
    if (c == ' ' && !folded.empty() && folded.back() != ' ') folded += c;
  }
  if (folded.ends_with(' ')) folded.pop_back();
  return folded;
}

json viewOf(const Recipient& recipient, const RecipientSession& session) {
  return {{"address", session.address}, {"question", recipient.question}, {"answered", session.answered}};
}

Recipient requireRecipient(SiteTables& tables, const RecipientSession& session) {
  auto recipient = tables.recipients.find(session.address);
  if (!recipient) refuse("signed-out", "nobody is signed in, or the session is over", "sign in again");
  return std::move(*recipient);
}

json show(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.write([&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    tables.recipients.touch(session.ref, tools.now());
    return viewOf(requireRecipient(tables, session), session);
  });
}

// Who has one answers it before it is replaced: else it would be no hurdle to whoever got at the factor.
RecipientSession requireChooser(const OrderTools& tools, SiteTables& tables, const OrderCall& call) {
  auto session = visitor::requireFresh(tools, tables, call);
  if (!requireRecipient(tables, session).question.empty() && !session.answered)
    refuse("question", "there is a question already", "answer it first");
  return session;
}

json choose(OrderTools& tools, const OrderCall& call) {
  tools.context.site.read([&](SiteTables& tables) { requireChooser(tools, tables, call); });
  const auto question = call.args.text("question", LongestQuestion);
  const auto answer = foldedAnswer(call);
  if (answer.size() < ShortestAnswer)
    refuse("invalid", "the answer needs " + std::to_string(ShortestAnswer) + " characters or more",
           "choose one that nobody can look up or guess");
  if (mail::lowerAscii(question).find(answer) != std::string::npos)
    refuse("invalid", "the question tells the answer", "choose another question");
  const auto hash = tools.passwords.hash(Secret(answer));
  return change(tools, call, [&](SiteTables& tables) {
    auto session = requireChooser(tools, tables, call);
    tables.recipients.setQuestion(session.address, question, hash);
    tables.recipients.recordAnswer(session.ref);
    session.answered = true;
    return viewOf(requireRecipient(tables, session), session);
  });
}

json answer(OrderTools& tools, const OrderCall& call) {
  const auto client = call.args.textOr("client", {}, 64);
  std::string hash;
  const bool allowed = tools.context.site.write([&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    hash = requireRecipient(tables, session).answerHash;
    return chargeSignIn(tables, subjectOf(session), client, tools.now());
  });
  const bool right =
      tools.passwords.verify(Secret(foldedAnswer(call)), allowed && !hash.empty() ? std::optional(hash) : std::nullopt);
  return change(tools, call, [&](SiteTables& tables) {
    auto session = visitor::require(tools, tables, call);
    if (!right || requireRecipient(tables, session).answerHash != hash)
      refuse("invalid", "the answer is wrong, or there were too many attempts",
             "after many attempts wait some minutes");
    refundSignIn(tables, subjectOf(session), client, tools.now());
    tables.recipients.recordAnswer(session.ref);
    session.answered = true;
    return viewOf(requireRecipient(tables, session), session);
  });
}

constexpr OrderRow Rows[] = {
    {"pickup.question", OrderKind::Reads, show, Anybody},
    {"pickup.question-set", OrderKind::Changes, choose, Anybody},
    {"pickup.question-answer", OrderKind::Changes, answer, Anybody},
};

}  // namespace

std::span<const OrderRow> pickupQuestionOrders() {
  return Rows;
}

}  // namespace postern::listd
