#pragma once
#include "core/base/Codec.h"
#include "core/policy/Verdict.h"

// What companions say, as bytes in a frame; scores to the thousandth. As PolicyFrame.h.
namespace postern::policy::frame {

void writeReputation(Writer& writer, const ReputationFacts& reputation);
ReputationFacts readReputation(Reader& reader);
void writeSpam(Writer& writer, const SpamFacts& spam);
SpamFacts readSpam(Reader& reader);

}  // namespace postern::policy::frame
