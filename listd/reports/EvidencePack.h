#pragma once
#include "listd/jobs/JobRunner.h"
#include "listd/orders/OrderTools.h"

#include <thread>

// The evidence pack: everything that an auditor of the HIPAA safeguards takes away, as a ZIP file. Its manifest names
// each file with its SHA-256 and is signed by the key of reports. All rows of all reports are in it, so a job makes it.
namespace postern::listd {

constexpr const char* EvidenceJob = "evidence.pack";
constexpr std::chrono::days EvidenceKept{7};

// The job {"account": who asked}. Each page of a report is sealed in DATA/exports/evidence/ID before the next is made;
// after a crash it goes on with the page behind. Fails when who asked is no auditor any more.
JobRunner::Work evidenceWork(const OrderTools& tools);

nlohmann::json evidencePack(OrderTools& tools, const OrderCall& call);  // evidence.pack: begins one
nlohmann::json listEvidence(OrderTools& tools, const OrderCall& call);  // evidence.list
nlohmann::json showEvidence(OrderTools& tools, const OrderCall& call);  // evidence.show
nlohmann::json readEvidence(OrderTools& tools, const OrderCall& call);  // evidence.read: a part of the file
nlohmann::json dropEvidence(OrderTools& tools, const OrderCall& call);  // evidence.remove

// Removes packs older than EvidenceKept and what is left of jobs that ended otherwise, at the start and each hour.
class EvidenceSweeper {
public:
  explicit EvidenceSweeper(SiteContext& context);
  void runOnce();

private:
  SiteContext& context_;
  std::jthread thread_;
};

}  // namespace postern::listd
