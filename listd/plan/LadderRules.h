#pragma once
#include "core/app/GatewayLink.h"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// How a list or a domain says that copies are to be protected. What is empty follows the next one above: a list its
// domain, a domain Postern's own table (rungsByClass).
struct ListProtection {
  std::optional<app::Protection> floor;           // the weakest that a copy may have
  std::vector<app::Protection> rungs;             // what is tried, in this order
  std::optional<std::chrono::minutes> tlsWithin;  // how long a copy waits for verified TLS
  bool freshKeys = false;                         // a content key for each recipient, so that copies cannot be linked
  bool mailPlan = false;                          // the poster gets the plan's counts
  bool planOnWish = false;                        // … when the post asks for it
  bool operator==(const ListProtection&) const = default;
};
struct DomainProtection {
  std::optional<app::Protection> floor;
  std::vector<app::Protection> low, moderate, high;  // the rungs for lists of this class
  std::optional<std::chrono::minutes> tlsWithin;
  bool operator==(const DomainProtection&) const = default;
};

// What one list's plans go by. Invariants for a secure list: the floor is never None; no rung is None, none stands
// twice.
struct LadderRules {
  bool secure = true;
  app::Protection floor = app::Protection::Tls;
  std::vector<app::Protection> rungs;
  std::chrono::minutes tlsWithin{240};
  bool freshKeys = false;
  bool mailPlan = false;
  bool planOnWish = false;
};

// Postern's own table: high-risk mail never goes by TLS alone, unless a list or domain says so.
std::vector<app::Protection> rungsByClass(std::string_view sensitivity);

// The rules of a list in this domain for mail of this class. A floor of the domain holds for all of its lists.
LadderRules rulesFor(bool secure, const ListProtection& list, const DomainProtection& domain,
                     std::string_view sensitivity);

// The same rules with at least this floor. Nothing makes rules weaker.
LadderRules strengthened(LadderRules rules, std::optional<app::Protection> floor);

// "smime,openpgp". Nothing for a word that is no protection, for "none" and for one that stands twice.
std::optional<std::vector<app::Protection>> parseRungs(std::string_view words);
std::string rungWords(std::span<const app::Protection> rungs);
std::optional<app::Protection> parseProtection(std::string_view word);  // as app::protectionName

}  // namespace postern::listd
