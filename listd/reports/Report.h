#pragma once
#include "listd/orders/OrderDesk.h"
#include "listd/reports/ReportStore.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// What a report is asked for.
struct ReportAsk {
  OrderTools& tools;
  const OrderCall& call;
  ReportSpan span;
  std::string after;  // cursor of the page, as the page before gave it
  std::uint64_t limit = 1000;
  // Who asks for one page after the other keeps here what one look at every copy gave.
  std::optional<std::vector<DeliveryGroup>>* deliveries = nullptr;

  std::uint64_t afterNumber(std::uint64_t fallback) const;  // refuses what is no number
};

// One page of a report. A row has a cell for each column: a text or a number.
struct ReportPage {
  nlohmann::json rows = nlohmann::json::array();
  std::string next;  // empty: this is the last page
};

struct ReportKind {
  std::string_view name;
  std::string_view title;
  app::Roles readers;
  std::vector<std::string> columns;
  ReportPage (*page)(const ReportAsk& ask);
};

// encryption, retention, holds, certificates, access, content-access, sign-ins, config, keys, audit. None shows
// subjects or bodies.
const std::vector<ReportKind>& reportKinds();
const ReportKind* findReport(std::string_view name);

// The report's page as a signed document; see signDocument. `readers` were looked at by the caller.
nlohmann::json makeReport(const ReportKind& kind, const ReportAsk& ask);
std::string reportCsv(const nlohmann::json& report, bool withHead = true);

// Adds "publicKey" (PEM) and then "signature": Ed25519 in base64 over the canonical bytes of all that is there: JSON
// with sorted keys, without blanks, in UTF-8, without "signature".
void signDocument(SiteContext& context, nlohmann::json& document);
std::string canonicalJson(const nlohmann::json& document);

// The site's key "report" in keys.db, made on first use.
std::string signForReport(SiteContext& context, std::string_view bytes);  // 64 bytes
std::string reportPublicKey(SiteContext& context);                        // PEM

// The answer of another order, given by the same person.
nlohmann::json askOrder(const ReportAsk& ask, std::string_view order, const nlohmann::json& args = nullptr);

// "2031-01-10T00:00:00Z"; empty for no time (0, null).
std::string timeCell(const nlohmann::json& micros);
std::string timeCell(TimePoint time);

}  // namespace postern::listd
