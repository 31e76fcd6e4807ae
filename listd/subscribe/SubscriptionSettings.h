#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::listd {

// Who may join a list.
enum class Joining : std::uint8_t {
  Open,             // at once, when the sender is proven; else the mailbox confirms
  Confirm,          // the mailbox confirms
  Moderate,         // an owner decides
  ConfirmModerate,  // the mailbox confirms, then an owner decides
  Closed,           // nobody; owners add members
  Invitation,       // only whom an owner invites
};
enum class Leaving : std::uint8_t { Open, Confirm, Moderate, Closed };

// What a list says about joining and leaving. A value.
struct SubscriptionSettings {
  Joining joining = Joining::ConfirmModerate;
  Leaving leaving = Leaving::Confirm;
  bool advertised = false;  // on the public page of lists
  bool oneClick = true;     // RFC 8058 in copies; never where leaving is closed

  // Of a list that says nothing: owners of a secure list want to know who reads along.
  static SubscriptionSettings of(bool secure) {
    return {secure ? Joining::ConfirmModerate : Joining::Confirm, Leaving::Confirm, false, true};
  }
  bool takesRequests() const { return joining != Joining::Closed && joining != Joining::Invitation; }
  bool asksMailbox() const { return joining == Joining::Confirm || joining == Joining::ConfirmModerate; }
  bool joinsByDecision() const { return joining == Joining::Moderate || joining == Joining::ConfirmModerate; }
};

const char* joiningWord(Joining joining);  // "open" "confirm" "moderate" "confirm-moderate" "closed" "invitation"
const char* leavingWord(Leaving leaving);
std::optional<Joining> parseJoining(std::string_view word);
std::optional<Leaving> parseLeaving(std::string_view word);

}  // namespace postern::listd
