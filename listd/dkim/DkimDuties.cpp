#include "listd/dkim/DkimDuties.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/mailauth/TagList.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::chrono::minutes Interval{1};
constexpr std::chrono::minutes WhileWaiting{10};
constexpr std::chrono::hours Nightly{24};

void record(SiteTables& tables, const char* action, const DkimKey& key) {
  audit::Event event;
  event.actorKind = "system";
  event.action = action;
  event.objectType = "domain";
  event.objectId = key.domain;
  event.text("selector", key.selector).text("kind", key.kind);
  tables.audit.append(event);
}

bool isDue(const DkimKey& key, TimePoint now) {
  if (key.state == "retired") return false;
  const auto pause = key.state == "waiting" ? std::chrono::duration_cast<std::chrono::minutes>(WhileWaiting)
                                            : std::chrono::duration_cast<std::chrono::minutes>(Nightly);
  return key.checkedAt == TimePoint() || now >= key.checkedAt + pause;
}

bool isSame(const std::string& text, const mailauth::TagList& ours) {
  const auto theirs = mailauth::TagList::parse(text);
  return theirs && theirs->compact("p") == ours.compact("p") && theirs->value("k", "rsa") == ours.value("k", "rsa") &&
         theirs->value("s", "*") == ours.value("s", "*") && theirs->value("v", "DKIM1") == "DKIM1";
}

}  // namespace

std::chrono::seconds dkimOverlap(const config::SiteConfig& config) {
  return std::max<std::chrono::seconds>(std::chrono::days(7), config.expiry + std::chrono::days(2));
}

// Of several records a verifier may take any.
std::string comparedWith(const app::TextAnswer& answer, const std::string& record) {
  using Outcome = app::TextAnswer::Outcome;
  if (answer.outcome == Outcome::Failed) return "failed";
  if (answer.outcome == Outcome::None || answer.records.empty()) return "missing";
  const auto ours = mailauth::TagList::parse(record);
  const bool same = ours && answer.records.size() == 1 && isSame(answer.records.front(), *ours);
  return same ? "same" : "other";
}

void DkimDuties::check(std::string_view domain) {
  const MutexLock lock(mutex_);
  const auto keys = context_.site.read(
      [&](SiteTables& tables) { return domain.empty() ? tables.dkim.all() : tables.dkim.ofDomain(domain); });
  for (const auto& key : keys)
    if (key.state != "retired") look(key);
}

void DkimDuties::runOnce() {
  const MutexLock lock(mutex_);
  const auto now = context_.clock.now();
  for (const auto& key : context_.site.read([](SiteTables& tables) { return tables.dkim.all(); })) {
    // A crash between the commit and the destruction leaves the private half of a retired one.
    const bool over = key.state == "former" && now >= key.endsAt;
    if (over || (key.state == "retired" && context_.keys.siteKeyPublicPart(dkimKeyName(key))))
      retire(key);
    else if (isDue(key, now))
      look(key);
  }
}

void DkimDuties::look(const DkimKey& seen) {
  const auto found = comparedWith(lookUp_(seen.name()), seen.record);
  const auto now = context_.clock.now();
  const bool begins = context_.site.write([&](SiteTables& tables) {
    auto key = tables.dkim.find(seen.domain, seen.selector);
    if (!key || key->state != seen.state) return false;
    key->checkedAt = now;
    key->found = found;
    const bool taken = key->state == "waiting" && found == "same";
    if (taken) {
      for (auto& before : tables.dkim.active(key->domain, key->service)) {
        if (before.kind != key->kind) continue;
        before.state = "former";
        before.endsAt = now + dkimOverlap(context_.config);
        tables.dkim.update(before);
      }
      key->state = "active";
      key->activeAt = now;
      record(tables, "dkim.key-begun", *key);
      if (key->service != "email") tables.counters.take(CounterStore::Routing);
    }
    tables.dkim.update(*key);
    return taken;
  });
  if (begins) log::info("dkim", "a key signs mail from now on", {{"domain", seen.domain}, {"selector", seen.selector}});
}

void DkimDuties::retire(const DkimKey& key) {
  context_.keys.destroySiteKey(dkimKeyName(key));
  context_.dkimKeys.forget(key.id);
  context_.site.write([&](SiteTables& tables) {
    auto now = tables.dkim.find(key.domain, key.selector);
    if (!now || now->state == "retired") return;
    now->state = "retired";
    tables.dkim.update(*now);
    record(tables, "dkim.key-ended", *now);
  });
}

DkimSchedule::DkimSchedule(DkimDuties& duties)
    : duties_(duties), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void DkimSchedule::run(const std::stop_token& stop) {
  Mutex mutex;
  Condition never;
  while (!stop.stop_requested()) {
    try {  // the boundary of a queue job: it is tried again in a minute
      duties_.runOnce();
    } catch (const std::exception& error) {
      log::error("dkim", "keys that sign mail cannot be looked after", {{"error", error.what()}});
    }
    std::unique_lock<Mutex> lock(mutex);
    never.wait_for(lock, stop, Interval, [] { return false; });
  }
}

DkimDuties::LookUp lookUpByGateway(const GatewayAddress& address) {
  return [&address](const std::string& name) {
    try {  // the boundary to another process: the key is looked at again later
      return app::GatewayLink(address.socketPath).lookUpText(name);
    } catch (const Error& error) {
      return app::TextAnswer{app::TextAnswer::Outcome::Failed, {}, error.message()};
    }
  };
}

std::vector<app::ReportKey> reportKeys(SiteContext& context) {
  std::vector<app::ReportKey> given;
  for (const auto& key : context.site.read([](SiteTables& tables) { return tables.dkim.all(); })) {
    if (key.service != "tlsrpt" || key.state != "active") continue;
    if (auto secret = context.keys.siteKey(dkimKeyName(key))) given.push_back({key.domain, key.selector, *secret});
  }
  return given;
}

}  // namespace postern::listd
