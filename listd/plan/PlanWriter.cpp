#include "listd/plan/PlanWriter.h"

#include "core/base/Error.h"
#include "listd/plan/MemberFacts.h"

#include <utility>
#include <vector>

namespace postern::listd {
namespace {

// Notices about a rejection go to an envelope sender that nobody proved, so they are limited like those to members.
constexpr std::string_view RejectionNotice = "rejected";

app::Protection floorOf(const MemberFloors& floors, std::string_view address) {
  const auto found = floors.find(address);
  if (found == floors.end())
    throw Error(ErrorKind::Unavailable, "a member joined while the policies were asked about the others");
  return found->second;
}

class PlanWriter {
public:
  PlanWriter(SiteTables& tables, const List& list, std::uint64_t postId, TimePoint now)
      : tables_(tables), list_(list), postId_(postId), now_(now), nextKey_(tables.counters.get(CounterStore::Copy)) {}
  PlanWriter(const PlanWriter&) = delete;
  PlanWriter& operator=(const PlanWriter&) = delete;

  PostCounts writeCopies(const LadderRules& listRules, const MemberFloors* floors) {
    PostCounts counts;
    const KnownDomains domains(tables_.domainTls);
    std::vector<std::pair<std::string, Reason>> withheld;
    tables_.members.forEachEnabled(list_.id, [&](const MemberWithKeys& member) {
      MemberFacts facts{member.keys, member.wish};
      domains.describe(member.address, facts);
      const auto decision = floors ? decide(strengthened(listRules, floorOf(*floors, member.address)), facts, now_)
                                   : decide(listRules, facts, now_);
      addCopy(member.address, decision);
      ++counts.recipients;
      if (decision.withheld()) {
        ++counts.withheld;
        withheld.emplace_back(member.address, decision.reason);
      } else {
        ++counts.pending;
      }
    });
    // Behind all copies, so that no notice delays a copy.
    for (const auto& [address, reason] : withheld)
      if (tables_.notices.take(list_.id, address, reasonWord(reason), now_))
        addMail(app::Copy::Kind::Notice, address, reasonWord(reason));
    return counts;
  }

  // Strangers get no notice of what is withheld; the author gets the delivery report.
  PostCounts writeCopiesFor(const LadderRules& rules, std::span<const std::string> recipients) {
    PostCounts counts;
    const auto ownDomains = ownDomainsOf(tables_);
    for (const auto& address : recipients) {
      const auto decision = decideOutbound(tables_, rules, address, ownDomains, now_);
      addCopy(address, decision);
      ++counts.recipients;
      ++(decision.withheld() ? counts.withheld : counts.pending);
    }
    return counts;
  }

  // Counts for the author, and nothing else; composed when it is sent.
  void writePlanMail(const Post& post) {
    if (post.automatic || post.mailFrom.empty()) return;
    addMail(app::Copy::Kind::Report, post.mailFrom, PlanReport);
  }

  bool writeRejection(const Post& post) {
    if (post.automatic || post.mailFrom.empty()) return false;
    // The relay vouches for its senders, and each of them is to learn what did not go out.
    if (!post.domainMail && !tables_.notices.take(list_.id, post.mailFrom, RejectionNotice, now_)) return false;
    addMail(app::Copy::Kind::Report, post.mailFrom, post.reason);
    return true;
  }

  void finish() { tables_.counters.set(CounterStore::Copy, nextKey_); }

private:
  void addCopy(std::string_view address, const Decision& decision) {
    LedgerRow row;
    row.id = nextKey_++;
    row.postId = postId_;
    row.recipient = address;
    row.protection = protectionWord(decision);
    row.reason = reasonWord(decision.reason);
    row.keyFingerprint = decision.keyFingerprint;
    row.state = decision.withheld() ? CopyState::Withheld : CopyState::Planned;
    tables_.ledger.add(row);
  }

  void addMail(app::Copy::Kind kind, const std::string& address, std::string_view reason) {
    LedgerRow row;
    row.id = nextKey_++;
    row.postId = postId_;
    row.kind = kind;
    row.recipient = address;
    row.protection = "none";
    row.reason = reason;
    tables_.ledger.add(row);
  }

  SiteTables& tables_;
  const List& list_;
  std::uint64_t postId_;
  TimePoint now_;
  std::uint64_t nextKey_;
};

}  // namespace

std::optional<std::uint64_t> writePlan(SiteTables& tables, Post post, const List& list, const PostingRuling& ruling,
                                       TimePoint now, std::span<const std::string> recipients,
                                       const MemberFloors* memberFloors) {
  if (tables.posts.exists(post.acceptedId, post.queueId, list.id)) return std::nullopt;
  using Verdict = PostingRuling::Verdict;
  post.listId = list.id;
  post.plannedAt = now;
  post.verdict = verdictWord(ruling.verdict);
  post.reason = ruling.reason;
  post.automatic = ruling.automatic;
  post.floor = ruling.floor;
  // An accepted post is always worked on once, also for nobody: the worker closes it.
  post.state = ruling.verdict == Verdict::Accept ? PostState::Planned : PostState::Done;
  // A message is counted with the first of its lists, so also after a crash between two of them once.
  if (!tables.posts.isKnown(post.acceptedId, post.queueId)) tables.flow.add({.at = post.receivedAt, .accepted = 1});
  const auto id = tables.posts.add(post);

  PlanWriter writer(tables, list, id, now);
  Flow flow{.at = now};
  if (ruling.verdict == Verdict::Accept) {
    const auto rules = strengthened(rulesOf(tables, list), post.floor);
    const auto counts =
        post.domainMail ? writer.writeCopiesFor(rules, recipients) : writer.writeCopies(rules, memberFloors);
    if (rules.mailPlan || (rules.planOnWish && ruling.wantsPlan)) writer.writePlanMail(post);
    tables.posts.addCounts(id, counts);
    flow.posts = 1;
    flow.withheld = counts.withheld;
  } else if (ruling.verdict == Verdict::Reject && writer.writeRejection(post)) {
    tables.posts.setReported(id);
    tables.posts.setState(id, PostState::Planned);
  }
  writer.finish();
  tables.flow.add(flow);
  return id;
}

}  // namespace postern::listd
