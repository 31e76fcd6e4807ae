#include "core/mailauth/Arc.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"

#include <algorithm>

namespace postern::mailauth {

namespace {

constexpr unsigned MaxInstance = 50;
constexpr std::string_view ResultsName = "ARC-Authentication-Results";
constexpr std::string_view SignatureName = "ARC-Message-Signature";
constexpr std::string_view SealName = "ARC-Seal";

unsigned readInstance(std::string_view text) {
  const auto number = readNumber(mail::trim(text));
  return number && *number >= 1 && *number <= MaxInstance ? static_cast<unsigned>(*number) : 0;
}

// "i=1; mx.example.org; spf=pass …": the instance stands first.
unsigned resultsInstance(std::string_view value) {
  const auto end = value.find(';');
  if (end == value.npos) return 0;
  const auto equals = value.find('=');
  if (equals > end || mail::trim(value.substr(0, equals)) != "i") return 0;
  return readInstance(value.substr(equals + 1, end - equals - 1));
}

unsigned tagInstance(std::string_view value) {
  const auto tags = TagList::parse(value);
  return tags ? readInstance(tags->value("i")) : 0;
}

// A seal's tags: no h (RFC 8617 §4.1.3), all of the others.
struct Seal {
  DkimSignature signature;
  std::string validation;
};
std::optional<Seal> readSeal(std::string_view value) {
  const auto tags = TagList::parse(value);
  if (!tags || tags->find("h") || tags->find("bh") || tags->find("c")) return std::nullopt;
  for (const auto* name : {"a", "b", "d", "s", "cv"})
    if (!tags->find(name)) return std::nullopt;
  Seal seal;
  const auto algorithm = tags->value("a");
  if (algorithm != "rsa-sha256" && algorithm != "ed25519-sha256") return std::nullopt;
  seal.signature.kind = algorithm == "rsa-sha256" ? KeyKind::Rsa : KeyKind::Ed25519;
  seal.signature.domain = mail::lowerAscii(tags->value("d"));
  seal.signature.selector = mail::lowerAscii(tags->value("s"));
  if (!isDomainName(seal.signature.domain) || !isDomainName(seal.signature.selector)) return std::nullopt;
  if (const auto time = tags->find("t"); time && !readNumber(*time)) return std::nullopt;
  const auto bytes = crypto::fromBase64(tags->compact("b"));
  if (!bytes || bytes->empty()) return std::nullopt;
  seal.signature.signature = *bytes;
  seal.validation = mail::lowerAscii(tags->value("cv"));
  return seal;
}

// What the seal of the last of `sets` signs: all sets, its own "b" emptied.
std::string sealedBytes(const std::vector<ArcSet>& sets, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    bytes += canonicalField(sets[i].results->raw, Canonical::Relaxed);
    bytes += canonicalField(sets[i].signature->raw, Canonical::Relaxed);
    bytes += i + 1 == count ? canonicalSignature(sets[i].seal->raw, Canonical::Relaxed)
                            : canonicalField(sets[i].seal->raw, Canonical::Relaxed);
  }
  return bytes;
}

// One chain under validation; each method gives the reason why it fails, or nothing.
class ArcValidation {
public:
  ArcValidation(Dns& dns, const mail::HeaderBlock& header, std::string_view body, const std::vector<ArcSet>& sets)
      : dns_(dns), header_(header), body_(body), sets_(sets) {}

  std::string run(ArcResult& result);

private:
  std::string checkKey(const DkimSignature& signature, std::string_view bytes, ArcResult& result);
  std::string checkMessage(ArcResult& result);

  Dns& dns_;
  const mail::HeaderBlock& header_;
  std::string_view body_;
  const std::vector<ArcSet>& sets_;
};

std::string ArcValidation::checkKey(const DkimSignature& signature, std::string_view bytes, ArcResult& result) {
  const auto key = findKey(dns_, signature.selector, signature.domain);
  result.tempError = key.tempError;
  if (!key.record.problem.empty()) return key.record.problem;
  if (key.record.kind != signature.kind) return "the key is of another kind than the signature";
  return verifies(key.record, bytes, signature.signature) ? "" : "the header was changed, or the key is another";
}

std::string ArcValidation::checkMessage(ArcResult& result) {
  SignatureProblem problem;
  const auto& field = *sets_.back().signature;
  const auto signature = readSignature(field.value, true, problem);
  if (!signature) return problem.text;
  const auto& names = signature->headers;
  if (std::find(names.begin(), names.end(), "arc-seal") != names.end())
    return "a seal is signed by a message signature";
  BodyHasher hasher(signature->bodyForm, signature->length);
  hasher.update(body_);
  if (!crypto::equalConstantTime(hasher.finish(), signature->bodyHash)) return "the body was changed";
  if (signature->length && *signature->length != hasher.size()) return "text behind the signed part of the body (l=)";
  const auto bytes =
      canonicalHeader(header_, names, signature->headerForm) + canonicalSignature(field.raw, signature->headerForm);
  return checkKey(*signature, bytes, result);
}

std::string ArcValidation::run(ArcResult& result) {
  std::vector<Seal> seals;
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    auto seal = readSeal(sets_[i].seal->value);
    if (!seal) return "a seal has a syntax error";
    if (seal->validation != (i == 0 ? "none" : "pass"))
      return seal->validation == "fail" ? "an earlier hop found the chain broken" : "a seal has a wrong cv=";
    seals.push_back(std::move(*seal));
  }
  result.sealer = seals.back().signature.domain;
  if (auto reason = checkMessage(result); !reason.empty()) return "the last message signature: " + reason;
  for (auto i = seals.size(); i > 0; --i)
    if (auto reason = checkKey(seals[i - 1].signature, sealedBytes(sets_, i), result); !reason.empty())
      return "seal " + std::to_string(i) + ": " + reason;
  return {};
}

