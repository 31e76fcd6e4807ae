#pragma once
#include <string>
#include <string_view>

namespace postern::webadmin {

// A message's HTML reduced to its words and their layout, for a sandboxed frame without scripts.
// Invariants: 1. the result is written anew: only tags from a short list, without attributes save the spans of table
// cells, and text with every < > & and quote escaped; 2. it loads nothing and leads nowhere: no image, style, link,
// frame, form or script survives; the address of a link stands behind its words as text. Never fails: what cannot be
// understood becomes text or nothing. Linear in the size of the input.
std::string sanitizeHtml(std::string_view html);

}  // namespace postern::webadmin
