#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "core/store/Database.h"
#include "core/store/WriterThread.h"
#include "listd/archive/ArchiveStore.h"
#include "listd/audit/AuditLog.h"
#include "listd/backup/BackupStore.h"
#include "listd/dkim/DkimStore.h"
#include "listd/jobs/JobStore.h"
#include "listd/keys/DirectoryStore.h"
#include "listd/keys/KeyRingStore.h"
#include "listd/mailout/SiteMailStore.h"
#include "listd/matters/FormerMemberStore.h"
#include "listd/matters/HoldCountStore.h"
#include "listd/matters/HoldNoticeStore.h"
#include "listd/matters/HoldStore.h"
#include "listd/matters/MatterStore.h"
#include "listd/people/AccountStore.h"
#include "listd/people/SessionStore.h"
#include "listd/people/TokenStore.h"
#include "listd/pickup/PickupStore.h"
#include "listd/pickup/RecipientStore.h"
#include "listd/policy/PolicyStore.h"
#include "listd/quarantine/QuarantineStore.h"
#include "listd/reports/ReportStore.h"
#include "listd/requests/RequestStore.h"
#include "listd/retention/RetentionStore.h"
#include "listd/retention/RuleStore.h"
#include "listd/search/SearchStore.h"
#include "listd/site/CounterStore.h"
#include "listd/site/DestinationStore.h"
#include "listd/site/DiskStore.h"
#include "listd/site/DomainStore.h"
#include "listd/site/DomainTlsStore.h"
#include "listd/site/FlowStore.h"
#include "listd/site/LedgerStore.h"
#include "listd/site/ListStore.h"
#include "listd/site/MemberKeyStore.h"
#include "listd/site/MemberStore.h"
#include "listd/site/NoticeStore.h"
#include "listd/site/PostStore.h"
#include "listd/site/RelayStore.h"
#include "listd/site/RouteStore.h"
#include "listd/site/TlsReportStore.h"
#include "listd/subscribe/SubscriptionStore.h"
#include "listd/webhooks/WebhookStore.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace postern::listd {

// The subjects of the site over one connection, valid during one job. One job is one transaction.
struct SiteTables {
  SiteTables(store::Database& database, const AuditScene& scene)
      : counters(database),
        domains(database),
        domainTls(database),
        routes(database),
        destinations(database),
        relays(database),
        lists(database),
        members(database),
        keys(database),
        keyRing(database),
        directories(database),
        posts(database),
        ledger(database),
        notices(database),
        accounts(database),
        tokens(database),
        sessions(database),
        flow(database),
        disk(database),
        requests(database),
        matters(database),
        holds(database),
        holdNotices(database),
        holdCounts(database),
        formerMembers(database),
        siteMail(database),
        archive(database),
        rules(database),
        retention(database),
        jobs(database),
        search(database),
        reports(database),
        pickup(database),
        recipients(database),
        tlsReports(database),
        backups(database),
        dkim(database),
        quarantine(database),
        subscriptions(database),
        webhooks(database, *scene.clock),
        policies(database),
        audit(database, scene) {}

  CounterStore counters;
  DomainStore domains;
  DomainTlsStore domainTls;
  RouteStore routes;
  DestinationStore destinations;
  RelayStore relays;
  ListStore lists;
  MemberStore members;
  MemberKeyStore keys;
  KeyRingStore keyRing;
  DirectoryStore directories;
  PostStore posts;
  LedgerStore ledger;
  NoticeStore notices;
  AccountStore accounts;
  TokenStore tokens;
  SessionStore sessions;
  FlowStore flow;
  DiskStore disk;
  RequestStore requests;
  MatterStore matters;
  HoldStore holds;
  HoldNoticeStore holdNotices;
  HoldCountStore holdCounts;
  FormerMemberStore formerMembers;
  SiteMailStore siteMail;
  ArchiveStore archive;
  RuleStore rules;
  RetentionStore retention;
  JobStore jobs;
  SearchStore search;
  ReportStore reports;
  PickupStore pickup;
  RecipientStore recipients;
  TlsReportStore tlsReports;
  BackupStore backups;
  DkimStore dkim;
  QuarantineStore quarantine;
  SubscriptionStore subscriptions;
  WebhookStore webhooks;
  PolicyStore policies;
  AuditLog audit;
};

// DATA/listd/site.db: one writer thread with group commit, readers beside it that never wait for it.
// Threads: safe for all; never call write() or read() from inside a job. Errors: Error(Store), Error(DiskFull).
class SiteStore {
public:
  // Opens or creates the file and brings it to this binary's schema. Ownership: `clock` must outlive it.
  SiteStore(const std::filesystem::path& file, const Clock& clock);

  // Runs `work(SiteTables&)` as one transaction and returns its result once that is durable.
  template <class Work>
  auto write(Work work) {
    using Value = std::invoke_result_t<Work, SiteTables&>;
    if constexpr (std::is_void_v<Value>) {
      writer_->run([&](store::Database& database) {
        SiteTables tables(database, scene_);
        work(tables);
      });
    } else {
      return writer_->call([&](store::Database& database) {
        SiteTables tables(database, scene_);
        return work(tables);
      });
    }
  }

  // As write, without waiting. `failed` is told, on the writer thread, when it did not become durable.
  void writeLater(std::function<void(SiteTables&)> work, std::function<void(std::exception_ptr)> failed);

  // Runs `work(SiteTables&)` on one snapshot of what is committed.
  template <class Work>
  auto read(Work work) {
    const Borrowed reader(*this);
    const store::Transaction snapshot(*reader.database, store::Transaction::Kind::Read);
    SiteTables tables(*reader.database, scene_);
    return work(tables);
  }

  // A copy of the file as it was at the moment when `begun` is called; writers go on meanwhile.
  void copyTo(const std::filesystem::path& target, const std::function<void()>& begun);

  // Empties the write-ahead log; false when readers were in the way for as long as it waits for them.
  bool checkpoint(std::optional<std::chrono::milliseconds> wait = {}) { return writer_->checkpoint(wait); }
  const std::filesystem::path& file() const { return file_; }

private:
  // A reading connection from the pool.
  struct Borrowed {
    explicit Borrowed(SiteStore& store) : site(store), database(store.borrow()) {}
    ~Borrowed() { site.giveBack(std::move(database)); }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    SiteStore& site;
    std::unique_ptr<store::Database> database;
  };
  std::unique_ptr<store::Database> borrow();
  void giveBack(std::unique_ptr<store::Database> reader);

  const std::filesystem::path file_;
  const AuditScene scene_;
  std::unique_ptr<store::WriterThread> writer_;
  Mutex mutex_;
  std::vector<std::unique_ptr<store::Database>> readers_ GUARDED_BY(mutex_);
};

}  // namespace postern::listd
