// rooms: mail
// Any bytes give a tree within the limits, with clean text and names.
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern::mail;
  const auto message = Message::parse(std::string(reinterpret_cast<const char*>(data), size));
  if (!message) return 0;
  const MimeLimits limits{.maxParts = 50, .maxDepth = 10, .maxTextPerPart = 1000, .maxTextInAll = 5000};
  const auto tree = MimeTree::parse(*message, limits);
  bool holds = !tree.parts().empty() && tree.parts().size() <= limits.maxParts;
  for (std::size_t i = 0; i < tree.parts().size(); ++i) {
    const auto& part = tree.parts()[i];
    holds = holds && isUtf8(part.text) && isUtf8(part.filename) && !hasControl(part.filename) &&
            part.filename.find_first_of("/\\") == part.filename.npos && part.depth <= limits.maxDepth + 1 &&
            (i == 0 ? part.parent == MimePart::None : part.parent < i);
  }
  if (!holds) std::abort();
  return 0;
}
