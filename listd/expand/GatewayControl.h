#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Error.h"
#include "core/base/Mutex.h"
#include "listd/expand/WorkerLink.h"
#include "listd/site/SiteContext.h"

#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>

namespace postern::listd {

// Keeps the gateway's routing view up to date and asks the gateway what orders want to know, each with a time limit, so
// that an order never hangs on a gateway that is away. The view is sent on every connect and after every change.
// Threads: safe for all; its own thread does the talking.
class GatewayControl {
public:
  GatewayControl(SiteContext& context, const GatewayAddress& address);
  ~GatewayControl();

  bool connected() const { return connected_; }

  // Sends the view as it is now. True once it is in force; false when the gateway is away or too slow: it is then sent
  // at the next connect.
  bool pushRouting(std::chrono::milliseconds wait);

  // What `question` gives; nothing when the gateway is away or does not answer in time. Throws the Error that the
  // gateway answered with.
  template <class Question>
  auto ask(Question question, std::chrono::milliseconds wait)
      -> std::optional<std::invoke_result_t<Question, app::GatewayLink&>> {
    using Answer = std::invoke_result_t<Question, app::GatewayLink&>;
    if (!connected_) return std::nullopt;
    const auto task = std::make_shared<std::packaged_task<Answer(app::GatewayLink&)>>(std::move(question));
    auto answer = task->get_future();
    enqueue([task](app::GatewayLink& link) { (*task)(link); });
    if (answer.wait_for(wait) != std::future_status::ready) return std::nullopt;
    try {
      return answer.get();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Unavailable) return std::nullopt;
      throw;
    } catch (const std::future_error&) {  // the connection ended before the question's turn
      return std::nullopt;
    }
  }

private:
  using Job = std::function<void(app::GatewayLink&)>;
  void enqueue(Job job);
  void run(std::stop_token stop);
  void serve(WorkerLink& link);
  void sendRouting(app::GatewayLink& link);
  void sendPolicies(app::GatewayLink& link);
  std::optional<Job> nextJob(const WorkerLink& link);

  SiteContext& context_;
  const GatewayAddress& address_;
  std::atomic<bool> connected_ = false;
  bool viewIsOld_ = true;  // of the thread
  Mutex mutex_;
  Condition changed_;
  std::deque<Job> jobs_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