// The signature stays on one line: where it is folded would count for the seal, and the published seals are so.
// Signs `before` and the field, whose "b" stands empty behind `head` and in front of `rest`.
std::string signedField(const SigningKey& key, const std::string& before, const std::string& head,
                        const std::string& rest) {
  const auto field = head + rest + "\r\n";
  const auto canonical = canonicalField(field, Canonical::Relaxed);
  const auto signature = key.sign(before + canonical.substr(0, canonical.size() - 2));
  return head + crypto::base64(signature) + rest + "\r\n";
}

}  // namespace

const char* wordFor(ArcOutcome outcome) {
  static constexpr const char* Words[] = {"none", "pass", "fail"};
  return Words[static_cast<std::size_t>(outcome)];
}

std::optional<std::vector<ArcSet>> readArcSets(const mail::HeaderBlock& header) {
  std::vector<ArcSet> sets;
  for (const auto& field : header.fields()) {
    const bool results = mail::equalsIgnoreCase(field.name, ResultsName);
    const bool signature = mail::equalsIgnoreCase(field.name, SignatureName);
    if (!results && !signature && !mail::equalsIgnoreCase(field.name, SealName)) continue;
    const auto instance = results ? resultsInstance(field.value) : tagInstance(field.value);
    if (instance == 0) return std::nullopt;
    if (sets.size() < instance) sets.resize(instance);
    auto& set = sets[instance - 1];
    auto& place = results ? set.results : signature ? set.signature : set.seal;
    if (place) return std::nullopt;
    place = &field;
  }
  for (const auto& set : sets)
    if (!set.results || !set.signature || !set.seal) return std::nullopt;
  return sets;
}

ArcResult verifyArc(Dns& dns, const mail::HeaderBlock& header, std::string_view body) {
  ArcResult result;
  const auto sets = readArcSets(header);
  if (!sets) {
    result.outcome = ArcOutcome::Fail;
    result.reason = "the sets of fields make no chain";
    return result;
  }
  if (sets->empty()) return result;
  result.instances = static_cast<unsigned>(sets->size());
  result.reason = ArcValidation(dns, header, body, *sets).run(result);
  result.outcome = result.reason.empty() ? ArcOutcome::Pass : ArcOutcome::Fail;
  return result;
}

std::string ArcSealer::seal(const mail::HeaderBlock& header, std::string_view body, ArcOutcome chain,
                            std::string_view results, const std::vector<std::string>& wanted, long long now) const {
  const auto sets = readArcSets(header);
  const auto count = sets ? sets->size() : 0;
  if (!sets || count >= MaxInstance) return {};
  if (count > 0) {
    const auto last = TagList::parse(sets->back().seal->value);
    if (!last || mail::lowerAscii(last->value("cv")) == "fail") return {};
  }
  const auto instance = std::to_string(count + 1);
  const std::string authentication =
      std::string(ResultsName) + ": i=" + instance + "; " + authservId + ";\r\n\t" + std::string(results) + "\r\n";
  std::vector<std::string> names;
  for (const auto& name : wanted)
    if (header.count(name) > static_cast<std::size_t>(std::count(names.begin(), names.end(), name)))
      names.push_back(name);
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ":") + name;
  const auto algorithm = std::string(algorithmOf(key.kind()));
  const auto time = std::to_string(now);
  const auto signature = signedField(key, canonicalHeader(header, names, Canonical::Relaxed),
                                     std::string(SignatureName) + ": a=" + algorithm + ";\r\n\tb=",
                                     ";\r\n\tbh=" + crypto::base64(bodyHash(body, Canonical::Relaxed)) +
                                         "; c=relaxed/relaxed;\r\n\td=" + domain + "; h=" + list +
                                         ";\r\n\ti=" + instance + "; s=" + selector + "; t=" + time);
  // RFC 8617 §5.1.2: a chain that failed is sealed by itself.
  std::string before;
  if (chain != ArcOutcome::Fail)
    for (const auto& set : *sets)
      for (const auto* field : {set.results, set.signature, set.seal})
        before += canonicalField(field->raw, Canonical::Relaxed);
  before += canonicalField(authentication, Canonical::Relaxed) + canonicalField(signature, Canonical::Relaxed);
  const auto validation = count == 0 ? "none" : wordFor(chain);
  const auto sealed = signedField(key, before, std::string(SealName) + ": a=" + algorithm + ";\r\n\tb=",
                                  ";\r\n\tcv=" + std::string(validation) + "; d=" + domain + "; i=" + instance +
                                      "; s=" + selector + ";\r\n\tt=" + time);
  return sealed + signature + authentication;
}

}  // namespace postern::mailauth
