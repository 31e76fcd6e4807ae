#pragma once
#include "core/mail/Message.h"
#include "core/mail/MimeTree.h"
#include "core/policy/Verdict.h"

// What policies are told of a message, by whoever holds one: the gateway, and those who try policies out.
// Threads: safe for all.
namespace postern::policy {

// Header, size and what the tree shows; authentication and spam are the caller's. The content is made from the tree
// when a policy asks for it: the tree must outlive the facts.
MessageFacts describeMessage(const mail::Message& message, const mail::MimeTree& tree);

// The parts, and the text of those that are shown: text parts that are no attachments, HTML as text, one behind the
// other with an empty line between. Of alternatives all count, since each may be the one that is read.
MessageContent describeContent(const mail::MimeTree& tree);

}  // namespace postern::policy
