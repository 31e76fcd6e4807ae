#include "listd/compose/LoopGuard.h"

#include "core/mail/Parameters.h"
#include "core/mail/Text.h"

namespace postern::listd {

namespace {

// What stands in the last angle brackets, or the whole value (RFC 2919 §3).
std::string listIdOf(std::string_view value) {
  const std::string line = mail::lowerAscii(mail::unfold(value));
  const auto open = line.rfind('<');
  const auto close = line.rfind('>');
  if (open == line.npos || close == line.npos || close < open) return line;
  return std::string(mail::trim(std::string_view(line).substr(open + 1, close - open - 1)));
}

}  // namespace

const char* loopReasonName(LoopReason reason) {
  switch (reason) {
    case LoopReason::OwnListId:
      return "own-list-id";
    case LoopReason::OwnXLoop:
      return "own-x-loop";
    case LoopReason::TooManyHops:
      return "too-many-hops";
    case LoopReason::NullSender:
      return "null-sender";
    case LoopReason::AutoSubmitted:
      return "auto-submitted";
    case LoopReason::Bulk:
      return "bulk";
  }
  return "loop";
}

std::optional<LoopReason> findLoop(const mail::Message& post, std::string_view mailFrom, const ListFacts& list,
                                   const LoopLimits& limits) {
  std::size_t hops = 0;
  bool ownId = false, ownMark = false, automatic = false, bulk = false;
  for (const auto& field : post.header().fields()) {
    const auto is = [&](std::string_view name) { return mail::equalsIgnoreCase(field.name, name); };
    if (is("Received")) {
      ++hops;
    } else if (is("List-Id")) {
      const bool own = listIdOf(field.value) == listId(list.address);
      ownId = ownId || own;
      bulk = bulk || !(own || limits.acceptForeignLists);
    } else if (is("X-Loop") || is("X-BeenThere")) {
      ownMark = ownMark || mail::equalsIgnoreCase(mail::unfold(field.value), list.address.key());
    } else if (is("Auto-Submitted")) {
      automatic = automatic || mail::parseParameterized(field.value).value != "no";
    } else if (is("Precedence")) {
      const std::string word = mail::lowerAscii(mail::unfold(field.value));
      bulk = bulk || word == "bulk" || word == "junk" || (word == "list" && !limits.acceptForeignLists);
    }
  }
  if (ownId) return LoopReason::OwnListId;
  if (ownMark) return LoopReason::OwnXLoop;
  if (hops > limits.maxHops) return LoopReason::TooManyHops;
  if (mailFrom.empty() || mailFrom == "<>") return LoopReason::NullSender;
  if (automatic) return LoopReason::AutoSubmitted;
  if (bulk) return LoopReason::Bulk;
  return std::nullopt;
}

}  // namespace postern::listd
