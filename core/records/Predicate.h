#pragma once
#include "core/base/Clock.h"
#include "core/base/Result.h"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::records {

// Kleene's three values: what could not be computed is Unknown, never a guess.
enum class Truth { False, True, Unknown };
Truth both(Truth left, Truth right);
Truth either(Truth left, Truth right);
Truth negation(Truth value);

// What is known of a message without opening it. For a rule: one reference (the message on one list). For a hold on the
// whole object: `lists` has every list that it was ever posted to, gone references included.
// Views only: what they point to must outlive it.
struct Facts {
  struct ListFacts {
    std::string_view address;
    std::string_view domain;
    std::string_view sensitivity;  // class of the list: low, moderate, high
  };
  std::uint64_t objectId = 0;
  std::span<const ListFacts> lists;
  TimePoint receivedAt;                 // our SMTP acceptance
  std::optional<TimePoint> headerDate;  // Date: field; never starts or shortens a period
  std::uint64_t size = 0;
  std::string_view sensitivity;  // class of the message
  std::span<const std::string> labels;
  // Since when the content can be searched; nothing: not indexed, unreadable or end-to-end encrypted.
  std::optional<TimePoint> evaluableSince;
};

// What a rule or hold applies to: all conditions that are there must be true; values within one are alternatives;
// no condition at all matches everything. Text is compared without regard to the case of ASCII letters. A size
// condition holds at the limit too.
// JSON (docs/orders.md "scope"): {"lists":[…],"listClasses":[…],"domains":[…],"senders":[…],"recipients":[…],
// "addresses":[…],"headers":[{"name","contains"}],"minSize":n,"maxSize":n,"classes":[…],"labels":[…],
// "from":"2025-01-01","until":"2025-03-31","query":"…"}. A field that is there says something: empty arrays and empty
// texts are errors, since a condition that went missing would match everything. Immutable by convention; safe for all
// threads.
struct Predicate {
  struct Header {
    std::string name;      // lower case
    std::string contains;  // words, all of which the field must hold
    bool operator==(const Header&) const = default;
  };
  std::vector<std::string> lists;        // addresses
  std::vector<std::string> listClasses;  // low, moderate, high
  std::vector<std::string> domains;      // of the list
  std::vector<std::string> senders;      // "a@x", or "@x" for a whole domain: From
  std::vector<std::string> recipients;   // the same: To, Cc and who got a copy
  std::vector<std::string> addresses;    // the same: sender or recipient (custodians)
  std::vector<Header> headers;
  std::optional<std::uint64_t> minSize;  // bytes
  std::optional<std::uint64_t> maxSize;
  std::vector<std::string> classes;  // of the message
  std::vector<std::string> labels;
  // Days in UTC, both inclusive; true when the time of receipt *or* the Date: field lies within.
  std::optional<std::chrono::sys_days> from;
  std::optional<std::chrono::sys_days> until;
  std::string query;  // as in search

  static Result<Predicate, std::string> parse(
      const nlohmann::json& json);  // the error names the field and what is wrong
  nlohmann::json json() const;
  std::string sentence() const;  // "on clinic@x, of class high, received 2025-01-01 to 2025-03-31"; "every message"

  // The part that the content must answer, as one query (core/records/Query.h syntax); empty: none.
  std::string contentQuery() const;
  bool needsContent() const;
  // Whether the time of receipt alone lies within from..until. matchesFacts() takes the Date: field as well, which the
  // sender chooses; so for deletion a match by that alone does not count.
  bool receivedWithin(TimePoint receivedAt) const;
  // Whether everything that `narrow` matches is certainly matched by this one too; false also where that is not plain.
  bool covers(const Predicate& narrow) const;
  // The part that Facts answer. No allocation.
  Truth matchesFacts(const Facts& facts) const;
  // The same for a condition inside a query, where it may stand behind a NOT: Unknown where the time of receipt and the
  // Date: field, which the sender writes, say different things.
  Truth agreedMatch(const Facts& facts) const;
  // Both. `content` is the answer to contentQuery() for this object; Unknown where it could not be computed.
  Truth matches(const Facts& facts, Truth content) const;

  bool operator==(const Predicate&) const = default;
};

}  // namespace postern::records
