// rooms: hops mail
// A journey names each Received field once, holds printable text only, and calls nothing encrypted without a record.
#include "core/hops/Journey.h"
#include "core/mail/Text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern;
  const auto check = [](bool holds) {
    if (!holds) std::abort();
  };
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto header = mail::HeaderBlock::scan(input);
  if (!header) return 0;
  const auto journey = hops::readJourney(*header, {{"b.example"}});
  check(journey.hops.size() == std::min(header->count("Received"), hops::MaxHops));
  bool allKnown = true;
  for (const auto& hop : journey.hops) {
    for (const auto& text : {hop.from, hop.fromAddress, hop.by, hop.protocol, hop.tls.version, hop.tls.cipher, hop.why})
      check(mail::isUtf8(text) && !mail::hasControl(text) && text.size() < 2000);
    allKnown = allKnown && hop.state != hops::HopState::NotRecorded && hop.state != hops::HopState::Plain;
  }
  check(journey.verdict != hops::Verdict::Encrypted || allKnown);
  check(!journey.sentence.empty());
  return 0;
}
