// rooms: gateway
#include "gateway/deliver/EnvelopeShape.h"

#include <cstdlib>

// Whatever the bytes of an envelope mail are: the judge never crashes, nothing passes with a line of its own in the
// text, and a tail that has a problem lets no head pass.
using namespace postern;
using namespace postern::gateway;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  constexpr std::string_view own = "https://mail.example:8443";
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = input.find("\r\n--pickup-");
  const auto head = input.substr(0, cut);
  const bool alone = envelopeshape::judge(head, nullptr, own).empty();
  if (alone && head.find("/pickup/open?token=") == std::string_view::npos) std::abort();
  if (alone && envelopeshape::judge(std::string(head) + "Dear Bob\r\n", nullptr, own).empty()) std::abort();
  if (envelopeshape::judge(head, nullptr, "").empty()) std::abort();
  if (cut == std::string_view::npos) return 0;
  const auto tail = envelopeshape::judgeTail(input.substr(cut), own);
  if (!tail.problem.empty() && envelopeshape::judge(head, &tail, own).empty()) std::abort();
  return 0;
}
