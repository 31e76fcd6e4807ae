#pragma once
#include "core/base/Clock.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::hops {

// One clause of a Received field: the words behind its keyword, and the comments that stand among them.
struct Clause {
  std::string words;                  // one blank between words; empty: the clause is not there
  std::vector<std::string> comments;  // without the outer parentheses
};

// A Received field (RFC 5321 §4.4) read by its keywords, whatever server wrote it. Nothing is believed here and nothing
// is refused: what cannot be read stays empty. Time and memory linear in the field; at most 16 comments, 300 octets
// a clause, which is more than any honest server writes.
struct ReceivedField {
  std::vector<std::string>
      leadingComments;  // before the first keyword: "(from user@host)", "(qmail 7 invoked by uid 89)"
  Clause from;
  Clause by;
  Clause via;
  Clause with;
  Clause tls;  // Exim's own: "tls TLS_AES_256_GCM_SHA384"
  Clause id;
  Clause recipient;  // for
  std::optional<TimePoint> at;

  // `value`: what stands behind "Received:", folds and all.
  static ReceivedField parse(std::string_view value);

  // All comments, those of the from clause last, since a sender has a hand in them.
  std::vector<std::string> allComments() const;
};

}  // namespace postern::hops
