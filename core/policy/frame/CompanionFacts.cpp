#include "core/policy/frame/CompanionFacts.h"

namespace postern::policy::frame {
namespace {

constexpr double Thousandths = 1000;

void writeScore(Writer& writer, double score) {
  writer.i64(static_cast<std::int64_t>(score * Thousandths));
}

double readScore(Reader& reader) {
  return static_cast<double>(reader.i64()) / Thousandths;
}

}  // namespace

void writeReputation(Writer& writer, const ReputationFacts& reputation) {
  writer.i64(reputation.score);
  writer.list(reputation.zones, [](Writer& w, const std::string& zone) { w.string(zone); });
}

ReputationFacts readReputation(Reader& reader) {
  ReputationFacts reputation;
  reputation.score = static_cast<int>(reader.i64());
  reputation.zones = reader.list<std::string>([](Reader& r) { return r.string(); });
  return reputation;
}

void writeSpam(Writer& writer, const SpamFacts& spam) {
  writeScore(writer, spam.score);
  writeScore(writer, spam.required);
  writer.string(spam.action);
  writer.list(spam.symbols, [](Writer& w, const SpamFacts::Symbol& symbol) {
    w.string(symbol.name);
    writeScore(w, symbol.score);
  });
}

SpamFacts readSpam(Reader& reader) {
  SpamFacts spam;
  spam.score = readScore(reader);
  spam.required = readScore(reader);
  spam.action = reader.string();
  spam.symbols = reader.list<SpamFacts::Symbol>([](Reader& r) {
    SpamFacts::Symbol symbol;
    symbol.name = r.string();
    symbol.score = readScore(r);
    return symbol;
  });
  return spam;
}

}  // namespace postern::policy::frame
