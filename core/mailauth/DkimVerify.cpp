#include "core/crypto/Digest.h"
#include "core/mail/Text.h"
#include "core/mailauth/DkimNear.h"

#include <algorithm>
#include <map>

namespace postern::mailauth {

namespace {

using net::DnsOutcome;

// Fields that a reader shows or acts on and that stand once in an honest message.
constexpr std::string_view SingleFields[] = {
    "from",     "subject", "to",         "cc",           "date",
    "reply-to", "sender",  "message-id", "content-type", "content-transfer-encoding"};

// A field with more instances than the signature covers; empty: none.
std::string uncovered(const mail::HeaderBlock& header, const DkimSignature& signature) {
  for (const auto name : SingleFields) {
    const auto covered = std::count(signature.headers.begin(), signature.headers.end(), name);
    const auto there = header.count(name);
    if (covered > 0 && there > static_cast<std::size_t>(covered)) return std::string(name);
  }
  return {};
}

// The signature's domain is this one, or one above or below it.
bool isNear(const mail::HeaderField& field, std::string_view domain) {
  const auto tags = TagList::parse(field.value);
  if (!tags || domain.empty()) return false;
  const auto signer = mail::lowerAscii(tags->value("d"));
  return !signer.empty() &&
         (signer == domain || signer.ends_with("." + std::string(domain)) || domain.ends_with("." + signer));
}

struct BodyDigest {
  std::string hash;
  std::uint64_t size = 0;
};

// One message's signatures; each form of the body is hashed once.
class DkimVerification {
public:
  DkimVerification(Dns& dns, const mail::HeaderBlock& header, std::string_view body, long long now)
      : dns_(dns), header_(header), body_(body), now_(now) {}

  DkimResult verify(const mail::HeaderField& field);

private:
  void judge(const mail::HeaderField& field, const DkimSignature& signature, DkimResult& result);
  bool judgeKey(const DkimSignature& signature, const KeyAnswer& key, DkimResult& result) const;
  const BodyDigest& digest(const DkimSignature& signature);

