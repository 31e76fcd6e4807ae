#include "gateway/policy/Shadow.h"

#include "core/mail/Message.h"
#include "core/mail/MimeTree.h"
#include "core/policy/MailFacts.h"

#include <nlohmann/json.hpp>

namespace postern::gateway {

using nlohmann::json;

namespace {

std::size_t sizeOf(const policy::TransactionFacts& facts, const policy::MessageFacts& message) {
  std::size_t bytes = message.whole.size() + 1'000 + facts.recipients.size() * 200 + message.subject.size();
  for (const auto& field : message.headers) bytes += 100 + field.value.size() + field.raw.size();
  return bytes;
}

// What policies look at below the header, parsed here and not in the session.
policy::MessageOutcome askAgain(policy::PolicyHost& host, const policy::TransactionFacts& facts,
                                policy::MessageFacts described, const std::string& whole) {
  const auto message = mail::Message::parse(whole, InspectedHeader);
  if (!message) return host.message(facts, described);
  const auto tree = mail::MimeTree::parse(*message);
  described.content = [&tree] { return policy::describeContent(tree); };
  return host.message(facts, described);
}

policy::MessageOutcome asOutcome(const policy::PolicyOutcome& outcome) {
  if (!outcome) return Unexpected(outcome.error());
  return policy::MessageVerdicts{{*outcome}, {}};
}

}  // namespace

Shadow::Shadow(Policies& live, const Clock& clock)
    : live_(live), clock_(clock), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Shadow::~Shadow() {
  thread_.request_stop();
  const MutexLock lock(mutex_);
  changed_.notify_all();
}

bool Shadow::asks(policy::Hook hook) const {
  if (live_.asks(hook)) return true;
  if (!running_) return false;
  const MutexLock lock(mutex_);
  return host_ && host_->asks(hook);
}

policy::PolicyOutcome Shadow::session(policy::Hook hook, const policy::TransactionFacts& facts,
                                      const policy::UserFacts& user) {
  auto outcome = live_.asks(hook) ? live_.session(hook, facts, user) : policy::PolicyOutcome(policy::Verdict{});
  if (running_) offer({hook, facts, user, {}, {}, asOutcome(outcome), {}, sizeOf(facts, {})});
  return outcome;
}

policy::PolicyOutcome Shadow::rcpt(const policy::TransactionFacts& facts, const policy::RecipientFacts& recipient) {
  auto outcome = live_.rcpt(facts, recipient);
  if (running_) offer({policy::Hook::Rcpt, facts, {}, recipient, {}, asOutcome(outcome), {}, sizeOf(facts, {})});
  return outcome;
}

policy::MessageOutcome Shadow::message(const policy::TransactionFacts& facts, const policy::MessageFacts& message) {
  auto outcome = live_.message(facts, message);
  if (running_) {
    Sample sample{policy::Hook::Message, facts, {}, {}, message, outcome, std::string(message.whole),
                  sizeOf(facts, message)};
    sample.message.content = {};
    sample.message.whole = {};
    offer(std::move(sample));
  }
  return outcome;
}

// What comes after the end is not offered, so that the end needs no clockwork.
void Shadow::offer(Sample sample) {
  const MutexLock lock(mutex_);
  if (!host_) return;
  if (clock_.now() >= until_) {
    host_.reset();
    running_ = false;
    return;
  }
  if (waiting_.size() >= MaxWaiting || waitingBytes_ + sample.bytes > MaxBytes) {
    ++dropped_;
    return;
  }
  waitingBytes_ += sample.bytes;
  waiting_.push_back(std::move(sample));
  changed_.notify_all();
}

void Shadow::start(std::shared_ptr<policy::PolicyHost> host, policy::SetTexts now, TimePoint until) {
  auto texts = host->inForce().value_or(policy::SetTexts());
  const MutexLock lock(mutex_);
  host_ = std::move(host);
  digest_ = texts.digest;
  since_ = clock_.now();
  until_ = until;
  waiting_.clear();
  waitingBytes_ = 0;
  dropped_ = 0;
  differences_ = Differences(std::move(now), std::move(texts));
  running_ = true;
}

void Shadow::stop() {
  const MutexLock lock(mutex_);
  host_.reset();
  waiting_.clear();
  waitingBytes_ = 0;
  running_ = false;
}

void Shadow::useSets(const policy::SiteSets& sets) {
  const MutexLock lock(mutex_);
  if (host_) host_->useSets(sets);
}

json Shadow::report() const {
  const MutexLock lock(mutex_);
  auto view = differences_.view();
  view["running"] = host_ != nullptr && clock_.now() < until_;
  view["digest"] = digest_;
  view["since"] = toMicros(since_);
  view["until"] = toMicros(until_);
  view["dropped"] = dropped_;
  view["waiting"] = waiting_.size();
  return view;
}

std::optional<Shadow::Sample> Shadow::next(const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  changed_.wait_for(mutex_, std::chrono::seconds(1),
                    [&]() REQUIRES_LOCK(mutex_) { return stop.stop_requested() || !waiting_.empty(); });
  if (stop.stop_requested() || waiting_.empty()) return std::nullopt;
  auto sample = std::move(waiting_.front());
  waiting_.pop_front();
  waitingBytes_ -= sample.bytes;
  return sample;
}

void Shadow::run(const std::stop_token& stop) {
  while (!stop.stop_requested())
    if (const auto sample = next(stop)) judge(*sample);
}

policy::MessageOutcome Shadow::ask(policy::PolicyHost& host, const Sample& sample) {
  if (sample.hook == policy::Hook::Message) return askAgain(host, sample.facts, sample.message, sample.whole);
  if (sample.hook == policy::Hook::Rcpt) return asOutcome(host.rcpt(sample.facts, sample.recipient));
  if (!host.asks(sample.hook)) return policy::MessageVerdicts{{policy::Verdict{}}, {}};
  return asOutcome(host.session(sample.hook, sample.facts, sample.user));
}

void Shadow::judge(const Sample& sample) {
  std::shared_ptr<policy::PolicyHost> host;
  {
    const MutexLock lock(mutex_);
    host = host_;
  }
  if (!host) return;
  const auto then = ask(*host, sample);
  const MutexLock lock(mutex_);
  if (host_ != host) return;  // another shadow began meanwhile
  differences_.add(policy::nameOf(sample.hook), sample.now, then, sample.facts.trace);
}

}  // namespace postern::gateway
