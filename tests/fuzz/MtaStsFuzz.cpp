// rooms: net
#include "core/net/MtaSts.h"

#include <cstdlib>
#include <string>
#include <vector>

using namespace postern::net;

// Policies and TXT records of strangers: whatever is read obeys the bounds and can be asked for any host.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto policy = parseStsPolicy(text)) {
    if (policy->maxAge.count() < 0 || policy->maxAge > StsPolicy::MaxAge) std::abort();
    if (policy->mx.size() > StsPolicy::MaxPatterns) std::abort();
    if (policy->mx.empty() && policy->mode != StsPolicy::Mode::None) std::abort();
    for (const auto& pattern : policy->mx) {
      if (!pattern.starts_with("*.") && !policy->allows(pattern)) std::abort();
    }
  }
  std::vector<std::string> records;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    records.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (const auto id = stsRecordId(records); id && (id->empty() || id->size() > 32)) std::abort();
  return 0;
}
