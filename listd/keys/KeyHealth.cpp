#include "listd/keys/KeyHealth.h"

#include "core/base/Log.h"
#include "core/base/Periodic.h"
#include "listd/keys/KeyLinks.h"
#include "listd/keys/KeyWork.h"
#include "listd/mailout/SiteMail.h"
#include "listd/plan/KeyImport.h"
#include "listd/plan/Standing.h"

#include <algorithm>
#include <array>
#include <set>

namespace postern::listd {

using nlohmann::json;

namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr std::uint32_t PageSize = 500;
constexpr std::array Steps{30, 14, 3};  // days ahead
constexpr hours NightAt{2};
constexpr hours Week{7 * 24};

struct Counts {
  std::uint64_t keys = 0, changed = 0, ended = 0, ending = 0, revoked = 0, unfit = 0, unknown = 0;
};

bool asksIssuers(const SiteContext& context) {
  return context.config.revocation != "off" && context.trustStore() != nullptr;
}

const char* stateWord(crypto::RevocationState state) {
  switch (state) {
    case crypto::RevocationState::Good:
      return "good";
    case crypto::RevocationState::Revoked:
      return "revoked";
    case crypto::RevocationState::Unknown:
      break;
  }
  return "unknown";
}

// One page of keys: judged outside of any transaction, written in one.
class PageLook {
public:
  PageLook(SiteContext& context, RevocationCheck* issuers, Counts& counts)
      : context_(context), issuers_(issuers), counts_(counts), now_(context.clock.now()) {}

  void look(const std::vector<MemberKey>& keys, std::uint64_t after) {
    const auto upTo = keys.back().id;
    known_ = context_.site.read([&](SiteTables& tables) { return tables.keyRing.revocations(after, upTo); });
    for (const auto& key : keys) judge(key);
  }

  void write(std::uint64_t after, std::uint64_t upTo, bool whole) {
    context_.site.write([&](SiteTables& tables) {
      for (const auto& [fingerprint, note] : notes_) tables.keyRing.noteRevocation(fingerprint, note);
      for (const auto& key : changed_)
        if (tables.keys.rejudge(key)) refreshStanding(tables, key.address, now_);
      if (whole) tables.keys.noteChecked(after, upTo, now_);
    });
  }

private:
  void judge(const MemberKey& key) {
    ++counts_.keys;
    auto again = judgeAgain(key, now_, context_.trustStore().get());
    bool otherwise = false;
    if (issuers_ != nullptr && key.facts.kind == KeyKind::Smime && again.facts.verdict == Reason::ValidCertificate &&
        now_ >= again.facts.notBefore && now_ <= again.facts.notAfter)
      otherwise = askIssuer(again);
    const auto seen = expected(again);
    if (otherwise || seen != key.facts.verdict || again.facts.notBefore != key.facts.notBefore ||
        again.facts.notAfter != key.facts.notAfter) {
      ++counts_.changed;
      changed_.push_back(std::move(again));
    }
    count(key.facts, seen, again.facts.notAfter);
  }

  // The verdict that the store will write (MemberKeyStore::rejudge).
  Reason expected(const MemberKey& key) const {
    if (key.facts.kind != KeyKind::Smime || key.facts.verdict != Reason::ValidCertificate) return key.facts.verdict;
    const auto note = known_.find(key.facts.fingerprint);
    const bool has = note != known_.end();
    if (has && note->second.state == "revoked") return Reason::Revoked;
    if (context_.config.revocation == "strict" && (!has || note->second.state != "good"))
      return Reason::RevocationUnknown;
    return Reason::ValidCertificate;
  }

