#pragma once
#include "core/mail/Header.h"
#include "core/mailauth/Canonical.h"
#include "core/mailauth/Dns.h"
#include "core/mailauth/SigningKey.h"
#include "core/mailauth/TagList.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mailauth {

// RFC 8601 §2.7.1.
enum class DkimOutcome : std::uint8_t { None, Pass, Fail, Policy, Neutral, TempError, PermError };
const char* wordFor(DkimOutcome outcome);

// A signature field read and found well-formed (RFC 6376 §3.5, §6.1.1); ARC-Message-Signature has nearly the same.
struct DkimSignature {
  KeyKind kind = KeyKind::Rsa;
  std::string domain;  // lower case
  std::string selector;
  std::string identity;  // "@domain" without one
  std::vector<std::string> headers;
  Canonical headerForm = Canonical::Simple;
  Canonical bodyForm = Canonical::Simple;
  std::string bodyHash;   // bytes
  std::string signature;  // bytes
  std::string written;    // "b" as text
  std::optional<std::uint64_t> length;
  std::optional<long long> signedAt;
  std::optional<long long> expires;
};

struct SignatureProblem {
  std::string text;  // empty: none
};
// Either a signature or why it is none. `arc`: the rules of RFC 8617 §4.1.2 (no v, i is the instance).
std::optional<DkimSignature> readSignature(std::string_view rawValue, bool arc, SignatureProblem& problem);

struct DkimResult {
  DkimOutcome outcome = DkimOutcome::None;
  std::string domain;
  std::string selector;
  std::string identity;
  std::string algorithm;
  std::string signature;  // the first characters of "b", to tell signatures apart (RFC 6008)
  unsigned bits = 0;
  bool testing = false;
  std::string reason;  // for all but Pass, in plain words
};

struct DkimLimits {
  std::size_t signatures = 8;  // that are verified; further ones are Neutral
};

// All signatures of a message, in the order of the header. `now` in seconds of Unix time.
// Beyond RFC 6376: a signature that leaves a part of the body out (l=), or leaves room for a second From, Subject or
// other field that stands once, is Policy, since text or an author could be added to it. RSA-SHA1 and keys under 1024
// bits do not count (RFC 8301). Never throws for what a sender or the DNS does. Threads: one at a time per Dns.
std::vector<DkimResult> verifyDkim(Dns& dns, const mail::HeaderBlock& header, std::string_view body, long long now,
                                   const DkimLimits& limits = {});

// The key of a selector, or the reason why there is none (for `tempError`: for a later try).
struct KeyAnswer {
  KeyRecord record;
  bool tempError = false;
};
KeyAnswer findKey(Dns& dns, const std::string& selector, const std::string& domain);

// The names of the fields that a DkimSigner may sign, lower case.
const std::vector<std::string_view>& signedFieldNames();

// Signs with relaxed/relaxed (RFC 6376 §5). From, Subject and the other fields of RFC 5322 §3.6 are signed once more
// than they stand there, so that none can be added. `bodyDigest` is bodyHash(body, Relaxed), which copies may share.
struct DkimSigner {
  std::string domain;
  std::string selector;
  SigningKey key;

  // The whole field with its CRLF, to be put above the header.
  std::string sign(const mail::HeaderBlock& header, std::string_view bodyDigest, long long now) const;
};

}  // namespace postern::mailauth
