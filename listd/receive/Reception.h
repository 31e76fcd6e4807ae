#pragma once
#include "core/mail/Message.h"
#include "listd/receive/SenderCheck.h"
#include "listd/site/SiteContext.h"

#include <optional>
#include <string>

namespace postern::listd {

// A post as a secure list goes on with it.
struct Reception {
  mail::Message message;  // opened; the message as it came when it was not encrypted
  SenderCheck check;
  std::string signerCertificate = {};  // DER, of a signature that is right, whoever made it; may be empty
};

// Whether the outermost part of a message is encrypted, by S/MIME or OpenPGP.
bool isEncrypted(const mail::Message& message);

// Opens a post that is encrypted to the list's key, and verifies the signature on any post. Nothing, for whatever
// cause, when an encrypted post cannot be opened as a whole or is not signed by its author with a key that the site
// knows: a stranger could have taken the ciphertext from somewhere and changed it (EFAIL), and any difference in the
// answer would be an oracle. Only the outermost part is looked at. Of the opened message the header is the outer one
// without its MIME fields; Subject comes from inside where the author protected it there (RFC 9788). An inner From that
// differs is refused. An inline OpenPGP message becomes text. Threads: safe for all. Errors: Error(Store),
// Error(Crypto) for broken parts.
std::optional<Reception> receivePost(SiteContext& context, const mail::Message& post, const List& list);

}  // namespace postern::listd
