#pragma once
#include <cstddef>
#include <string_view>

namespace postern::gateway {

// Public keys as text with CRLF in a mail of our own: nothing but keys, so that no other words fit in their place.
// Pure. Threads: safe for all.

// How long the certificates are that the text begins with, in PEM; 0: it does not begin with one.
std::size_t certificatesSize(std::string_view text);

// How long the OpenPGP public key is that the text begins with, in armor; 0: it does not begin with one that has only
// key, user ids and signatures.
std::size_t openPgpKeySize(std::string_view text);

}  // namespace postern::gateway
