#pragma once
#include "core/app/GatewayLink.h"
#include "core/app/PolicyLink.h"
#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/base/Mutex.h"
#include "core/crypto/SealedBox.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace postern::test {

// The gateway's side of the link, in memory: keeps to its promises and to no more. A copy key is remembered until its
// final event is acknowledged and forgotten at once then; a message is given again to a new connection until it is
// finished; "delivered" is every copy that was taken, at once.
class FakeGateway : public app::GatewayService {
public:
  // Called with the name of each request before ("submit") and after ("submitted") it took effect.
  std::function<void(const std::string&)> onStep = [](const std::string&) {};
  // What becomes of a copy; by default it is delivered.
  std::function<app::DeliveryEvent::Outcome(const app::Copy&)> outcome = [](const app::Copy&) {
    return app::DeliveryEvent::Outcome::Delivered;
  };

  // The hooks of lists, and what policies say.
  std::atomic<std::uint16_t> hooks{0};
  std::atomic<int> postsAsked{0};
  std::function<app::PostAnswer(const app::PostQuestion&)> onPost = [](const app::PostQuestion&) {
    return app::PostAnswer{app::PostAnswer::Kind::Pass, {}, {}, {}};
  };
  std::function<app::MembersAnswer(const app::MembersQuestion&)> onMembers = [](const app::MembersQuestion& question) {
    return app::MembersAnswer{false, {}, std::vector<app::Protection>(question.members.size())};
  };
  std::uint16_t activeHooks() override { return hooks; }
  app::PostAnswer judgePost(const app::PostQuestion& question) override {
    ++postsAsked;
    return onPost(question);
  }
  app::MembersAnswer judgeMembers(const app::MembersQuestion& question) override { return onMembers(question); }

  void accept(const app::Submission& submission) {
    const MutexLock lock(mutex_);
    crypto::SealedBoxWriter writer(routing_.vaultPublicKey);
    accepted_[++lastAccepted_] = {writer.seal(submission.encode(), app::SubmissionContext), 0};
    changed_.notify_all();
  }
  void acceptBroken(std::string sealed) {
    const MutexLock lock(mutex_);
    accepted_[++lastAccepted_] = {std::move(sealed), 0};
    changed_.notify_all();
  }
  void addRefusal(const std::string& reason) {
    const MutexLock lock(mutex_);
    app::RefusalEvent refusal;
    refusal.at = SystemClock().now();
    refusal.reason = reason;
    events_.push_back({++sequence_, refusal});
    changed_.notify_all();
  }

  struct Delivered {
    app::Copy copy;
    std::string message;
  };
  std::vector<Delivered> delivered() const {
    const MutexLock lock(mutex_);
    return delivered_;
  }
  std::size_t unfinished() const {
    const MutexLock lock(mutex_);
    return accepted_.size();
  }
  std::size_t unacknowledged() const {
    const MutexLock lock(mutex_);
    return events_.size();
  }
  app::RoutingView routing() const {
    const MutexLock lock(mutex_);
    return routing_;
  }
  std::string queueKey() const {
    const MutexLock lock(mutex_);
    return queueKey_;
  }

  void hello(std::string_view queueKey) override {
    const MutexLock lock(mutex_);
    queueKey_ = queueKey;
  }

  // TXT records by name.
  void addText(const std::string& name, const std::string& record) {
    const MutexLock lock(mutex_);
    texts_[name] = record;
  }
  app::TextAnswer lookUpText(std::string_view name) override {
    const MutexLock lock(mutex_);
    const auto found = texts_.find(std::string(name));
    if (found == texts_.end()) return {app::TextAnswer::Outcome::None, {}, {}};
    return {app::TextAnswer::Outcome::Found, {found->second}, {}};
  }
  void setReportKeys(std::vector<app::ReportKey> keys) override {
    const MutexLock lock(mutex_);
    reportKeys_ = std::move(keys);
  }
  std::vector<app::ReportKey> reportKeys() const {
    const MutexLock lock(mutex_);
    return reportKeys_;
  }

  void setRouting(const app::RoutingView& view) override {
    step("route");
    const MutexLock lock(mutex_);
    routing_ = view;
  }

  std::vector<app::AcceptedItem> takeAccepted(std::uint64_t session, std::uint32_t max,
                                              std::chrono::milliseconds wait) override {
    std::vector<app::AcceptedItem> items;
    {
      std::unique_lock<Mutex> lock(mutex_);
      changed_.wait_for(lock, std::min(wait, std::chrono::milliseconds(200)), [&] { return anyFree(); });
      for (auto& [id, item] : accepted_) {
        if (item.session != 0 || items.size() == max) continue;
        item.session = session;
        items.push_back({id, item.sealed});
      }
    }
    if (!items.empty()) step("take");
    return items;
  }