  Dns& dns_;
  const mail::HeaderBlock& header_;
  std::string_view body_;
  long long now_;
  std::map<std::pair<Canonical, std::optional<std::uint64_t>>, BodyDigest> digests_;
};

const BodyDigest& DkimVerification::digest(const DkimSignature& signature) {
  auto& known = digests_[{signature.bodyForm, signature.length}];
  if (known.hash.empty()) {
    BodyHasher hasher(signature.bodyForm, signature.length);
    hasher.update(body_);
    known.hash = hasher.finish();
    known.size = hasher.size();
  }
  return known;
}

DkimResult DkimVerification::verify(const mail::HeaderField& field) {
  DkimResult result;
  result.outcome = DkimOutcome::PermError;
  SignatureProblem problem;
  const auto signature = readSignature(field.value, false, problem);
  if (!signature) {
    result.reason = problem.text;
    if (const auto tags = TagList::parse(field.value)) {
      result.domain = mail::lowerAscii(tags->value("d"));
      if (!isDomainName(result.domain)) result.domain.clear();
    }
    return result;
  }
  result.domain = signature->domain;
  result.selector = signature->selector;
  result.identity = signature->identity;
  result.algorithm = algorithmOf(signature->kind);
  result.signature = signature->written.substr(0, 8);
  judge(field, *signature, result);
  return result;
}

bool DkimVerification::judgeKey(const DkimSignature& signature, const KeyAnswer& key, DkimResult& result) const {
  result.bits = key.record.bits;
  result.testing = key.record.testing;
  result.outcome = key.tempError ? DkimOutcome::TempError : DkimOutcome::PermError;
  result.reason = key.record.problem;
  if (!result.reason.empty()) return false;
  if (key.record.kind != signature.kind) {
    result.reason = "the key is of another kind than the signature";
    return false;
  }
  const auto at = signature.identity.rfind('@');
  if (key.record.strict && mail::lowerAscii(signature.identity.substr(at + 1)) != signature.domain) {
    result.reason = "the key does not speak for subdomains";
    return false;
  }
  return true;
}

void DkimVerification::judge(const mail::HeaderField& field, const DkimSignature& signature, DkimResult& result) {
  if (signature.expires && *signature.expires < now_) {
    result.outcome = DkimOutcome::Fail;
    result.reason = "the signature has expired";
    return;
  }
  // Before the DNS is asked: a changed body is the most common failure.
  const auto& body = digest(signature);
  if (signature.length && *signature.length > body.size) {
    result.reason = "l= is longer than the body";
    return;
  }
  if (!crypto::equalConstantTime(body.hash, signature.bodyHash)) {
    result.outcome = DkimOutcome::Fail;
    result.reason = "the body was changed";
    return;
  }
  const auto key = findKey(dns_, signature.selector, signature.domain);
  if (!judgeKey(signature, key, result)) return;
  const auto bytes = canonicalHeader(header_, signature.headers, signature.headerForm) +
                     canonicalSignature(field.raw, signature.headerForm);
  if (!verifies(key.record, bytes, signature.signature)) {
    result.outcome = DkimOutcome::Fail;
    result.reason = "the header was changed, or the key is another";
    return;
  }
  result.outcome = DkimOutcome::Policy;
  if (signature.length && *signature.length < body.size)
    result.reason = "text behind the signed part of the body (l=)";
  else if (const auto name = uncovered(header_, signature); !name.empty())
    result.reason = "a second " + name + " stands above the signed one";
  else
    result.outcome = DkimOutcome::Pass;
}

}  // namespace

const char* wordFor(DkimOutcome outcome) {
  static constexpr const char* Words[] = {"none", "pass", "fail", "policy", "neutral", "temperror", "permerror"};
  return Words[static_cast<std::size_t>(outcome)];
}

KeyAnswer findKey(Dns& dns, const std::string& selector, const std::string& domain) {
  KeyAnswer result;
  const auto name = selector + "._domainkey." + domain;
  if (!isDomainName(name)) {
    result.record.problem = "the key's name is too long";
    return result;
  }
  const auto answer = dns.txt(name);
  if (answer.outcome == DnsOutcome::Failed || answer.outcome == DnsOutcome::Bogus) {
    result.tempError = true;
    result.record.problem = answer.problem.empty() ? "the DNS failed" : answer.problem;
    return result;
  }
  result.record.problem = "the DNS has no key for it";
  // RFC 6376 §3.6.2.2 leaves several records open; the first that can be used counts, so that a stray one does no harm.
  for (const auto& text : answer.records) {
    result.record = readKeyRecord(text);
    if (result.record.problem.empty()) break;
  }
  return result;
}

std::vector<DkimResult> verifyDkim(Dns& dns, const mail::HeaderBlock& header, std::string_view body, long long now,
                                   const DkimLimits& limits) {
  return verifyDkimNear(dns, header, body, now, {}, limits);
}

std::vector<DkimResult> verifyDkimNear(Dns& dns, const mail::HeaderBlock& header, std::string_view body, long long now,
                                       std::string_view domain, const DkimLimits& limits) {
  std::vector<const mail::HeaderField*> fields;
  for (const auto& field : header.fields())
    if (mail::equalsIgnoreCase(field.name, "DKIM-Signature")) fields.push_back(&field);
  const bool tooMany = fields.size() > limits.signatures;
  if (tooMany) fields.resize(limits.signatures);
  // A stranger's slow DNS must not use up the time of the signatures that speak for the author.
  std::vector<DkimResult> results(fields.size());
  DkimVerification verification(dns, header, body, now);
  for (const bool first : {true, false})
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (isNear(*fields[i], domain) == first) results[i] = verification.verify(*fields[i]);
  if (tooMany) {
    DkimResult ignored;
    ignored.outcome = DkimOutcome::Neutral;
    ignored.reason = "too many signatures; this one and the rest are not looked at";
    results.push_back(std::move(ignored));
  }
  return results;
}

}  // namespace postern::mailauth
