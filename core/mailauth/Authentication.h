#pragma once
#include "core/mailauth/Arc.h"
#include "core/mailauth/Dmarc.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::mailauth {

// What is known of a message's sender once all checks are done.
struct Authentication {
  SpfResult spf;
  std::vector<DkimResult> dkim;
  DmarcResult dmarc;
  ArcResult arc;
  unsigned asked = 0;     // questions to the DNS …
  unsigned answered = 0;  // … that it answered, also with no

  // The domain of From is vouched for: DMARC passes, or without a record an SPF or DKIM result that is aligned.
  bool authorProven() const { return dmarc.bySpf || dmarc.byDkim; }
  // Some answer was missing that might have proven the author.
  bool undecided() const;
  std::string dkimWord() const;  // the best of the signatures
  std::string sentence() const;  // "sender check": one line for a person
};

struct AuthenticationQuery {
  SpfQuery spf;
  std::string_view message;  // as it came, without our own fields
  std::string authorDomain;  // of From; empty when From names no single author
  long long now = 0;         // seconds of Unix time
  bool sideBySide = false;   // SPF, DMARC's walk and DKIM at a time; only for a Dns that is safe for all threads
};

// All checks of one message. Blocks on the DNS, whose deadline bounds it. Never throws for what a sender does.
Authentication authenticate(Dns& dns, const mail::HeaderBlock& header, const AuthenticationQuery& query);

// The field of RFC 8601 with its CRLF. What a sender chose is written so that it can break out of nothing.
std::string authenticationResults(std::string_view authservId, const Authentication& results, std::string_view mailFrom,
                                  std::string_view helo);
std::string resultsPayload(const Authentication& results, std::string_view mailFrom, std::string_view helo);

// Whether the value of an ARC-Authentication-Results says, once and in so many words, that DMARC passed for the domain.
// Anything that could be read in two ways does not.
bool saysDmarcPassed(std::string_view rawValue, std::string_view domain);

// The authserv-id that a raw value of Authentication-Results names, lower case; empty for one that cannot be read.
std::string authservIdOf(std::string_view rawValue);
// What stands behind the authserv-id, unfolded.
std::string payloadOf(std::string_view rawValue);

// True for a field that claims to be ours: our authserv-id, or one that cannot be told (RFC 8601 §5). ARC's copies
// are covered by their seals and stay.
bool isForged(const mail::HeaderField& field, std::string_view authservId);
// The message without those fields; all other bytes as they were.
std::string withoutForged(std::string_view message, const mail::HeaderBlock& header, std::string_view authservId);

}  // namespace postern::mailauth
