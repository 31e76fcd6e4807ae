#pragma once
#include "core/app/GatewayLink.h"
#include "gateway/smtp/Ports.h"

namespace postern::gateway {

// Asks the policies about a message that somebody of the site wrote on our pages, by the same hooks and with the same
// rules as about mail of a relay: `rcpt` for each recipient, then `message`. It came by no SMTP session, so the
// name in HELO is empty; the TLS facts are those of the author's HTTPS connection. What a policy would drop for one
// recipient is not passed: its author is still there to be told. What does not pass is reported as a refusal at the
// door is, unless it was a trial. Takes nothing. Threads: safe for all.
app::Judgement judgeOwnMail(Inspector& inspector, Observer& observer, const app::Submission& submission);

}  // namespace postern::gateway
