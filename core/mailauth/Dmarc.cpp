#include "core/mailauth/Dmarc.h"

#include "core/mail/Text.h"

#include <algorithm>

namespace postern::mailauth {

namespace {

using net::DnsOutcome;

constexpr std::size_t MaxSteps = 8;

std::optional<DmarcPolicy> readPolicy(std::string_view text) {
  const auto word = mail::lowerAscii(text);
  if (word == "none") return DmarcPolicy::None;
  if (word == "quarantine") return DmarcPolicy::Quarantine;
  if (word == "reject") return DmarcPolicy::Reject;
  return std::nullopt;
}

DmarcPolicy milder(DmarcPolicy policy) {
  return policy == DmarcPolicy::Reject ? DmarcPolicy::Quarantine : DmarcPolicy::None;
}

// The names that the walk asks, the name itself first: a long name jumps to its last seven labels.
std::vector<std::string> walkOf(const std::string& domain) {
  std::vector<std::string> names{domain};
  auto rest = domain;
  for (std::size_t labels = 1 + static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '.')); labels > 1;) {
    do {
      rest.erase(0, rest.find('.') + 1);
      --labels;
    } while (labels > MaxSteps - 1);
    names.push_back(rest);
  }
  return names;
}

struct Step {
  std::string name;
  DmarcRecord record;
};

// The records on the way up from a domain; the walk ends at one that says it is a root.
class TreeWalk {
public:
  explicit TreeWalk(Dns& dns) : dns_(dns) {}

  std::vector<Step> walk(const std::string& domain);
  std::string organization(const std::string& domain);
  bool failed() const { return !problem_.empty(); }  // the last walk
  bool everFailed() const { return everFailed_; }
  bool broken() const { return broken_; }
  const std::string& problem() const { return problem_; }

private:
  std::optional<DmarcRecord> ask(const std::string& name);

  Dns& dns_;
  std::string problem_;
  bool everFailed_ = false;
  bool broken_ = false;
};

std::optional<DmarcRecord> TreeWalk::ask(const std::string& name) {
  if (!isDomainName("_dmarc." + name)) return std::nullopt;
  const auto answer = dns_.txt("_dmarc." + name);
  if (answer.outcome == DnsOutcome::Failed || answer.outcome == DnsOutcome::Bogus) {
    everFailed_ = true;
    problem_ = answer.problem.empty() ? "the DNS failed" : answer.problem;
    return std::nullopt;
  }
  std::optional<DmarcRecord> found;
  for (const auto& text : answer.records) {
    if (!isDmarcRecord(text)) continue;
    if (found) return std::nullopt;  // several: as none
    found = parseDmarcRecord(text);
    broken_ = broken_ || !found;
  }
  return found;
}

std::vector<Step> TreeWalk::walk(const std::string& domain) {
  std::vector<Step> steps;
  problem_.clear();
  for (const auto& name : walkOf(domain)) {
    auto record = ask(name);
    if (failed()) return steps;
    if (!record) continue;
    const bool last = record->psd != 'u';
    steps.push_back({name, std::move(*record)});
    if (last) break;
  }
  return steps;
}

// Of the records on the way the one with psd=n, or one label below one with psd=y, or the one with the fewest labels.
std::string organizationOf(const std::vector<Step>& steps, const std::string& domain) {
  if (steps.empty()) return domain;
  const auto& top = steps.back();
  if (top.record.psd != 'y' || top.name == domain) return top.name;
  const auto below = domain.substr(0, domain.size() - top.name.size() - 1);
  const auto dot = below.rfind('.');
  return (dot == std::string::npos ? below : below.substr(dot + 1)) + "." + top.name;
}

std::string TreeWalk::organization(const std::string& domain) {
  return organizationOf(walk(domain), domain);
}

bool exists(Dns& dns, const std::string& domain) {
  for (const auto outcome : {dns.ipv4(domain).outcome, dns.ipv6(domain).outcome, dns.mx(domain).outcome})
    if (outcome != DnsOutcome::NoName && outcome != DnsOutcome::NoData) return true;
  return false;
}

DmarcPolicy policyFor(Dns& dns, const Step& step, const std::string& author) {
  auto policy = step.record.policy;
  if (step.name != author) {
    policy = step.record.subdomains.value_or(policy);
    if (step.record.nonexistent && !exists(dns, author)) policy = *step.record.nonexistent;
  }
  return step.record.testing ? milder(policy) : policy;
}

// One message's alignment with its author.
class Alignment {
public:
  Alignment(TreeWalk& walk, const std::string& author, const std::string& organization)
      : walk_(walk), author_(author), organization_(organization) {}

  bool fits(const std::string& name, bool strict) {
    const auto domain = mail::lowerAscii(name);
    if (domain == author_) return true;
    if (strict || domain.empty()) return false;
    // Only a name under the author's organisation can have it as its own.
    if (!isBelow(domain)) return false;
    const bool same = walk_.organization(domain) == organization_;
    leftOpen_ = leftOpen_ || (!same && walk_.failed());
    return same;
  }

  // Whether a name could fit if its own check had been answered; asks nothing.
  bool mayFit(const std::string& name, bool strict) const {
    const auto domain = mail::lowerAscii(name);
    return domain == author_ || (!strict && !domain.empty() && isBelow(domain));
  }