  void sessionEnded(std::uint64_t session) override {
    const MutexLock lock(mutex_);
    for (auto& [id, item] : accepted_)
      if (item.session == session) item.session = 0;
    changed_.notify_all();
  }

  void submitCopies(std::vector<app::Copy> copies, std::vector<app::Tail> tails) override {
    if (!tails.empty()) step("tail");
    step("submit");
    {
      const MutexLock lock(mutex_);
      for (auto& tail : tails) tails_[tail.id] = std::make_shared<std::string>(std::move(tail.bytes));
      for (const auto& copy : copies)
        if (copy.tail != 0 && !known_.contains(copy.key) && !tails_.contains(copy.tail))
          throw Error(ErrorKind::Malformed, "a copy names a tail that is not there");
      for (auto& copy : copies) take(std::move(copy));
      changed_.notify_all();
    }
    step("submitted");
  }

  void finish(const std::vector<std::uint64_t>& acceptedIds) override {
    step("finish");
    {
      const MutexLock lock(mutex_);
      for (const auto id : acceptedIds) accepted_.erase(id);
    }
    step("finished");
  }

  std::vector<app::GatewayEvent> takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                            std::chrono::milliseconds wait) override {
    std::vector<app::GatewayEvent> events;
    {
      std::unique_lock<Mutex> lock(mutex_);
      std::erase_if(events_, [&](const auto& event) {
        if (event.sequence > acknowledged) return false;
        if (const auto* delivery = std::get_if<app::DeliveryEvent>(&event.what)) known_.erase(delivery->copyKey);
        return true;
      });
      changed_.wait_for(lock, std::min(wait, std::chrono::milliseconds(100)), [&] { return !events_.empty(); });
      for (const auto& event : events_)
        if (events.size() < max) events.push_back(event);
    }
    if (!events.empty()) step("events");
    return events;
  }

  app::GatewayStats stats() override { return {}; }
  std::uint64_t queueAct(std::string_view action, std::uint64_t copyKey) override {
    return action == "withdraw" ? withdraw(copyKey) : 0;
  }
  std::string askQueue(std::string_view action, std::string_view request) override {
    return onQueue(std::string(action), std::string(request));
  }
  // What the queue answers, in JSON.
  std::function<std::string(const std::string& action, const std::string& request)> onQueue =
      [](const std::string&, const std::string&) { return std::string("{}"); };
  // How many copies a request to take one back changed: 0 for one that is on its way.
  std::function<std::uint64_t(std::uint64_t)> withdraw = [](std::uint64_t) { return 0; };

private:
  struct Item {
    std::string sealed;
    std::uint64_t session = 0;
  };

  void step(const std::string& name) { onStep(name); }

  bool anyFree() const REQUIRES_LOCK(mutex_) {
    return std::any_of(accepted_.begin(), accepted_.end(), [](const auto& item) { return item.second.session == 0; });
  }

  void take(app::Copy copy) REQUIRES_LOCK(mutex_) {
    if (!known_.insert(copy.key).second) return;
    app::DeliveryEvent event;
    event.copyKey = copy.key;
    event.outcome = outcome(copy);
    event.at = SystemClock().now();
    event.attempt = 1;
    event.replyCode = event.outcome == app::DeliveryEvent::Outcome::Delivered ? 250 : 550;
    event.remoteHost = "sink.example";
    events_.push_back({++sequence_, event});
    auto message = copy.head + (copy.tail == 0 ? std::string() : *tails_.at(copy.tail));
    delivered_.push_back({std::move(copy), std::move(message)});
  }

  mutable Mutex mutex_;
  Condition changed_;
  std::map<std::uint64_t, Item> accepted_ GUARDED_BY(mutex_);
  std::uint64_t lastAccepted_ GUARDED_BY(mutex_) = 0;
  std::map<std::uint64_t, std::shared_ptr<std::string>> tails_ GUARDED_BY(mutex_);
  std::set<std::uint64_t> known_ GUARDED_BY(mutex_);
  std::vector<Delivered> delivered_ GUARDED_BY(mutex_);
  std::vector<app::GatewayEvent> events_ GUARDED_BY(mutex_);
  std::uint64_t sequence_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::string> texts_ GUARDED_BY(mutex_);
  std::vector<app::ReportKey> reportKeys_ GUARDED_BY(mutex_);
  app::RoutingView routing_ GUARDED_BY(mutex_);
  std::string queueKey_ GUARDED_BY(mutex_);
};

}  // namespace postern::test
