#pragma once
#include "core/smtp/Command.h"
#include "gateway/smtp/SessionData.h"

#include <cstdint>
#include <initializer_list>
#include <optional>

namespace postern::gateway {

// A set of states in one word.
class StateSet {
public:
  constexpr StateSet(std::initializer_list<State> states) {
    for (const State state : states) bits_ |= bit(state);
  }
  constexpr bool has(State state) const { return (bits_ & bit(state)) != 0; }

private:
  static constexpr std::uint32_t bit(State state) { return 1u << static_cast<unsigned>(state); }
  std::uint32_t bits_ = 0;
};

// Which question stands between check and apply.
enum class Hook : std::uint8_t { None, Recipient };

// All that the session loop has to know of a verb. The loop is driven by this table alone; between `check`, which
// judges and changes nothing, and `apply`, which changes state and fails by exception only, stands the policy hook.
struct VerbRow {
  smtp::Verb verb;
  StateSet states;              // where it is allowed
  smtp::ReplyId outOfSequence;  // elsewhere
  const char* needed;           // argument of outOfSequence
  std::uint16_t maxLine;        // octets with CRLF (RFC 5321 §4.5.3.1.4 and the extensions)
  bool idle;                    // brings no message nearer; counted
  Hook hook;
  std::optional<smtp::Reply> (*check)(const SessionData&, const smtp::Arguments&);
  void (*apply)(SessionData&, smtp::Arguments&&);
};

const VerbRow& rowOf(smtp::Verb verb);

}  // namespace postern::gateway
