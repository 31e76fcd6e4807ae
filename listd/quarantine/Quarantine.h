#pragma once
#include "core/app/GatewayLink.h"
#include "core/mail/Message.h"
#include "listd/orders/OrderTools.h"
#include "listd/quarantine/QuarantineStore.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

// Mail that a person has to look at before it goes on. It rests sealed in the vault like every post, and goes from
// there by the destruction gate alone: legal holds keep it, and so do retention rules that keep what its lists get.
namespace postern::listd {

struct HoldReason {
  std::string cause;  // as HeldMessage::cause
  std::string detail;
};

// Why the message is to be held, as the gateway noted it. Nothing: it goes on, also because a person trusts its author,
// whom the checks at the door have proven, and the spam filter alone would hold it. `message` may be null.
std::optional<HoldReason> holdReasonOf(SiteContext& context, const app::Submission& submission,
                                       const mail::Message* message, std::span<const std::uint64_t> lists);

// Keeps it, durably on return. A repeat changes nothing. REQUIRES a list.
void holdMessage(SiteContext& context, std::uint64_t acceptedId, const app::Submission& submission,
                 const mail::Message* message, const std::vector<std::uint64_t>& lists, const HoldReason& reason);

// Hands on what a person let go and whose plan is not written yet; also what a crash left. A message that fails is
// logged and tried again in a minute.
void finishReleases(OrderTools& tools);

// Destroys what was deleted or is over, as far as holds and rules let it go; the rest is tried again each day. What
// became of the given messages now.
struct Disposed {
  std::uint64_t destroyed = 0;
  std::uint64_t kept = 0;
};
Disposed disposeOf(OrderTools& tools, std::span<const HeldMessage> messages);

// Each minute: releases, ends, destruction, and the daily mail to owners.
void lookAfterQuarantine(OrderTools& tools);

// The content as it came; nothing when it is destroyed.
std::optional<std::string> heldContent(SiteContext& context, const HeldMessage& message);
// Address of the single author of From; empty if there is not exactly one.
std::string authorOf(std::string_view content);

}  // namespace postern::listd
