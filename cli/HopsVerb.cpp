#include "cli/HopsVerb.h"

#include "cli/Render.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/hops/JourneyJson.h"
#include "core/mail/Text.h"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace postern::cli {
namespace {

std::string readMessage(const std::string& file) {
  return file != "-" ? files::read(file) : std::string(std::istreambuf_iterator<char>(std::cin), {});
}

nlohmann::json rowsOf(const nlohmann::json& hops) {
  auto rows = nlohmann::json::array();
  for (const auto& hop : hops) {
    auto row = hop;
    row["hop"] = rows.size() + 1;
    auto tls = hop["version"].get<std::string>();
    const auto cipher = hop["cipher"].get<std::string>();
    if (!cipher.empty()) tls += (tls.empty() ? "" : " ") + cipher;
    row["tls"] = tls;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

Exit showHops(const Context& context, const HopsOptions& options) {
  const auto message = readMessage(options.file);
  const auto header = mail::HeaderBlock::scan(message);
  if (!header) throw Error(ErrorKind::Config, options.file + " has too large a header to be read");
  hops::JourneySettings settings;
  for (const auto& domain : options.ownDomains) settings.ownDomains.push_back(mail::lowerAscii(domain));
  const auto journey = hops::readJourney(*header, settings);
  const auto result = hops::toJson(journey);
  if (context.json) {
    context.out << result.dump(2) << "\n";
  } else {
    renderTable(context.out, rowsOf(result["hops"]),
                {{"HOP", "hop"}, {"FROM", "from"}, {"BY", "by"}, {"STATE", "state"}, {"TLS", "tls"}, {"WHY", "why"}},
                "No Received lines.");
    context.out << "\n" << journey.sentence << "\n";
  }
  return journey.verdict == hops::Verdict::Encrypted ? Exit::Ok : Exit::No;
}

}  // namespace postern::cli
