#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"
#include "core/mailauth/Dkim.h"

#include <algorithm>

namespace postern::mailauth {

namespace {

bool isWithin(std::string_view name, std::string_view domain) {
  return name == domain ||
         (name.size() > domain.size() && name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.');
}

// "relaxed/simple"; without the second half the body is simple.
bool readForms(std::string_view text, DkimSignature& signature) {
  const auto slash = std::min(text.find('/'), text.size());
  const auto form = [](std::string_view word) -> std::optional<Canonical> {
    if (word == "simple") return Canonical::Simple;
    if (word == "relaxed") return Canonical::Relaxed;
    return std::nullopt;
  };
  const auto head = form(text.substr(0, slash));
  const auto body = slash == text.size() ? Canonical::Simple : form(text.substr(slash + 1));
  if (!head || !body) return false;
  signature.headerForm = *head;
  signature.bodyForm = *body;
  return true;
}

std::string readAlgorithm(std::string_view text, DkimSignature& signature) {
  if (text == "rsa-sha256")
    signature.kind = KeyKind::Rsa;
  else if (text == "ed25519-sha256")
    signature.kind = KeyKind::Ed25519;
  else
    return text == "rsa-sha1" ? "rsa-sha1 no longer counts (RFC 8301)" : "the algorithm is not known";
  return {};
}

std::string readNumbers(const TagList& tags, DkimSignature& signature) {
  if (const auto text = tags.find("l")) {
    const auto length = readNumber(*text);
    if (!length) return "l= is no number";
    signature.length = static_cast<std::uint64_t>(*length);
  }
  if (const auto text = tags.find("t"); text && !(signature.signedAt = readNumber(*text))) return "t= is no number";
  if (const auto text = tags.find("x"); text && !(signature.expires = readNumber(*text))) return "x= is no number";
  if (signature.signedAt && signature.expires && *signature.expires < *signature.signedAt)
    return "it expires before it was made";
  return {};
}

std::string readIdentity(const TagList& tags, bool arc, DkimSignature& signature) {
  signature.identity = "@" + signature.domain;
  if (arc) return {};
  const auto text = tags.find("i");
  if (!text) return {};
  signature.identity = withoutBlanks(*text);
  const auto at = signature.identity.rfind('@');
  if (at == std::string::npos || !isWithin(mail::lowerAscii(signature.identity.substr(at + 1)), signature.domain))
    return "i= is not within d=";
  return {};
}

std::string readAll(const TagList& tags, bool arc, DkimSignature& signature) {
  if (!arc && tags.value("v") != "1") return "v= is not 1";
  for (const auto* name : {"a", "b", "bh", "d", "h", "s"})
    if (!tags.find(name)) return std::string(name) + "= is missing";
  if (auto problem = readAlgorithm(tags.value("a"), signature); !problem.empty()) return problem;
  signature.domain = mail::lowerAscii(tags.value("d"));
  signature.selector = mail::lowerAscii(tags.value("s"));
  if (!isDomainName(signature.domain, 2) || !isDomainName(signature.selector)) return "d= or s= is no name";
  if (!readForms(tags.value("c", arc ? "relaxed/relaxed" : "simple/simple"), signature))
    return "the canonical form is not known";
  if (const auto query = tags.find("q"); query) {
    const auto methods = splitCompact(*query, ':');
    if (std::find(methods.begin(), methods.end(), "dns/txt") == methods.end()) return "q= names no known method";
  }
  signature.headers = splitCompact(tags.value("h"), ':');
  const auto& names = signature.headers;
  if (names.size() > 1000) return "h= names too many fields";
  if (!arc && std::find(names.begin(), names.end(), "from") == names.end()) return "From is not signed";
  signature.written = tags.compact("b");
  const auto bytes = crypto::fromBase64(signature.written);
  const auto hash = crypto::fromBase64(tags.compact("bh"));
  if (!bytes || bytes->empty() || !hash || hash->size() != 32) return "b= or bh= is no base64 of the right length";
  signature.signature = *bytes;
  signature.bodyHash = *hash;
  if (auto problem = readNumbers(tags, signature); !problem.empty()) return problem;
  return readIdentity(tags, arc, signature);
}

}  // namespace

std::optional<DkimSignature> readSignature(std::string_view rawValue, bool arc, SignatureProblem& problem) {
  const auto tags = TagList::parse(rawValue);
  DkimSignature signature;
  problem.text = tags ? readAll(*tags, arc, signature) : "the field has a syntax error";
  if (tags) signature.domain = mail::lowerAscii(tags->value("d"));
  if (!problem.text.empty()) return std::nullopt;
  return signature;
}

}  // namespace postern::mailauth
