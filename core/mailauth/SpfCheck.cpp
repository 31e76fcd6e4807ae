#include "core/mail/Text.h"
#include "core/mailauth/Spf.h"

#include <algorithm>

namespace postern::mailauth {

namespace {

using Kind = SpfTerm::Kind;
using net::DnsOutcome;

// Ends the evaluation with TempError or PermError.
struct Stop {
  SpfOutcome outcome;
  std::string problem;
};

bool isFailed(DnsOutcome outcome) {
  return outcome == DnsOutcome::Failed || outcome == DnsOutcome::Bogus;
}

bool sharesPrefix(const std::string& a, const std::string& b, unsigned bits) {
  if (a.size() != b.size() || bits > a.size() * 8) return false;
  if (a.compare(0, bits / 8, b, 0, bits / 8) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto differ = static_cast<unsigned>(static_cast<unsigned char>(a[bits / 8] ^ b[bits / 8]));
  return (differ >> (8 - bits % 8)) == 0;
}

std::string_view withoutFinalDot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

// True for `name` being `domain` or under it.
bool isWithin(std::string_view name, std::string_view domain) {
  name = withoutFinalDot(name);
  domain = withoutFinalDot(domain);
  if (name.size() < domain.size()) return false;
  if (!mail::equalsIgnoreCase(name.substr(name.size() - domain.size()), domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

constexpr unsigned MaxDepth = 20;  // above the limit of look-ups, so that one speaks first

// One message's evaluation, over include and redirect.
class SpfEvaluation {
public:
  SpfEvaluation(Dns& dns, const SpfQuery& query, const SpfLimits& limits)
      : dns_(dns), query_(query), limits_(limits), address_(addressBytes(query.address)) {}

  SpfResult run(std::string sender, const std::string& domain);

private:
  struct Found {
    SpfOutcome outcome = SpfOutcome::None;
    std::string explanation;  // domain-spec, not expanded
    std::string domain;       // whose explanation it is
    std::string mechanism;
  };
  Found check(const std::string& domain, unsigned depth);
  Found evaluate(const SpfRecord& record, const std::string& domain, unsigned depth);
  std::optional<SpfRecord> find(const std::string& domain);
  bool matches(const SpfTerm& term, const std::string& domain, unsigned depth);
  bool hostMatches(std::string_view host, const SpfTerm& term);
  bool mxMatches(const std::string& name, const SpfTerm& term);
  bool ptrMatches(const std::string& name);
  bool includeMatches(const std::string& name, unsigned depth);
  std::string expand(std::string_view text, const std::string& domain, bool isName = true);
  std::string explain(const Found& found);
  const std::vector<std::string>& validatedNames();
  void countLookup();
  void countAnswer(DnsOutcome outcome, const std::string& problem);

  Dns& dns_;
  const SpfQuery& query_;
  const SpfLimits limits_;
  const std::string address_;
  std::string sender_;
  unsigned lookups_ = 0;
  unsigned voids_ = 0;
  std::optional<std::vector<std::string>> validated_;
};

void SpfEvaluation::countLookup() {
  if (++lookups_ > limits_.lookups) throw Stop{SpfOutcome::PermError, "the record asks the DNS too often"};
}

void SpfEvaluation::countAnswer(DnsOutcome outcome, const std::string& problem) {
  if (isFailed(outcome)) throw Stop{SpfOutcome::TempError, problem.empty() ? "the DNS failed" : problem};
  if (outcome != DnsOutcome::Found && ++voids_ > limits_.voidLookups)
    throw Stop{SpfOutcome::PermError, "the record asks too often for names that do not exist"};
}

// RFC 7208 §5.5: names that the address has and that have the address. Failures make fewer names, not an error.
const std::vector<std::string>& SpfEvaluation::validatedNames() {
  if (validated_) return *validated_;
  validated_.emplace();
  auto names = dns_.pointers(query_.address);
  if (names.outcome != DnsOutcome::Found) return *validated_;
  if (names.records.size() > limits_.namesPerTerm) names.records.resize(limits_.namesPerTerm);
  for (const auto& name : names.records) {
    const auto host = withoutFinalDot(name);
    if (!isDomainName(host)) continue;
    const auto answer = address_.size() == 4 ? dns_.ipv4(host) : dns_.ipv6(host);
    const auto same = [this](const auto& one) { return addressBytes(one) == address_; };
    if (std::any_of(answer.records.begin(), answer.records.end(), same)) validated_->emplace_back(host);
  }
  return *validated_;
}

std::string SpfEvaluation::expand(std::string_view text, const std::string& domain, bool isName) {
  SpfMacroContext context{sender_, domain, address_, query_.helo, query_.receiver, {}};
  if (usesValidatedName(text)) {
    const auto& names = validatedNames();
    auto best =
        std::find_if(names.begin(), names.end(), [&](const auto& one) { return mail::equalsIgnoreCase(one, domain); });
    if (best == names.end())
      best = std::find_if(names.begin(), names.end(), [&](const auto& one) { return isWithin(one, domain); });
    if (best == names.end()) best = names.begin();
    if (best != names.end()) context.validatedName = *best;
  }
  return expandMacros(text, context, isName);
}

std::optional<SpfRecord> SpfEvaluation::find(const std::string& domain) {
  const auto answer = dns_.txt(domain);
  if (isFailed(answer.outcome))
    throw Stop{SpfOutcome::TempError, answer.problem.empty() ? "the DNS failed" : answer.problem};
  const std::string* record = nullptr;
  for (const auto& one : answer.records) {
    if (!isSpfRecord(one)) continue;
    if (record) throw Stop{SpfOutcome::PermError, domain + " has more than one SPF record"};
    record = &one;
  }
  if (!record) return std::nullopt;
  auto parsed = parseSpfRecord(*record);
  if (!parsed) throw Stop{SpfOutcome::PermError, "the SPF record of " + domain + " has a syntax error"};
  return parsed;
}

SpfEvaluation::Found SpfEvaluation::check(const std::string& domain, unsigned depth) {
  if (depth > MaxDepth) throw Stop{SpfOutcome::PermError, "the records refer to each other too deeply"};
  if (!isDomainName(withoutFinalDot(domain), 2)) return {};
  const auto record = find(std::string(withoutFinalDot(domain)));
  return record ? evaluate(*record, domain, depth) : Found{};
}

SpfEvaluation::Found SpfEvaluation::evaluate(const SpfRecord& record, const std::string& domain, unsigned depth) {
  static constexpr const char* Names[] = {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"};
  for (const auto& term : record.terms) {
    if (!matches(term, domain, depth)) continue;
    auto mechanism = std::string(Names[static_cast<std::size_t>(term.kind)]);
    if (!term.domain.empty()) mechanism += ":" + term.domain;
    return {term.qualifier, record.explanation.value_or(""), domain, std::move(mechanism)};
  }
  if (!record.redirect) return {SpfOutcome::Neutral, {}, domain, {}};
  countLookup();
  auto found = check(expand(*record.redirect, domain), depth + 1);
  if (found.outcome == SpfOutcome::None)
    throw Stop{SpfOutcome::PermError, "the record of " + domain + " redirects to a domain without one"};
  return found;
}

bool SpfEvaluation::matches(const SpfTerm& term, const std::string& domain, unsigned depth) {
  if (term.kind == Kind::All) return true;
  if (term.kind == Kind::Ip4 || term.kind == Kind::Ip6)
    return sharesPrefix(address_, term.network, term.kind == Kind::Ip4 ? term.bits4 : term.bits6);
  countLookup();
  const auto expanded = term.domain.empty() ? domain : expand(term.domain, domain);
  const std::string name(withoutFinalDot(expanded));
  if (term.kind == Kind::Include) return includeMatches(name, depth);
  if (!isDomainName(name)) return false;  // RFC 7208 §4.8
  switch (term.kind) {
    case Kind::A:
      return hostMatches(name, term);
    case Kind::Mx:
      return mxMatches(name, term);
    case Kind::Ptr:
      return ptrMatches(name);
    default:
      break;
  }
  const auto answer = dns_.ipv4(name);
  countAnswer(answer.outcome, answer.problem);
  return answer.outcome == DnsOutcome::Found;
}

bool SpfEvaluation::hostMatches(std::string_view host, const SpfTerm& term) {
  const auto answer = address_.size() == 4 ? dns_.ipv4(host) : dns_.ipv6(host);
  countAnswer(answer.outcome, answer.problem);
  const unsigned bits = address_.size() == 4 ? term.bits4 : term.bits6;
  return std::any_of(answer.records.begin(), answer.records.end(),
                     [&](const auto& one) { return sharesPrefix(address_, addressBytes(one), bits); });
}

bool SpfEvaluation::mxMatches(const std::string& name, const SpfTerm& term) {
  const auto answer = dns_.mx(name);
  countAnswer(answer.outcome, answer.problem);
  if (answer.records.size() > limits_.namesPerTerm)
    throw Stop{SpfOutcome::PermError, name + " has too many mail hosts for an mx term"};
  for (const auto& one : answer.records)
    if (const auto host = withoutFinalDot(one.host); isDomainName(host) && hostMatches(host, term)) return true;
  return false;
}

bool SpfEvaluation::ptrMatches(const std::string& name) {
  const auto& names = validatedNames();
  return std::any_of(names.begin(), names.end(), [&](const auto& one) { return isWithin(one, name); });
}

bool SpfEvaluation::includeMatches(const std::string& name, unsigned depth) {
  const auto found = check(name, depth + 1);
  if (found.outcome == SpfOutcome::None)
    throw Stop{SpfOutcome::PermError, "the record includes " + name + ", which has none"};
  return found.outcome == SpfOutcome::Pass;
}

// RFC 7208 §6.2. Anything odd means that there is no explanation.
std::string SpfEvaluation::explain(const Found& found) {
  if (found.outcome != SpfOutcome::Fail || found.explanation.empty()) return {};
  const auto name = expand(found.explanation, found.domain);
  if (!isDomainName(name)) return {};
  const auto answer = dns_.txt(name);
  if (answer.outcome != DnsOutcome::Found || answer.records.size() != 1) return {};
  if (!isMacroString(answer.records[0], true)) return {};
  auto text = expand(answer.records[0], found.domain, false);
  const bool clean = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  return clean && text.size() <= 500 ? text : std::string();
}

SpfResult SpfEvaluation::run(std::string sender, const std::string& domain) {
  SpfResult result;
  result.domain = domain;
  sender_ = std::move(sender);
  if (address_.empty()) return result;
  try {
    auto found = check(domain, 0);
    result.outcome = found.outcome;
    result.explanation = explain(found);
    result.mechanism = std::move(found.mechanism);
  } catch (const Stop& stop) {
    result.outcome = stop.outcome;
    result.problem = stop.problem;
  }
  return result;
}

}  // namespace

SpfResult checkSpf(Dns& dns, const SpfQuery& query, const SpfLimits& limits) {
  const auto at = query.mailFrom.rfind('@');
  const bool byHelo = query.mailFrom.empty();
  const std::string domain = byHelo                    ? query.helo
                             : at == std::string::npos ? query.mailFrom
                                                       : query.mailFrom.substr(at + 1);
  auto local = byHelo || at == std::string::npos ? std::string() : query.mailFrom.substr(0, at);
  if (local.empty()) local = "postmaster";  // RFC 7208 §4.3
  auto result = SpfEvaluation(dns, query, limits).run(local + "@" + domain, domain);
  result.byHelo = byHelo;
  return result;
}

}  // namespace postern::mailauth
