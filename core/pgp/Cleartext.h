#pragma once
#include "core/pgp/Opening.h"

#include <span>
#include <string_view>

namespace postern::pgp {

// Whether a line of the text begins a message that is signed and readable as it is (RFC 9580 §7).
bool isClearSigned(std::string_view text);

// The verdict on such a text, decoded as it is shown to readers; None: it is none. Partial when anything but blanks
// stands before or after it or a comment above the signature, since readers see that beside the signed lines; Several
// for more than one signature; Unsupported for armor headers other than Hash with names of digests. Lines of either
// end, blanks at their ends do not count (§7.2). Threads: safe for all. Linear.
SignatureVerdict verifyClearSigned(std::string_view text, std::span<const PublicKey> signers, TimePoint now);

}  // namespace postern::pgp
