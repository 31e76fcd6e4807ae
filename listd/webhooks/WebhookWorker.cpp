#include "listd/webhooks/WebhookWorker.h"

#include "core/base/Log.h"
#include "listd/webhooks/WebhookCall.h"

namespace postern::listd {
namespace {

constexpr std::chrono::milliseconds Interval{1000};
constexpr std::chrono::hours GivenUpAfter{72};
constexpr std::chrono::hours Remembered{31 * 24};

}  // namespace

std::size_t callWebhooks(SiteContext& context,
                         const std::function<app::FetchedDocument(const app::DocumentRequest&)>& fetch) {
  const auto due = context.site.read([&](SiteTables& tables) {
    std::vector<std::pair<Webhook, WebhookEvent>> found;
    for (auto& event : tables.webhooks.due(context.clock.now()))
      if (auto hook = tables.webhooks.find(event.webhook)) found.emplace_back(std::move(*hook), std::move(event));
    return found;
  });
  std::size_t taken = 0;
  for (const auto& [hook, event] : due) {
    const auto answer = fetch(webhookCall(context.root, hook, event, context.clock.now()));
    const bool took = answer.outcome == app::FetchedDocument::Outcome::Got;
    const auto now = context.clock.now();
    taken += took ? 1 : 0;
    if (!took) log::warning("webhook", "a webhook did not take an event", {{"id", hook.id}, {"why", answer.problem}});
    context.site.write([&, &told = event](SiteTables& tables) {
      if (took)
        tables.webhooks.noteTaken(told, now);
      else
        tables.webhooks.noteFailure(told, answer.problem, now, now + webhookRest(told.tries),
                                    told.at + GivenUpAfter < now);
      tables.webhooks.forgetBefore(now - Remembered);
    });
  }
  return taken;
}

WebhookWorker::WebhookWorker(SiteContext& context, const GatewayAddress& address)
    : context_(context), address_(address), thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

void WebhookWorker::run(std::stop_token stop) {
  WorkerLink link(address_, stop);
  while (!stop.stop_requested()) {
    try {  // the boundary of a queue job: events stay in the store
      const auto taken = callWebhooks(
          context_, [&](const app::DocumentRequest& request) { return link.get().fetchDocument(request); });
      if (taken > 0) continue;
    } catch (const std::exception& error) {
      if (stop.stop_requested()) return;
      log::warning("webhook", "webhooks cannot be called now", {{"error", error.what()}});
      link.drop();
    }
    link.pause(Interval);
  }
}

}  // namespace postern::listd
