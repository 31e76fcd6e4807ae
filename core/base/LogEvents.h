#pragma once
#include "core/base/Log.h"

// The events of the log, one line for each outcome of a message, with the field "trace". docs/logs.md has the same
// table (a test compares); names are never used for something else.
namespace postern::log::events {

inline constexpr Event MessageAccepted{"message.accepted", Level::Info, "smtp", "a message was accepted"};
inline constexpr Event MessageRefused{"message.refused", Level::Info, "smtp", "a message or a recipient was refused"};
inline constexpr Event MessageDiscarded{"message.discarded", Level::Info, "smtp",
                                        "a message was discarded by policy for all its recipients"};
inline constexpr Event MessagePlanned{"message.planned", Level::Info, "intake", "a message was planned"};
inline constexpr Event CopyDelivered{"copy.delivered", Level::Info, "deliver", "a copy was delivered"};
inline constexpr Event CopyDeferred{"copy.deferred", Level::Info, "deliver", "a copy was deferred"};
inline constexpr Event CopyFailed{"copy.failed", Level::Warning, "deliver", "a copy failed for good"};
inline constexpr Event CopyExpired{"copy.expired", Level::Warning, "deliver", "a copy was not delivered in time"};
inline constexpr Event CopyBlocked{"copy.blocked", Level::Error, "deliver", "a copy was blocked by its floor"};
inline constexpr Event CopyDropped{"copy.dropped", Level::Warning, "deliver", "a copy was dropped by order"};

inline constexpr const Event* All[] = {&MessageAccepted, &MessageRefused, &MessageDiscarded, &MessagePlanned,
                                       &CopyDelivered,   &CopyDeferred,   &CopyFailed,       &CopyExpired,
                                       &CopyBlocked,     &CopyDropped};

}  // namespace postern::log::events
