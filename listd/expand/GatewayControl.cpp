#include "listd/expand/GatewayControl.h"

#include "core/base/Log.h"
#include "listd/dkim/DkimDuties.h"
#include "listd/expand/RoutingView.h"
#include "listd/policy/PolicyCare.h"

namespace postern::listd {
namespace {

constexpr std::chrono::milliseconds Heartbeat{1000};

}  // namespace

GatewayControl::GatewayControl(SiteContext& context, const GatewayAddress& address)
    : context_(context), address_(address), thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

GatewayControl::~GatewayControl() {
  thread_.request_stop();
  const MutexLock lock(mutex_);
  changed_.notify_all();
}

void GatewayControl::enqueue(Job job) {
  const MutexLock lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

bool GatewayControl::pushRouting(std::chrono::milliseconds wait) {
  const auto done = ask(
      [this](app::GatewayLink& link) {
        sendRouting(link);
        return true;
      },
      wait);
  return done.value_or(false);
}

// What the gateway could not take (its disk is full, say) is sent again at the next heartbeat.
void GatewayControl::sendRouting(app::GatewayLink& link) {
  viewIsOld_ = true;
  link.setRouting(buildRoutingView(context_));
  link.setReportKeys(reportKeys(context_));
  viewIsOld_ = false;
}

// Apart from routing: mail must not stop because a policy set is refused. Tried again at each connect.
void GatewayControl::sendPolicies(app::GatewayLink& link) {
  try {
    syncPolicies(context_, [&link](std::string_view action, std::string_view request, std::string_view submission) {
      return link.askPolicies(action, request, submission);
    });
  } catch (const Error& error) {
    log::warning("policy", "the gateway could not be given the policies of the store", {{"error", error.message()}});
  }
}

void GatewayControl::run(std::stop_token stop) {
  WorkerLink link(address_, stop);
  while (!stop.stop_requested()) {
    try {
      auto& gateway = link.get();
      // First, so that a change which this view misses is queued behind it.
      connected_ = true;
      sendRouting(gateway);
      sendPolicies(gateway);
      log::info("gateway", "connected; the routing view is in force");
      serve(link);
    } catch (const Error& error) {
      if (connected_) log::warning("gateway", "the connection to the gateway ended", {{"error", error.message()}});
    }
    connected_ = false;
    link.drop();
    {
      const MutexLock lock(mutex_);
      jobs_.clear();  // who waits for one of them is told by its broken promise
    }
    link.pause(std::chrono::milliseconds(20));
  }
}

void GatewayControl::serve(WorkerLink& link) {
  auto lastBeat = std::chrono::steady_clock::now();
  while (!link.stopping()) {
    // What a question throws goes to the asker; a broken link shows at the heartbeat, which comes however many ask.
    if (auto job = nextJob(link)) (*job)(link.get());
    if (std::chrono::steady_clock::now() - lastBeat < Heartbeat) continue;
    if (viewIsOld_)
      sendRouting(link.get());
    else
      link.get().stats();
    lastBeat = std::chrono::steady_clock::now();
  }
}

std::optional<GatewayControl::Job> GatewayControl::nextJob(const WorkerLink& link) {
  const MutexLock lock(mutex_);
  changed_.wait_for(mutex_, Heartbeat, [&]() REQUIRES_LOCK(mutex_) { return link.stopping() || !jobs_.empty(); });
  if (jobs_.empty()) return std::nullopt;
  auto job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

}  // namespace postern::listd
