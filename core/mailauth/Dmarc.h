#pragma once
#include "core/mailauth/Dkim.h"
#include "core/mailauth/Spf.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mailauth {

enum class DmarcOutcome : std::uint8_t { None, Pass, Fail, TempError, PermError };
enum class DmarcPolicy : std::uint8_t { None, Quarantine, Reject };
const char* wordFor(DmarcOutcome outcome);
const char* wordFor(DmarcPolicy policy);

// RFC 7489 §6.3, with np, psd and t of its successor.
struct DmarcRecord {
  DmarcPolicy policy = DmarcPolicy::None;
  std::optional<DmarcPolicy> subdomains;   // sp
  std::optional<DmarcPolicy> nonexistent;  // np
  bool strictDkim = false;
  bool strictSpf = false;
  bool testing = false;  // t=y, or pct=0, which came before it
  char psd = 'u';
  std::vector<std::string> reports;  // rua
};
bool isDmarcRecord(std::string_view txt);
std::optional<DmarcRecord> parseDmarcRecord(std::string_view txt);

struct DmarcResult {
  DmarcOutcome outcome = DmarcOutcome::None;
  DmarcPolicy policy = DmarcPolicy::None;  // that the owner asks for when it fails; after sp, np and t
  std::string authorDomain;                // of From
  std::string organization;
  bool bySpf = false;  // aligned and passed
  bool byDkim = false;
  bool undecided = false;  // an answer is missing that might have proven the author, record or not
  std::string reason;
};

// The organisational domain and the record in force are found by walking up the tree of names (at most eight
// questions), not by a list of public suffixes. `authorDomain` is ASCII in lower case.
// Never throws for what a sender or the DNS does. Threads: one at a time per Dns.
// Asks beforehand what checkDmarc() will ask of the author's domain, for a Dns that remembers.
void prepareDmarc(Dns& dns, const std::string& authorDomain);

DmarcResult checkDmarc(Dns& dns, const std::string& authorDomain, const SpfResult& spf,
                       const std::vector<DkimResult>& dkim);

}  // namespace postern::mailauth
