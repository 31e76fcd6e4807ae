#include "core/audit/Verify.h"

#include "core/base/Files.h"
#include "core/crypto/Encoding.h"

#include <algorithm>
#include <map>

namespace postern::audit {
namespace {

constexpr Finding Gravest[] = {Finding::Altered,   Finding::Broken,      Finding::BadSignature, Finding::Truncated,
                               Finding::Rewritten, Finding::DeclaredGap, Finding::Unanchored};

// A restore that was declared in entry `seq`: of what followed entry `from` up to `knownSize` some was lost, and some
// may stand again with other entries.
struct Gap {
  std::uint64_t seq = 0;
  std::uint64_t from = 0;
  std::uint64_t knownSize = 0;
  std::string knownRoot;
};

struct KeyChange {
  VerifierKey old;
  VerifierKey fresh;
  std::uint64_t seq = 0;
};

struct Anchor {
  SignedCheckpoint note;
  bool outside = false;  // not only in the database itself
};

std::uint64_t numberOf(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  for (const char digit : text.value_or("")) {
    if (digit < '0' || digit > '9') return 0;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

class Verification {
public:
  Verification(const LogFile& log, const VerifyOptions& options) : log_(log), options_(options), keys_(options.keys) {}

  Verdict run() {
    logId_ = log_.logId();
    collectAnchors();
    range_ = options_.from == 0 ? CompactRange() : CompactRange::of(options_.from, log_.nodes());
    if (options_.from > 0)
      if (const auto before = log_.entry(options_.from - 1)) lastHash_ = leafHash(*before);
    noteRoot();
    log_.forEach(options_.from, [this](const LogRow& row) { return look(row); });
    believeChanges();
    checkAnchors();
    checkCoverage();
    return conclude();
  }

private:
  void find(Finding finding, std::string text, std::optional<std::uint64_t> seq = {}) {
    found_.try_emplace(finding, Verdict{finding, seq, std::move(text), 0, {}, 0});
  }

  void collectAnchors() {
    for (const auto& stored : log_.checkpoints()) collect(stored.note, false);
    for (const auto& note : options_.anchors) collect(note, true);
    std::stable_sort(anchors_.begin(), anchors_.end(), [](const Anchor& left, const Anchor& right) {
      return left.note.checkpoint.size < right.note.checkpoint.size;
    });
  }

  void collect(const std::string& text, bool outside) {
    auto note = parseCheckpoint(text);
    if (!note) {
      find(Finding::BadSignature, outside ? "an anchor is no signed checkpoint" : "a stored checkpoint is damaged");
      return;
    }
    sizes_[note->checkpoint.size];
    anchors_.push_back({std::move(*note), outside});
  }

  void noteRoot() {
    const auto wanted = sizes_.find(range_.size());
    if (wanted != sizes_.end()) wanted->second = range_.root();
  }

  // False ends the walk: after a break nothing that follows can be told.
  bool look(const LogRow& row) {
    const auto seq = range_.size();
    if (row.seq != seq) {
      find(Finding::Broken, "entry " + std::to_string(seq) + " is missing", seq);
      return false;
    }
    auto leaf = leafHash(row.entry);
    const auto entry = parseEntry(row.entry);
    if (!entry || leaf != row.leaf || !columnsAgree(row, *entry)) {
      find(Finding::Altered, "entry " + std::to_string(seq) + " was altered", seq);
      return false;
    }
    if (entry->number(Field::Seq) != seq || (*entry)[Field::LogId] != logId_ ||
        (*entry)[Field::PrevHash] != crypto::hex(lastHash_)) {
      find(Finding::Broken, "entry " + std::to_string(seq) + " does not follow the one before it", seq);
      return false;
    }
    learn(*entry, seq);
    lastHash_ = leaf;
    range_.add(std::move(leaf));
    noteRoot();
    return true;
  }

  static bool columnsAgree(const LogRow& row, const EntryView& entry) {
    return row.at == entry.at() && row.actor == entry[Field::ActorId] && row.action == entry[Field::Action] &&
           row.objectType == entry[Field::ObjectType] && row.objectId == entry[Field::ObjectId] &&
           row.matterId == entry.number(Field::MatterId) && row.outcome == entry[Field::Outcome];
  }

  void learn(const EntryView& entry, std::uint64_t seq) {
    const auto action = entry[Field::Action];
    if (action == RollbackAction) {
      const auto root = crypto::fromBase64(detailOf(entry, "root").value_or(""));
      const auto from = detailOf(entry, "from");
      gaps_.push_back(
          {seq, from ? std::min(numberOf(from), seq) : seq, numberOf(detailOf(entry, "size")), root.value_or("")});
    } else if (action == KeyRetiredAction || action == KeyBegunAction) {
      changeKey(entry, seq);
    }
  }

  // Both keys sign a change: the old one in the first entry, the new one in the second.
  void changeKey(const EntryView& entry, std::uint64_t seq) {
    const auto old = VerifierKey::parse(detailOf(entry, "old").value_or(""));
    const auto fresh = VerifierKey::parse(detailOf(entry, "new").value_or(""));
    const auto signature = crypto::fromBase64(detailOf(entry, "signature").value_or(""));
    const bool retired = entry[Field::Action] == KeyRetiredAction;
    if (!old || !fresh || !signature || !(retired ? *old : *fresh).verify(keyChangeMessage(*old, *fresh), *signature)) {
      find(Finding::BadSignature, "entry " + std::to_string(seq) + " changes the key without a good signature", seq);
      return;
    }
    const KeyChange change{*old, *fresh, seq};
    if (retired)
      announced_ = change;
    else if (announced_ && announced_->old == *old && announced_->fresh == *fresh)
      changes_.push_back(change);
  }

  // Who believes one key of a change believes the other.
  void believeChanges() {
    const auto believed = [this](const VerifierKey& key) {
      return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
    };
    for (bool more = true; more;) {
      more = false;
      for (const auto& change : changes_) {
        if (believed(change.old) == believed(change.fresh)) continue;
        keys_.push_back(believed(change.old) ? change.fresh : change.old);
        more = true;
      }
    }
    for (const auto& change : changes_)
      if (!believed(change.old))
        find(Finding::BadSignature, "entry " + std::to_string(change.seq) + " changes a key that is not the log's",
             change.seq);
  }

  const Gap* gapOf(const Checkpoint& anchor) const {
    const auto gap = std::find_if(gaps_.begin(), gaps_.end(), [&](const Gap& one) {
      return anchor.size > one.from && anchor.size <= one.knownSize &&
             (anchor.size != one.knownSize || anchor.root == one.knownRoot);
    });
    return gap == gaps_.end() ? nullptr : &*gap;
  }

  void checkAnchors() {
    for (const auto& anchor : anchors_) {
      const auto& checkpoint = anchor.note.checkpoint;
      const auto name = "the checkpoint of " + std::to_string(checkpoint.size) + " entries";
      if (!anchor.note.isSignedByOne(keys_)) {
        find(Finding::BadSignature, name + " is not signed by the log's key");
        continue;
      }
      if (checkpoint.size < options_.from) continue;
      const bool there = checkpoint.size <= range_.size();
      if (there && sizes_.at(checkpoint.size) == checkpoint.root) {
        if (anchor.outside) anchoredSize_ = std::max(anchoredSize_, checkpoint.size);
        continue;
      }
      if (const auto* gap = gapOf(checkpoint))
        find(Finding::DeclaredGap,
             "a restore put the log back: of the entries from " + std::to_string(gap->from) + " up to " +
                 std::to_string(gap->knownSize) + " some are gone, as entry " + std::to_string(gap->seq) + " declares",
             gap->seq);
      else if (there)
        find(Finding::Rewritten, name + " has another root: the log was rewritten");
      else
        find(Finding::Truncated, name + " is longer than the log, which has " + std::to_string(range_.size()));
    }
    // A declared gap is never plain good, also when the anchors of what was lost are not at hand.
    if (!gaps_.empty())
      find(Finding::DeclaredGap,
           "entry " + std::to_string(gaps_.front().seq) + " declares that a restore put the log back",
           gaps_.front().seq);
  }

  void checkCoverage() {
    if (anchoredSize_ == 0) {
      find(Finding::Unanchored, "no anchor covers any of the log");
      return;
    }
    const auto first = firstUncovered();
    if (first && options_.now - *first > options_.stale)
      find(Finding::Unanchored, "entries after " + std::to_string(anchoredSize_ - 1) +
                                    " have waited for an anchor since " + formatRfc3339(*first));
  }

  // When the oldest entry came that no anchor covers; carrying a checkpoint away is no news.
  std::optional<TimePoint> firstUncovered() const {
    std::optional<TimePoint> first;
    log_.forEach(anchoredSize_, [&](const LogRow& row) {
      if (row.action == AnchoredAction || row.action == CheckpointAction) return true;
      first = row.at;
      return false;
    });
    return first;
  }

  Verdict conclude() {
    Verdict verdict;
    verdict.text = "the log is intact: " + std::to_string(range_.size()) + " entries, anchored up to " +
                   std::to_string(anchoredSize_);
    for (const auto finding : Gravest) {
      const auto found = found_.find(finding);
      if (found == found_.end()) continue;
      verdict = found->second;
      break;
    }
    verdict.size = range_.size();
    verdict.root = range_.root();
    verdict.anchoredSize = anchoredSize_;
    return verdict;
  }

  const LogFile& log_;
  const VerifyOptions& options_;
  std::vector<VerifierKey> keys_;
  std::optional<KeyChange> announced_;
  std::vector<KeyChange> changes_;
  std::string logId_;
  std::vector<Anchor> anchors_;
  std::map<std::uint64_t, std::string> sizes_;  // roots at the sizes of the anchors
  CompactRange range_;
  std::string lastHash_;
  std::vector<Gap> gaps_;
  std::uint64_t anchoredSize_ = 0;
  std::map<Finding, Verdict> found_;
};

}  // namespace

Verdict verifyLog(const LogFile& log, const VerifyOptions& options) {
  return Verification(log, options).run();
}

std::vector<std::string> readAnchors(const std::filesystem::path& folder) {
  std::vector<std::string> notes;
  if (!std::filesystem::is_directory(folder)) return notes;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == ".checkpoint") notes.push_back(files::read(file.path()));
  return notes;
}

}  // namespace postern::audit
