// rooms: smtp
#include "core/smtp/DataDecoder.h"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using namespace postern::smtp;

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

// What the decoder has to find, written as plainly as can be.
struct Reference {
  std::size_t used;
  bool done;
  std::string content;
  bool bad;
};

Reference referenceOf(std::string_view bytes) {
  const std::string all = "\r\n" + std::string(bytes);
  const auto end = all.find("\r\n.\r\n");
  Reference reference{bytes.size(), end != std::string::npos, {}, false};
  if (!reference.done) return reference;
  reference.used = end + 5 - 2;
  const auto text = all.substr(0, end + 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') reference.bad = true;
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) reference.bad = true;
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) reference.bad = true;
    const bool stuffed = text[i] == '.' && i >= 2 && text[i - 1] == '\n' && text[i - 2] == '\r';
    if (i >= 2 && !stuffed) reference.content += text[i];
  }
  return reference;
}

}  // namespace

// The first byte says how the rest is split; whole, split and the plain reference must agree.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 17 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto reference = referenceOf(bytes);
  for (const std::size_t step : {bytes.size() + 1, piece}) {
    DataDecoder decoder({1u << 20, 0});
    std::size_t used = 0;
    while (used < bytes.size() && !decoder.done()) used += decoder.feedData(bytes.substr(used, step));
    demand(decoder.done() == reference.done);
    if (!reference.done) continue;
    demand(used == reference.used);
    demand(decoder.findings().any() == reference.bad);
    demand(decoder.takeContent() == (reference.bad ? std::string() : reference.content));
  }
  DataDecoder small({64, 20});
  small.feedData(bytes);
  demand(small.takeContent().size() <= 64);
  DataDecoder chunks({1u << 20, 0});
  for (std::size_t at = 0; at < bytes.size(); at += piece) chunks.feedChunk(bytes.substr(at, piece));
  chunks.endOfChunks();
  if (!chunks.findings().any()) {
    const auto content = chunks.takeContent();
    demand(content.substr(0, bytes.size()) == bytes);
    demand(content.empty() || content.substr(content.size() - 2) == "\r\n");
  }
  return 0;
}
