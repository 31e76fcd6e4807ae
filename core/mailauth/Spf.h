#pragma once
#include "core/mailauth/Dns.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mailauth {

// RFC 7208 §2.6.
enum class SpfOutcome : std::uint8_t { None, Neutral, Pass, Fail, SoftFail, TempError, PermError };
const char* wordFor(SpfOutcome outcome);  // as in Authentication-Results

// A record, its syntax checked whole (RFC 7208 §4.6, §12), before any of it is evaluated.
struct SpfTerm {
  enum class Kind : std::uint8_t { All, Include, A, Mx, Ptr, Ip4, Ip6, Exists };
  Kind kind = Kind::All;
  SpfOutcome qualifier = SpfOutcome::Pass;
  std::string domain;   // with macros; empty: the domain that is checked
  std::string network;  // 4 or 16 bytes, of ip4 and ip6
  std::uint8_t bits4 = 32;
  std::uint8_t bits6 = 128;
};
struct SpfRecord {
  std::vector<SpfTerm> terms;
  std::optional<std::string> redirect;
  std::optional<std::string> explanation;
};
bool isSpfRecord(std::string_view txt);                         // starts with the version, RFC 7208 §4.5
std::optional<SpfRecord> parseSpfRecord(std::string_view txt);  // nothing: a syntax error, PermError

struct SpfQuery {
  std::string address;   // of the client
  std::string mailFrom;  // empty for the null sender: then the name of HELO is checked (RFC 7208 §2.4)
  std::string helo;
  std::string receiver;  // our name, for explanations
};

struct SpfResult {
  SpfOutcome outcome = SpfOutcome::None;
  std::string domain;       // that was checked
  bool byHelo = false;      // the identity was the name of HELO
  std::string explanation;  // of the domain's owner, for Fail: not to be trusted, ASCII in one line
  std::string problem;      // for TempError and PermError: why
  std::string mechanism;    // that decided, as "include:_spf.example.net"; empty for none
};

// The limits of RFC 7208 §4.6.4.
struct SpfLimits {
  unsigned lookups = 10;       // terms that ask the DNS
  unsigned voidLookups = 2;    // of those, questions without an answer
  unsigned namesPerTerm = 10;  // hosts of one mx or ptr term
};

// check_host() of RFC 7208 §4. Threads: one at a time per Dns. Never throws for what a sender or the DNS does.
SpfResult checkSpf(Dns& dns, const SpfQuery& query, const SpfLimits& limits = {});

// Macros (RFC 7208 §7).
struct SpfMacroContext {
  std::string sender;  // local@domain
  std::string domain;
  std::string address;  // bytes
  std::string helo;
  std::string receiver;
  std::string_view validatedName;  // "p"
};
bool isMacroString(std::string_view text, bool explaining);
bool usesValidatedName(std::string_view text);
// REQUIRES isMacroString. A name that grows too long loses labels at its left (RFC 7208 §7.3).
std::string expandMacros(std::string_view text, const SpfMacroContext& context, bool isName);

}  // namespace postern::mailauth
