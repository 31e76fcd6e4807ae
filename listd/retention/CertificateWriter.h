#pragma once
#include "listd/retention/DestructionGate.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <span>
#include <string>

namespace postern::listd {

// Counts what became of the candidates of a run and, when objects were destroyed, signs its certificate. In one
// transaction; a repeat changes nothing. `kept`: candidates that never came to the gate.
void finishRun(SiteContext& context, std::uint64_t runId, std::span<const DestructionGate::Verdict> verdicts,
               const Remnants& remnants);

// Ends a run and signs: counts are those of `run` but for the lines, which are counted. `remnants`: what could not be
// wiped yet, which the certificate says.
void finishRun(SiteContext& context, Run run, const Remnants& remnants);

// One line of a certificate, as its digest in the signed text counts it.
std::string certificateLine(const Disposal& disposal);
std::string certificateLine(const ListDisposal& list);
// The whole certificate for reading: what is signed, the lines (unless there are very many), signature, and the key as
// openssl reads it.
constexpr std::uint64_t MostLinesInText = 5000;
std::string certificateText(SiteTables& tables, const Certificate& certificate);
// Whether signature and lines fit; what `certificate.show` says beside it.
bool certificateHolds(SiteTables& tables, const Certificate& certificate);

}  // namespace postern::listd
