#pragma once
#include "gateway/smtp/Ports.h"
#include "gateway/smtp/SmtpSession.h"

namespace postern::gateway {

// Answers every question that the session has open, blocking, until it wants bytes again. This is the boundary where
// what breaks on the way of a message is caught: logged once, answered 451 or 452, nothing accepted. Throws nothing.
void answerPending(SmtpSession& session, const Ports& ports) noexcept;

}  // namespace postern::gateway
