// rooms: audit
// What an anchor, a key file or a stored entry holds was perhaps written by somebody else: it parses or it does not,
// and what parses comes back as the same bytes.
#include "core/audit/Checkpoint.h"
#include "core/audit/LogEntry.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern::audit;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto note = parseCheckpoint(input)) {
    if (note->checkpoint.root.size() != 32 || !input.starts_with(note->body)) std::abort();
    if (!note->body.starts_with(note->checkpoint.body())) std::abort();
    if (note->isSignedBy(VerifierKey("x", std::string(32, 'k')))) std::abort();
  }
  if (const auto entry = parseEntry(input)) {
    if (canonicalBytes(*entry) != input) std::abort();
    entry->number(Field::Seq);
    detailOf(*entry, "size");
  }
  if (const auto keys = parseKeys(input))
    for (const auto& key : *keys)
      if (VerifierKey::parse(key.text()) != key) std::abort();
  return 0;
}
