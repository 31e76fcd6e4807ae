#include "gateway/inspect/SenderChecks.h"

#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/mail/Text.h"
#include "core/net/AskUntil.h"

#include <algorithm>

namespace postern::gateway {

namespace {

bool isThisMachine(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

// The domain of the single author; empty if there is not exactly one.
std::string authorDomain(const mail::Message& message) {
  const auto from = message.from();
  if (!from.wellFormed || from.mailboxes.size() != 1 || !from.mailboxes[0].address) return {};
  const auto& address = *from.mailboxes[0].address;
  return address.isLiteral() ? std::string() : address.domain();
}

// One of the messages that may be checked at a time.
class Turn {
public:
  Turn(std::atomic<int>& running, int most) : running_(running), taken_(running_.fetch_add(1) < most) {}
  ~Turn() { --running_; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool taken() const { return taken_; }

private:
  std::atomic<int>& running_;
  const bool taken_;
};

long long unixSeconds(TimePoint at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

}  // namespace

std::optional<SenderCheckScope> parseSenderCheckScope(std::string_view word) {
  if (word == "off") return SenderCheckScope::Off;
  if (word == "outside") return SenderCheckScope::Outside;
  if (word == "all") return SenderCheckScope::All;
  return std::nullopt;
}

std::optional<mailauth::Authentication> SenderChecks::check(const InspectionFacts& facts,
                                                            const mail::Message& message) const {
  const auto& client = facts.client.address;
  if (settings_.scope == SenderCheckScope::Off || directory_.isRelay(facts.client)) return std::nullopt;
  if (settings_.scope == SenderCheckScope::Outside && isThisMachine(client)) return std::nullopt;
  mailauth::AuthenticationQuery query;
  query.spf = {client, facts.transaction.mailFrom(), facts.helo, settings_.authservId};
  query.message = message.bytes();
  query.authorDomain = authorDomain(message);
  query.now = unixSeconds(clock_.now());
  const Turn turn(running_, settings_.atOnce);
  if (!turn.taken()) ++crowdedOut_;
  const auto now = std::chrono::steady_clock::now();
  const bool asks = turn.taken() && breaker_.mayAsk();
  mailauth::ResolverDns dns(resolver_, asks ? now + settings_.timeLimit : now);
  query.sideBySide = asks;
  auto results = mailauth::authenticate(dns, message.header(), query);
  if (asks) breaker_.note(results.asked, results.answered);
  return results;
}

// Of names that nobody can have asked for before: an answer from memory would say nothing. That there is no such name
// is an answer.
bool SenderChecks::answersAtAll() const {
  const auto label = "postern-" + crypto::hex(crypto::randomBytes(8));
  const net::AskUntil bounded(std::chrono::steady_clock::now() + settings_.timeLimit);
  return resolver_.txt(label + "." + settings_.authservId).outcome != net::DnsOutcome::Failed ||
         resolver_.txt(label).outcome != net::DnsOutcome::Failed;
}

std::vector<std::string> SenderChecks::problems() const {
  std::vector<std::string> problems;
  if (breaker_.isDead())
    problems.push_back("The DNS does not answer: senders are not checked (" + std::to_string(breaker_.unchecked()) +
                       " messages since the start), and mail that needs proof of its sender is deferred.");
  if (const auto count = crowdedOut_.load(); count > 0)
    problems.push_back(std::to_string(count) +
                       " messages were not checked since the start because too many were being checked at a time; "
                       "slow name servers of senders are the usual cause.");
  return problems;
}

std::optional<std::string> SenderChecks::rewrite(const InspectionFacts& facts, const mail::Message& message,
                                                 const std::optional<mailauth::Authentication>& results) const {
  const auto& fields = message.header().fields();
  const bool forged = !directory_.isRelay(facts.client) &&
                      std::any_of(fields.begin(), fields.end(),
                                  [&](const auto& field) { return mailauth::isForged(field, settings_.authservId); });
  if (!forged && !results) return std::nullopt;
  auto content = results ? mailauth::authenticationResults(settings_.authservId, *results, facts.transaction.mailFrom(),
                                                           facts.helo)
                         : std::string();
  content += forged ? mailauth::withoutForged(message.bytes(), message.header(), settings_.authservId)
                    : std::string(message.bytes());
  return content;
}

policy::AuthenticationFacts SenderChecks::described(const mailauth::Authentication& results) const {
  policy::AuthenticationFacts facts;
  facts.spf = mailauth::wordFor(results.spf.outcome);
  facts.dkim = results.dkimWord();
  facts.dmarc = mailauth::wordFor(results.dmarc.outcome);
  facts.arc = mailauth::wordFor(results.arc.outcome);
  facts.domain = results.dmarc.authorDomain;
  facts.policy = mailauth::wordFor(results.dmarc.policy);
  facts.proven = results.authorProven();
  facts.undecided = !facts.proven && results.undecided();
  if (results.arc.outcome == mailauth::ArcOutcome::Pass) facts.arcSealer = results.arc.sealer;
  facts.arcVouches = results.arc.vouches;
  facts.ownDomain = directory_.isLocalDomain(facts.domain);
  return facts;
}

}  // namespace postern::gateway
