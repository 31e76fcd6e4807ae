#include "gateway/signin/SignInDesk.h"

#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Random.h"
#include "core/mail/Text.h"

#include <algorithm>

namespace postern::gateway {

using Kind = SignIns::Outcome::Kind;

SignInDesk::SignInDesk(const Clock& clock, std::chrono::milliseconds patience)
    : clock_(clock), patience_(patience), key_(crypto::randomBytes(32)) {}

std::string SignInDesk::digestOf(std::string_view name, const Secret& password) const {
  return crypto::hmacSha256(key_.view(), std::string(name) + '\0' + std::string(password.view()));
}

SignIns::Outcome SignInDesk::signIn(std::string_view client, std::string_view name, const Secret& password) {
  const auto lower = mail::lowerAscii(name);
  const auto network = networkOf(client);
  const auto digest = digestOf(lower, password);
  const auto now = clock_.now();
  {
    const MutexLock lock(mutex_);
    if (const auto wait = limits_.waitFor(network, lower, now); wait.count() > 0) return {Kind::TooMany, {}, wait};
    if (const auto known = remembered_.find(digest); known != remembered_.end() && known->second.until > now) {
      limits_.succeeded(network, lower, now);
      return {Kind::Right, known->second.person, {}};
    }
  }
  const auto answer = ask(lower, password);
  if (!answer) return {Kind::Unavailable, {}, {}};
  const MutexLock lock(mutex_);
  if (!answer->right) {
    limits_.failed(network, lower, now);
    return {Kind::Wrong, {}, {}};
  }
  limits_.succeeded(network, lower, now);
  remember(digest, answer->person);
  return {Kind::Right, answer->person, {}};
}

void SignInDesk::remember(const std::string& digest, const app::SignedIn& person) {
  const auto now = clock_.now();
  std::erase_if(remembered_, [now](const auto& one) { return one.second.until <= now; });
  if (remembered_.size() < MaxRemembered) remembered_[digest] = {person, now + CacheTime};
}

// Nothing: listd did not answer in time.
std::optional<app::SignInAnswer> SignInDesk::ask(std::string_view name, const Secret& password) {
  const MutexLock lock(mutex_);
  if (stopped_ || waiting_.size() >= MaxWaiting) return std::nullopt;
  const auto id = ++lastId_;
  waiting_[id].question = {id, std::string(name), password};
  changed_.notify_all();
  changed_.wait_for(mutex_, patience_,
                    [&]() REQUIRES_LOCK(mutex_) { return stopped_ || waiting_[id].answer.has_value(); });
  auto answer = std::move(waiting_[id].answer);
  waiting_.erase(id);
  if (!answer) log::warning("signin", "a sign-in had no answer in time; the client is told to come back later");
  return answer;
}

std::vector<app::SignInQuestion> SignInDesk::exchange(const std::vector<app::SignInAnswer>& answers,
                                                      std::chrono::milliseconds wait) {
  const MutexLock lock(mutex_);
  for (const auto& answer : answers)
    if (const auto found = waiting_.find(answer.id); found != waiting_.end()) found->second.answer = answer;
  if (!answers.empty()) changed_.notify_all();
  const auto open = [&]() REQUIRES_LOCK(mutex_) {
    return std::any_of(waiting_.begin(), waiting_.end(),
                       [](const auto& one) { return !one.second.taken && !one.second.answer; });
  };
  changed_.wait_for(mutex_, wait, [&]() REQUIRES_LOCK(mutex_) { return stopped_ || open(); });
  std::vector<app::SignInQuestion> questions;
  for (auto& [id, one] : waiting_)
    if (!one.answer && !std::exchange(one.taken, true)) questions.push_back(one.question);
  return questions;
}

void SignInDesk::stop() {
  const MutexLock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace postern::gateway
