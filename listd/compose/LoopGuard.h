#pragma once
#include "core/mail/Message.h"
#include "listd/compose/ListFacts.h"

#include <optional>
#include <string_view>

namespace postern::listd {

enum class LoopReason {
  OwnListId,      // the List-Id of this list is in it: we sent it
  OwnXLoop,       // our X-Loop mark
  TooManyHops,    // more Received fields than allowed
  NullSender,     // MAIL FROM:<>: a bounce, to be read as one and never to be distributed
  AutoSubmitted,  // Auto-Submitted is there and not "no" (RFC 3834)
  Bulk,           // Precedence bulk, junk or list, or the List-Id of another list
};
const char* loopReasonName(LoopReason reason);  // stable word: "own-list-id", "null-sender", …

struct LoopLimits {
  std::size_t maxHops = 50;
  // Posts of other lists are taken (a list that is member of another); own marks still stop loops.
  bool acceptForeignLists = false;
};

// Whether a post must not be distributed because it is our own or no person wrote it. The first reason that applies.
std::optional<LoopReason> findLoop(const mail::Message& post, std::string_view mailFrom, const ListFacts& list,
                                   const LoopLimits& limits = {});

}  // namespace postern::listd