  // Asks unless the last answer holds. True when the state is another one now.
  bool askIssuer(const MemberKey& key) {
    const auto known = known_.find(key.facts.fingerprint);
    const bool has = known != known_.end();
    const auto before = has ? known->second.state : std::string();
    if (before == "good" && known->second.freshUntil > now_) return false;
    if (before == "revoked" && known->second.freshUntil > now_) return false;
    const auto certificate = crypto::Certificate::parse(key.certificate);
    if (!certificate) return false;
    const auto answer = issuers_->ask(*certificate);
    RevocationNote note{stateWord(answer.state), answer.detail, now_, answer.freshUntil};
    notes_[key.facts.fingerprint] = note;
    if (before == "revoked" && note.state == "unknown") return false;  // stays revoked
    known_[key.facts.fingerprint] = note;
    return before != note.state;
  }

  void count(const KeyFacts& before, Reason verdict, TimePoint notAfter) {
    if (before.state != KeyState::Confirmed) return;
    if (verdict == Reason::Revoked)
      ++counts_.revoked;
    else if (verdict == Reason::RevocationUnknown)
      ++counts_.unknown;
    else if (!allowsCopy(verdict))
      ++counts_.unfit;
    else if (notAfter < now_)
      ++counts_.ended;
    else if (notAfter < now_ + days(Steps.front()))
      ++counts_.ending;
    const auto note = known_.find(before.fingerprint);
    if (verdict == Reason::ValidCertificate && note != known_.end() && note->second.state == "unknown")
      ++counts_.unknown;
  }

  SiteContext& context_;
  RevocationCheck* const issuers_;
  Counts& counts_;
  const TimePoint now_;
  std::map<std::string, RevocationNote> known_;
  std::map<std::string, RevocationNote> notes_;
  std::vector<MemberKey> changed_;
};

std::string sentenceOf(const Counts& counts) {
  return std::to_string(counts.keys) + " keys: " + std::to_string(counts.ending) + " end soon, " +
         std::to_string(counts.ended) + " ended, " + std::to_string(counts.revoked) + " revoked, " +
         std::to_string(counts.unfit) + " cannot be used, " + std::to_string(counts.unknown) +
         " without their issuer's word";
}

std::set<std::string> membersOf(SiteContext& context, const std::string& list) {
  std::set<std::string> members;
  context.site.read([&](SiteTables& tables) {
    const auto found = tables.lists.find(list);
    if (found)
      for (auto& address : tables.keys.addressesOn(found->id)) members.insert(std::move(address));
  });
  return members;
}

}  // namespace

json checkAllKeys(JobContext& job, SiteContext& context, FetchDocument fetch) {
  const auto list = job.job().args.value("list", std::string());
  const auto members = list.empty() ? std::set<std::string>() : membersOf(context, list);
  RevocationCheck issuers(context, std::move(fetch));
  const auto total = context.site.read([](SiteTables& tables) { return tables.keys.count(); });
  Counts counts;
  std::uint64_t after = 0, seen = 0;
  while (!job.stopRequested()) {
    auto keys = context.site.read([&](SiteTables& tables) { return tables.keys.page({}, after, PageSize); });
    if (keys.empty()) break;
    const auto upTo = keys.back().id;
    seen += keys.size();
    if (!list.empty()) std::erase_if(keys, [&](const auto& key) { return !members.contains(key.address); });
    if (!keys.empty()) {
      PageLook look(context, asksIssuers(context) ? &issuers : nullptr, counts);
      look.look(keys, after);
      look.write(after, upTo, list.empty());
    }
    after = upTo;
    job.progress(std::min(seen, total), total, sentenceOf(counts));
  }
  if (job.stopRequested()) return {};
  std::uint64_t reminded = 0, owners = 0;
  if (list.empty()) {
    reminded = remindOfEnds(context);
    owners = remindOwners(context);
    context.site.write([&](SiteTables& tables) { tables.keyRing.sweepRevocationLists(context.clock.now()); });
  }
  job.progress(total, total, sentenceOf(counts));
  return {{"keys", counts.keys},       {"changed", counts.changed}, {"ending", counts.ending},
          {"ended", counts.ended},     {"revoked", counts.revoked}, {"unfit", counts.unfit},
          {"unknown", counts.unknown}, {"reminded", reminded},      {"owners", owners}};
}

