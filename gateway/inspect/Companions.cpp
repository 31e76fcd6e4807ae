#include "gateway/inspect/Companions.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/mail/Message.h"

#include <algorithm>
#include <cstdio>

namespace postern::gateway {
namespace {

using smtp::makeReply;
using smtp::ReplyId;

CompanionAddress addressOf(const std::string& text) {
  const auto address = CompanionAddress::parse(text);
  if (!address) throw Error(ErrorKind::Config, "\"" + text + "\" is no address of a companion on this machine");
  return *address;
}

SpamTreatment treatmentFor(const std::string& word) {
  if (word == "accept") return SpamTreatment::Accept;
  if (word == "hold") return SpamTreatment::Hold;
  if (word == "defer") return SpamTreatment::Defer;
  return SpamTreatment::Reject;
}

// Only what goes to nobody but open lists may pass by a companion that is down.
bool isForOpenListsOnly(const Transaction& transaction) {
  return std::all_of(transaction.recipients.begin(), transaction.recipients.end(), [](const auto& recipient) {
    return recipient.route.role == app::RoutedAddress::Role::List && !recipient.route.secure;
  });
}

// Runs `work`; what keeps the companion from a verdict becomes a deferral, or is passed over where it may be.
template <class Work>
void orDefer(const InspectionFacts& facts, bool mayFail, const char* reason, CompanionFindings& findings, Work work) {
  try {  // the boundary to another process
    work();
  } catch (const Error& error) {
    const bool passes = mayFail && !facts.writtenHere && isForOpenListsOnly(facts.transaction);
    log::error("inspect",
               passes ? "a companion gives no verdict; the message goes on without"
                      : "a companion gives no verdict; the message is deferred",
               {{"companion", reason}, {"error", error.message()}});
    if (passes)
      findings.notes.emplace_back(reason, "not asked: it gave no verdict");
    else
      findings.refusal = Refusal{makeReply(ReplyId::CompanionBroken), std::string(reason) + "-unavailable", {}};
  }
}

std::string shortNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

Refusal refusalBy(const MilterOutcome& outcome, const std::string& milter) {
  const bool forGood = outcome.kind == MilterOutcome::Kind::Reject;
  auto reply = makeReply(forGood ? ReplyId::MessageRefused : ReplyId::MessageDeferred);
  if (outcome.code != 0) reply.code = outcome.code == 421 ? std::uint16_t{451} : outcome.code;
  if (!outcome.enhanced.empty()) reply.enhanced = outcome.enhanced;
  auto line = outcome.recipient.empty() ? std::string() : "<" + outcome.recipient + ">: ";
  line += outcome.text;
  if (!line.empty()) reply.line(line);
  return {std::move(reply), "milter-" + milter, {}};
}

}  // namespace

Companions::Settings Companions::Settings::of(const config::SiteConfig& config) {
  Settings settings;
  if (!config.clamavAddress.empty()) settings.clamav.emplace(addressOf(config.clamavAddress), config.clamavTime);
  settings.clamavMayFail = config.clamavFailure == "accept";
  if (!config.rspamdAddress.empty()) settings.rspamd.emplace(addressOf(config.rspamdAddress), config.rspamdTime);
  settings.rspamdMayFail = config.rspamdFailure == "accept";
  settings.onReject = treatmentFor(config.spamReject);
  settings.onSuspicious = treatmentFor(config.spamSuspicious);
  settings.onGreylist = treatmentFor(config.spamGreylist);
  for (const auto& milter : config.milters)
    settings.milters.push_back({MilterClient({milter.name, addressOf(milter.address), milter.time, config.hostName}),
                                milter.failure == "accept"});
  return settings;
}

CompanionFindings Companions::check(const InspectionFacts& facts, const mail::Message& message) const {
  CompanionFindings findings;
  if (settings_.clamav) scan(facts, message, findings);
  if (findings.refusal || facts.writtenHere) return findings;
  if (settings_.rspamd) askSpamFilter(facts, message, findings);
  auto current = message;
  for (const auto& milter : settings_.milters) {
    if (findings.refusal || findings.discarded) return findings;
    askMilter(milter, facts, current, findings);
    if (!findings.content || *findings.content == current.bytes()) continue;
    auto changed = mail::Message::parse(*findings.content);
    if (!changed) {
      findings.refusal = Refusal{makeReply(ReplyId::CompanionBroken), "milter-unavailable", {}};
      return findings;
    }
    current = std::move(*changed);
  }
  return findings;
}

void Companions::scan(const InspectionFacts& facts, const mail::Message& message, CompanionFindings& findings) const {
  orDefer(facts, settings_.clamavMayFail, "virus-scan", findings, [&] {
    const auto found = settings_.clamav->scan(message.bytes());
    if (!found) return;
    log::warning("inspect", "an infected message was refused",
                 {{"virus", *found}, {"client", facts.client.address}, {"from", facts.transaction.mailFrom()}});
    findings.refusal = Refusal{makeReply(ReplyId::InfectedMessage, {*found}), "infected", {}};
  });
}

void Companions::askSpamFilter(const InspectionFacts& facts, const mail::Message& message,
                               CompanionFindings& findings) const {
  orDefer(facts, settings_.rspamdMayFail, "spam-filter", findings, [&] {
    findings.spam = settings_.rspamd->check(facts, message.bytes());
    findings.notes.emplace_back(app::SpamNote, spamNote(*findings.spam));
  });
}

void Companions::askMilter(const Settings::Milter& milter, const InspectionFacts& facts, const mail::Message& message,
                           CompanionFindings& findings) const {
  const auto reason = "milter-" + milter.client.name();
  orDefer(facts, milter.mayFail, reason.c_str(), findings, [&] {
    auto outcome = milter.client.judge(facts, message);
    if (outcome.kind == MilterOutcome::Kind::Reject || outcome.kind == MilterOutcome::Kind::Defer) {
      findings.refusal = refusalBy(outcome, milter.client.name());
      return;
    }
    findings.discarded = outcome.kind == MilterOutcome::Kind::Discard;
    if (outcome.quarantine && !findings.hold) findings.hold = milter.client.name() + ": " + *outcome.quarantine;
    if (outcome.content) findings.content = std::move(outcome.content);
  });
}

SpamTreatment Companions::treatmentOf(const policy::SpamFacts& spam) const {
  if (spam.action == "no action") return SpamTreatment::Accept;
  if (spam.action == "reject") return settings_.onReject;
  if (spam.action == "greylist" || spam.action == "soft reject") return settings_.onGreylist;
  return settings_.onSuspicious;  // "add header", "rewrite subject", and what an administrator of rspamd made up
}

std::string spamNote(const policy::SpamFacts& spam) {
  constexpr std::size_t MostSymbols = 8;
  auto note = spam.action + " " + shortNumber(spam.score) + "/" + shortNumber(spam.required);
  for (std::size_t i = 0; i < std::min(MostSymbols, spam.symbols.size()); ++i)
    note += " " + spam.symbols[i].name + "=" + shortNumber(spam.symbols[i].score);
  return note;
}

}  // namespace postern::gateway