  bool leftOpen() const { return leftOpen_; }

private:
  bool isBelow(const std::string& domain) const {
    return domain == organization_ || domain.ends_with("." + organization_);
  }

  TreeWalk& walk_;
  const std::string& author_;
  const std::string& organization_;
  bool leftOpen_ = false;  // what passed could not be told to be of the organisation
};

}  // namespace

const char* wordFor(DmarcOutcome outcome) {
  static constexpr const char* Words[] = {"none", "pass", "fail", "temperror", "permerror"};
  return Words[static_cast<std::size_t>(outcome)];
}

const char* wordFor(DmarcPolicy policy) {
  static constexpr const char* Words[] = {"none", "quarantine", "reject"};
  return Words[static_cast<std::size_t>(policy)];
}

bool isDmarcRecord(std::string_view txt) {
  const auto version = txt.substr(0, txt.find(';'));
  const auto equals = version.find('=');
  return equals != version.npos && mail::trim(version.substr(0, equals)) == "v" &&
         mail::trim(version.substr(equals + 1)) == "DMARC1";
}

std::optional<DmarcRecord> parseDmarcRecord(std::string_view txt) {
  const auto tags = TagList::parse(txt);
  if (!isDmarcRecord(txt) || !tags) return std::nullopt;
  DmarcRecord record;
  for (const auto& uri : splitCompact(tags->value("rua"), ','))
    if (uri.starts_with("mailto:")) record.reports.push_back(uri);
  const auto policy = readPolicy(tags->value("p"));
  // RFC 7489 §6.6.3: without a policy that is known, a record that asks for reports stands for "none".
  if (!policy && record.reports.empty()) return std::nullopt;
  record.policy = policy.value_or(DmarcPolicy::None);
  if (const auto text = tags->find("sp")) record.subdomains = readPolicy(*text);
  if (const auto text = tags->find("np")) record.nonexistent = readPolicy(*text);
  record.strictDkim = tags->value("adkim") == "s";
  record.strictSpf = tags->value("aspf") == "s";
  record.testing = tags->value("t") == "y" || tags->value("pct") == "0";
  const auto psd = tags->value("psd");
  if (psd == "y" || psd == "n") record.psd = psd.front();
  return record;
}

void prepareDmarc(Dns& dns, const std::string& authorDomain) {
  if (isDomainName(authorDomain)) TreeWalk(dns).walk(authorDomain);
}

DmarcResult checkDmarc(Dns& dns, const std::string& authorDomain, const SpfResult& spf,
                       const std::vector<DkimResult>& dkim) {
  DmarcResult result;
  result.authorDomain = authorDomain;
  if (!isDomainName(authorDomain)) {
    result.outcome = DmarcOutcome::PermError;
    result.reason = "From names no domain";
    return result;
  }
  TreeWalk walk(dns);
  const auto steps = walk.walk(authorDomain);
  // A failure further up, behind the author's own record, only makes the organisation narrower.
  if (walk.failed() && steps.empty()) {
    result.outcome = DmarcOutcome::TempError;
    result.undecided = true;
    result.reason = walk.problem();
    return result;
  }
  result.organization = organizationOf(steps, authorDomain);
  const bool narrow = walk.failed();
  if (steps.empty() && walk.broken()) result.outcome = DmarcOutcome::PermError;
  const DmarcRecord none;
  // The author's own record, else the one of its organisation, else the public suffix's.
  const Step* step = nullptr;
  for (const auto& one : steps)
    if (!step || (step->name != authorDomain && one.name == result.organization)) step = &one;
  const auto& record = step ? step->record : none;
  if (step) result.policy = policyFor(dns, *step, authorDomain);
  Alignment alignment(walk, authorDomain, result.organization);
  result.bySpf = spf.outcome == SpfOutcome::Pass && alignment.fits(spf.domain, record.strictSpf);
  // Only an identifier that would speak for the author leaves anything open: a stranger's key that cannot be had does
  // not.
  bool undecided = spf.outcome == SpfOutcome::TempError && alignment.mayFit(spf.domain, record.strictSpf);
  for (const auto& one : dkim) {
    if (one.outcome == DkimOutcome::TempError) undecided = undecided || alignment.mayFit(one.domain, record.strictDkim);
    result.byDkim =
        result.byDkim || (one.outcome == DkimOutcome::Pass && alignment.fits(one.domain, record.strictDkim));
  }
  // Behind a failed walk the organisation may be a wider one, to which these would belong.
  const auto mightCount = [](auto outcome) {
    using Outcome = decltype(outcome);
    return outcome == Outcome::Pass || outcome == Outcome::TempError;
  };
  const bool any = mightCount(spf.outcome) ||
                   std::any_of(dkim.begin(), dkim.end(), [&](const auto& one) { return mightCount(one.outcome); });
  undecided = undecided || alignment.leftOpen() || (narrow && any);
  result.undecided = undecided && !result.bySpf && !result.byDkim;
  if (!step) return result;
  result.outcome = result.bySpf || result.byDkim ? DmarcOutcome::Pass
                   : result.undecided            ? DmarcOutcome::TempError
                                                 : DmarcOutcome::Fail;
  if (result.outcome == DmarcOutcome::Fail) result.reason = "neither SPF nor DKIM speaks for " + authorDomain;
  if (result.outcome == DmarcOutcome::TempError) result.reason = "the DNS failed, so nobody can tell";
  return result;
}

}  // namespace postern::mailauth
