#include "listd/reports/Report.h"

#include "core/audit/Checkpoint.h"
#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/records/Period.h"
#include "listd/orders/Csv.h"

#include <charconv>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::string_view KeyName = "report";
// SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410 §4).
constexpr std::string_view KeyPrefix("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);

audit::SignerKey reportKey(SiteContext& context) {
  static Mutex mutex;  // two first reports at once must not make two keys
  const MutexLock lock(mutex);
  const auto name = context.config.hostName + "/report";
  if (auto seed = context.keys.siteKey(KeyName)) return {name, std::move(*seed)};
  auto key = audit::SignerKey::generate(name);
  context.keys.storeSiteKey(KeyName, key.seed(), key.verifier().text());
  return key;
}

}  // namespace

std::uint64_t ReportAsk::afterNumber(std::uint64_t fallback) const {
  if (after.empty()) return fallback;
  std::uint64_t number = 0;
  const auto read = std::from_chars(after.data(), after.data() + after.size(), number);
  if (read.ec != std::errc() || read.ptr != after.data() + after.size() || number > INT64_MAX)
    refuse("invalid", "\"after\" is not what a page of this report gave as \"next\"");
  return number;
}

const ReportKind* findReport(std::string_view name) {
  for (const auto& kind : reportKinds())
    if (kind.name == name) return &kind;
  return nullptr;
}

std::string signForReport(SiteContext& context, std::string_view bytes) {
  return reportKey(context).sign(bytes);
}

std::string reportPublicKey(SiteContext& context) {
  const auto der = std::string(KeyPrefix) + reportKey(context).verifier().publicKey();
  return "-----BEGIN PUBLIC KEY-----\n" + crypto::base64(der) + "\n-----END PUBLIC KEY-----\n";
}

std::string canonicalJson(const json& document) {
  auto signedPart = document;
  signedPart.erase("signature");
  return signedPart.dump(-1, ' ', false, json::error_handler_t::replace);
}

void signDocument(SiteContext& context, json& document) {
  document["publicKey"] = reportPublicKey(context);
  document = json::parse(canonicalJson(document));  // what is no UTF-8 is replaced before it is signed
  document["signature"] = crypto::base64(signForReport(context, canonicalJson(document)));
}

json makeReport(const ReportKind& kind, const ReportAsk& ask) {
  auto page = kind.page(ask);
  const auto open = ask.span.until == fromMicros(INT64_MAX);
  json document{{"form", "postern-report-v1"},
                {"site", ask.tools.context.config.hostName},
                {"tool", "postern-listd " POSTERN_VERSION},
                {"name", kind.name},
                {"title", kind.title},
                {"columns", kind.columns},
                {"rows", std::move(page.rows)},
                {"from", toMicros(ask.span.from)},
                {"until", open ? 0 : toMicros(ask.span.until)},
                {"after", ask.after},
                {"next", page.next},
                {"madeAt", toMicros(ask.tools.now())},
                {"madeBy", ask.call.actor.name}};
  signDocument(ask.tools.context, document);
  return document;
}

std::string reportCsv(const json& report, bool withHead) {
  auto text = withHead ? csvLine(report.at("columns").get<std::vector<std::string>>()) : std::string();
  for (const auto& row : report.at("rows")) {
    std::vector<std::string> cells;
    for (const auto& cell : row) cells.push_back(cell.is_string() ? cell.get<std::string>() : cell.dump());
    text += csvLine(cells);
  }
  return text;
}

json askOrder(const ReportAsk& ask, std::string_view order, const json& args) {
  const auto* row = findOrder(order);
  if (row == nullptr) throw Error(ErrorKind::Invariant, "there is no order " + std::string(order));
  const OrderCall call{
      std::string(order), ask.call.actor, Args(args.is_null() ? json::object() : args), {}, ask.call.person};
  return row->handler(ask.tools, call);
}

std::string timeCell(TimePoint time) {
  if (time == records::Never) return "never";
  return time == records::Earliest || toMicros(time) == 0 ? std::string() : formatRfc3339(time);
}

std::string timeCell(const json& micros) {
  if (micros.is_string()) return micros.get<std::string>();
  return micros.is_number() ? timeCell(fromMicros(micros.get<std::int64_t>())) : std::string();
}

}  // namespace postern::listd
