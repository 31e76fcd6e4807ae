#pragma once
#include "core/app/GatewayLink.h"
#include "core/app/PolicyLink.h"
#include "core/policy/PolicyHost.h"
#include "gateway/queue/QueueStore.h"
#include "gateway/queue/RoutingFile.h"

#include <functional>

namespace postern::gateway {

// What listd may ask of the gateway, answered from the queue and the routing file, which must outlive it.
// `fillIn` adds what only the SMTP server and the deliverer know (sessions, refusedTotal, problems); `routingChanged`
// is called after a new view is in force, `probe` asks the mail servers of a domain, `judge` the policies. A copy in
// the name of a list that the routing view calls secure is not taken without a floor. Threads: safe for all.
class QueueService : public app::GatewayService {
public:
  using Fetch = std::function<app::FetchedDocument(const app::DocumentRequest&)>;
  using Ask = std::function<app::LdapAnswer(const app::LdapQuestion&)>;
  using Judge = std::function<app::Judgement(const app::Submission&)>;
  using LookUp = std::function<app::TextAnswer(std::string_view)>;
  using KeepKeys = std::function<void(std::vector<app::ReportKey>)>;
  using Probe = std::function<app::DomainProbe(std::string_view domain, bool fresh, std::chrono::milliseconds wait)>;

  QueueService(QueueStore& queue, RoutingFile& routing, std::function<void(app::GatewayStats&)> fillIn = {},
               std::function<void()> routingChanged = {}, Probe probe = {}, Fetch fetch = {}, Ask ask = {},
               Judge judge = {}, std::function<std::string()> metrics = {});

  void hello(std::string_view queueKey) override;
  void setRouting(const app::RoutingView& view) override;
  std::vector<app::AcceptedItem> takeAccepted(std::uint64_t session, std::uint32_t max,
                                              std::chrono::milliseconds wait) override;
  void sessionEnded(std::uint64_t session) override;
  void submitCopies(std::vector<app::Copy> copies, std::vector<app::Tail> tails) override;
  void finish(const std::vector<std::uint64_t>& acceptedIds) override;
  std::vector<app::GatewayEvent> takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                            std::chrono::milliseconds wait) override;
  app::GatewayStats stats() override;
  std::string askQueue(std::string_view action, std::string_view request) override {
    return askQueue_ ? askQueue_(action, request) : GatewayService::askQueue(action, request);
  }
  std::uint64_t queueAct(std::string_view action, std::uint64_t copyKey) override;
  app::FetchedDocument fetchDocument(const app::DocumentRequest& request) override;
  app::LdapAnswer askDirectory(const app::LdapQuestion& question) override;
  app::Judgement judge(const app::Submission& submission) override;
  std::uint16_t activeHooks() override;
  app::PostAnswer judgePost(const app::PostQuestion& question) override;
  app::MembersAnswer judgeMembers(const app::MembersQuestion& question) override;
  app::DomainProbe probeDomain(std::string_view domain, bool fresh, std::chrono::milliseconds wait) override;
  void copyQueue() override;
  app::TextAnswer lookUpText(std::string_view name) override;
  void setReportKeys(std::vector<app::ReportKey> keys) override;
  std::vector<app::ServerNameUse> serverNames() override { return names_ ? names_() : GatewayService::serverNames(); }

  // Before the first question comes.
  void answerTextBy(LookUp lookUp) { lookUp_ = std::move(lookUp); }
  void judgeListsBy(policy::PolicyHost& policies) { policies_ = &policies; }
  void giveReportKeysTo(KeepKeys keep) { keepKeys_ = std::move(keep); }
  void answerNamesBy(std::function<std::vector<app::ServerNameUse>()> names) { names_ = std::move(names); }
  std::string metrics() override { return metrics_ ? metrics_() : "{}"; }
  using AskQueue = std::function<std::string(std::string_view action, std::string_view request)>;
  void answerQueueBy(AskQueue ask) { askQueue_ = std::move(ask); }
  using AskPolicies =
      std::function<std::string(std::string_view action, std::string_view request, std::string_view submission)>;
  void answerPoliciesBy(AskPolicies ask) { askPolicies_ = std::move(ask); }
  std::string askPolicies(std::string_view action, std::string_view request, std::string_view submission) override {
    return askPolicies_ ? askPolicies_(action, request, submission)
                        : GatewayService::askPolicies(action, request, submission);
  }

private:
  QueueStore& queue_;
  RoutingFile& routing_;
  std::function<void(app::GatewayStats&)> fillIn_;
  std::function<std::vector<app::ServerNameUse>()> names_;
  std::function<void()> routingChanged_;
  Probe probe_;
  Fetch fetch_;
  Ask ask_;
  Judge judge_;
  LookUp lookUp_;
  policy::PolicyHost* policies_ = nullptr;
  KeepKeys keepKeys_;
  AskPolicies askPolicies_;
  AskQueue askQueue_;
  std::function<std::string()> metrics_;
};

}  // namespace postern::gateway
