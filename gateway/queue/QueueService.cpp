#include "gateway/queue/QueueService.h"

#include "core/base/Error.h"
#include "core/mail/Text.h"
#include "gateway/inspect/ListHooks.h"

#include <algorithm>

namespace postern::gateway {

namespace {

// "board-bounces@x" for the sender "board-bounces+TAG@x" of a content copy.
std::string bouncesAddressOf(std::string_view mailFrom) {
  const auto at = std::min(mailFrom.rfind('@'), mailFrom.size());
  const auto plus = std::min(mailFrom.find('+'), at);
  return mail::lowerAscii(std::string(mailFrom.substr(0, plus)).append(mailFrom.substr(at)));
}

bool isSecure(const app::RoutingView& view, const std::string& bouncesAddress) {
  return std::any_of(view.addresses.begin(), view.addresses.end(), [&](const app::RoutedAddress& known) {
    return known.secure && known.role == app::RoutedAddress::Role::Bounces && known.address == bouncesAddress;
  });
}

// The routing view says which lists are secure, apart from what listd says of each copy: both must agree before a copy
// is queued without protection. The copies of one submission are of one list, so the view is searched once.
void checkFloors(const app::RoutingView& view, const std::vector<app::Copy>& copies) {
  std::string looked;
  for (const auto& copy : copies) {
    if (copy.kind != app::Copy::Kind::Content || copy.floor != app::Protection::None) continue;
    auto sender = bouncesAddressOf(copy.mailFrom);
    if (sender == looked) continue;
    if (isSecure(view, sender))
      throw Error(ErrorKind::Invariant, "a copy of a secure list came without a floor; none of them is taken");
    looked = std::move(sender);
  }
}

}  // namespace

QueueService::QueueService(QueueStore& queue, RoutingFile& routing, std::function<void(app::GatewayStats&)> fillIn,
                           std::function<void()> routingChanged, Probe probe, Fetch fetch, Ask ask, Judge judge,
                           std::function<std::string()> metrics)
    : queue_(queue),
      routing_(routing),
      fillIn_(std::move(fillIn)),
      routingChanged_(std::move(routingChanged)),
      probe_(std::move(probe)),
      fetch_(std::move(fetch)),
      ask_(std::move(ask)),
      judge_(std::move(judge)),
      metrics_(std::move(metrics)) {}

void QueueService::hello(std::string_view queueKey) {
  queue_.setQueueKey(queueKey);
}

void QueueService::setRouting(const app::RoutingView& view) {
  routing_.set(view);
  if (routingChanged_) routingChanged_();
}

std::vector<app::AcceptedItem> QueueService::takeAccepted(std::uint64_t session, std::uint32_t max,
                                                          std::chrono::milliseconds wait) {
  return queue_.takeAccepted(session, max, wait);
}

void QueueService::sessionEnded(std::uint64_t session) {
  queue_.sessionEnded(session);
}
void QueueService::submitCopies(std::vector<app::Copy> copies, std::vector<app::Tail> tails) {
  if (const auto view = routing_.current()) checkFloors(*view, copies);
  queue_.submitCopies(std::move(copies), std::move(tails));
}
void QueueService::finish(const std::vector<std::uint64_t>& acceptedIds) {
  queue_.finish(acceptedIds);
}

std::vector<app::GatewayEvent> QueueService::takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                                        std::chrono::milliseconds wait) {
  return queue_.takeEvents(acknowledged, max, wait);
}

app::GatewayStats QueueService::stats() {
  auto stats = queue_.stats();
  if (fillIn_) fillIn_(stats);
  return stats;
}

void QueueService::copyQueue() {
  queue_.copyForBackup();
}

std::uint64_t QueueService::queueAct(std::string_view action, std::uint64_t copyKey) {
  if (action != "withdraw") throw Error(ErrorKind::Malformed, "the queue does not know this action");
  return queue_.act({QueueOrder::Action::Withdraw, {copyKey}, {}, {}}).size();
}

app::LdapAnswer QueueService::askDirectory(const app::LdapQuestion& question) {
  return ask_ ? ask_(question) : GatewayService::askDirectory(question);
}

app::FetchedDocument QueueService::fetchDocument(const app::DocumentRequest& request) {
  return fetch_ ? fetch_(request) : GatewayService::fetchDocument(request);
}

std::uint16_t QueueService::activeHooks() {
  return policies_ ? activeListHooks(*policies_) : 0;
}

app::PostAnswer QueueService::judgePost(const app::PostQuestion& question) {
  return policies_ ? gateway::judgePost(*policies_, question) : GatewayService::judgePost(question);
}

app::MembersAnswer QueueService::judgeMembers(const app::MembersQuestion& question) {
  return policies_ ? gateway::judgeMembers(*policies_, question) : GatewayService::judgeMembers(question);
}

app::Judgement QueueService::judge(const app::Submission& submission) {
  return judge_ ? judge_(submission) : GatewayService::judge(submission);
}

app::TextAnswer QueueService::lookUpText(std::string_view name) {
  return lookUp_ ? lookUp_(name) : GatewayService::lookUpText(name);
}

void QueueService::setReportKeys(std::vector<app::ReportKey> keys) {
  if (keepKeys_) keepKeys_(std::move(keys));
}

app::DomainProbe QueueService::probeDomain(std::string_view domain, bool fresh, std::chrono::milliseconds wait) {
  return probe_ ? probe_(domain, fresh, wait) : GatewayService::probeDomain(domain, fresh, wait);
}

}  // namespace postern::gateway