std::uint64_t remindOfEnds(SiteContext& context) {
  const auto now = context.clock.now();
  const auto ending =
      context.site.read([&](SiteTables& tables) { return tables.keys.ending(now, now + days(Steps.front())); });
  std::uint64_t sent = 0;
  context.site.write([&](SiteTables& tables) { tables.keyRing.forgetReminders(now + days(Steps.front() + 1)); });
  for (std::size_t first = 0; first < ending.size(); first += PageSize) {
    context.site.write([&](SiteTables& tables) {
      for (std::size_t i = first; i < std::min(ending.size(), first + PageSize); ++i) {
        const auto& key = ending[i];
        int step = Steps.front();
        for (const int each : Steps)
          if (key.endsAt <= now + days(each)) step = each;
        if (!tables.keyRing.noteReminder(key.address, key.fingerprint, step, now)) continue;
        mailKeyEnding(context, tables, key);
        ++sent;
      }
    });
  }
  return sent;
}

std::uint64_t remindOwners(SiteContext& context) {
  const auto now = context.clock.now();
  return context.site.write([&](SiteTables& tables) {
    std::uint64_t sent = 0;
    for (const auto& account : tables.accounts.all()) {
      if (account.state != "enabled" || account.mail.empty() || !account.roles.has(app::Role::Owner)) continue;
      KeyWorkCounts work;
      for (const auto& address : tables.accounts.listsOf(account.name))
        if (const auto list = tables.lists.find(address); list && list->deletedAt == TimePoint())
          work += countKeyWork(tables, *list, now);
      if (work.none()) continue;
      const auto last = tables.siteMail.newestOf(SiteMail::Kind::OwnerWork, account.mail);
      if (last && now - last->createdAt < Week) continue;
      sendSiteMail(tables,
                   {SiteMail::Kind::OwnerWork,
                    account.mail,
                    context.webUrl() + "/work/keys",
                    {std::to_string(work.proposals), std::to_string(work.withheld), std::to_string(work.ending)}},
                   now);
      ++sent;
    }
    return sent;
  });
}

void addKeyHealth(JobRunner& jobs, SiteContext& context, const GatewayAddress& address) {
  jobs.add(std::string(CheckKeys),
           [&](JobContext& job) { return checkAllKeys(job, context, fetchByGateway(address)); });
}

KeyHealthSchedule::KeyHealthSchedule(SiteContext& context, JobRunner& jobs) : context_(context), jobs_(jobs) {
  context_.site.write([&](SiteTables& tables) {
    tables.counters.set(CounterStore::RevocationStrict, context_.config.revocation == "strict" ? 1 : 0);
    if (tables.counters.get(CounterStore::KeyHealth) == 0)
      tables.counters.set(CounterStore::KeyHealth, static_cast<std::uint64_t>(toMicros(context_.clock.now())));
  });
  thread_ = std::jthread([this](const std::stop_token& stop) {
    repeatUntilStopped(stop, std::chrono::minutes(1), [this] {
      try {  // the boundary of a queue job: it is tried again in a minute
        minute();
      } catch (const std::exception& error) {
        log::error("keys", "the store cannot be written", {{"error", error.what()}});
      }
    });
  });
}

void KeyHealthSchedule::minute() {
  const auto now = context_.clock.now();
  const auto night = TimePoint(std::chrono::floor<days>(now - NightAt)) + NightAt;
  const bool started = context_.site.write([&](SiteTables& tables) {
    const auto last = fromMicros(static_cast<std::int64_t>(tables.counters.get(CounterStore::KeyHealth)));
    const bool due = last < night;
    const bool waits =
        asksIssuers(context_) && context_.config.revocation == "strict" && !tables.keys.withoutIssuersWord(1).empty();
    if (!due && !waits) return false;
    tables.counters.set(CounterStore::KeyHealth, static_cast<std::uint64_t>(toMicros(now)));
    jobs_.start(tables, CheckKeys, {{"list", ""}}, "schedule");
    return true;
  });
  if (started) jobs_.wake();
}

}  // namespace postern::listd
