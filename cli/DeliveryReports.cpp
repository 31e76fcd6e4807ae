#include "cli/DeliveryReports.h"

#include "cli/Render.h"
#include "core/app/Orders.h"
#include "core/audit/Checkpoint.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"

#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

namespace postern::cli {

using nlohmann::json;

namespace {

json argumentsOf(const DeliveryOptions& options) {
  json args = json::object();
  for (const auto& [field, value] : {std::pair{"post", options.post},
                                     {"recipient", options.recipient},
                                     {"list", options.list},
                                     {"from", options.from},
                                     {"until", options.until}})
    if (!value.empty()) args[field] = value;
  return args;
}

void showForPeople(std::ostream& out, const json& page) {
  const auto columns = page.at("columns").get<std::vector<std::string>>();
  json items = json::array();
  for (const auto& row : page.at("rows")) {
    json item = json::object();
    for (std::size_t i = 0; i < columns.size(); ++i) item[columns[i]] = row.at(i);
    items.push_back(std::move(item));
  }
  renderTable(out, items,
              {{"POST", "post"},
               {"RECEIVED", "received"},
               {"ARRIVAL", "arrival TLS"},
               {"SIGNATURE", "signature"},
               {"RECIPIENT", "recipient"},
               {"PROTECTION", "protection"},
               {"REASON", "reason"},
               {"STATE", "state"},
               {"NEXT HOP", "next hop"},
               {"TLS", "TLS"},
               {"VERIFIED BY", "TLS verification"},
               {"DELIVERED", "delivered"},
               {"PICKED UP", "picked up"}},
              "No copy of a message fits.");
}

// The public key of a PEM file as this program writes it (RFC 8410), 32 bytes.
std::optional<std::string> keyFromPem(std::string_view pem) {
  constexpr std::string_view Begin = "-----BEGIN PUBLIC KEY-----", End = "-----END PUBLIC KEY-----";
  constexpr std::string_view Prefix("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
  const auto from = pem.find(Begin);
  const auto to = pem.find(End);
  if (from == std::string_view::npos || to == std::string_view::npos || to < from + Begin.size()) return std::nullopt;
  std::string body;
  for (const char c : pem.substr(from + Begin.size(), to - from - Begin.size()))
    if (c != '\n' && c != '\r' && c != ' ') body += c;
  const auto der = crypto::fromBase64(body);
  if (!der || der->size() != Prefix.size() + 32 || !der->starts_with(Prefix)) return std::nullopt;
  return der->substr(Prefix.size());
}

bool isSignedBy(const json& document, const std::string& key) {
  const auto signature = crypto::fromBase64(document.value("signature", ""));
  if (!signature || signature->size() != 64) return false;
  auto covered = document;
  covered.erase("signature");
  const auto bytes = covered.dump(-1, ' ', false, json::error_handler_t::replace);
  return audit::VerifierKey("report", key).verify(bytes, *signature);
}

// Reads documents one behind the other and says what is wrong with the first that is.
class Verifier {
public:
  explicit Verifier(std::optional<std::string> key) : key_(std::move(key)) {}

  // Empty: all is well so far.
  std::string take(const json& document) {
    if (!document.is_object() || document.value("form", "") != "postern-report-v1") return "this is no signed report";
    const auto named = keyFromPem(document.value("publicKey", ""));
    if (!named) return "it names no key";
    if (!key_) key_ = named;
    if (*named != *key_) return "it is signed by another key";
    if (!isSignedBy(document, *key_)) return "the signature does not match: it was changed after it was made";
    const auto after = document.value("after", "");
    if (pages_ > 0 && (after != next_ || next_.empty())) return "it does not follow the page before";
    if (pages_ == 0 && !after.empty()) return "it is not the first page";
    if (pages_ == 0) first_ = question(document);
    if (question(document) != first_) return "it is a page of another report";
    next_ = document.value("next", "");
    rows_ += document.contains("rows") ? document["rows"].size() : 0;
    site_ = document.value("site", "");
    ++pages_;
    return {};
  }

  std::string end() const {
    if (pages_ == 0) return "there is no report in it";
    return next_.empty() ? std::string() : "pages are missing behind page " + std::to_string(pages_);
  }

  std::size_t pages() const { return pages_; }
  json summary() const {
    return {{"site", site_}, {"pages", pages_}, {"rows", rows_}, {"keySha256", crypto::hex(crypto::sha256(*key_))}};
  }

private:
  static json question(const json& document) {
    json asked = json::object();
    for (const auto* field : {"name", "site", "asked", "from", "until", "columns"})
      asked[field] = document.contains(field) ? document[field] : json();
    return asked;
  }

  std::optional<std::string> key_;
  json first_;
  std::string next_;
  std::string site_;
  std::size_t pages_ = 0;
  std::size_t rows_ = 0;
};

Exit tell(const Context& context, const Verifier& verifier, const std::string& problem, bool keyGiven) {
  auto result = problem.empty() ? verifier.summary() : json::object();
  result["ok"] = problem.empty();
  if (!problem.empty()) result["problem"] = problem;
  if (context.json) {
    context.out << result.dump(2) << "\n";
  } else if (problem.empty()) {
    context.out << "The report is whole and unchanged: " << result["rows"] << " rows on " << result["pages"]
                << " pages, made by " << result["site"].get<std::string>() << ".\n";
    if (!keyGiven)
      context.out << "It was checked by the key that it names itself (SHA-256 "
                  << result["keySha256"].get<std::string>()
                  << "). Give the site's key by --key to know that this site made it.\n";
  } else {
    context.out << "NOT AS IT WAS MADE: " << problem << ".\n";
  }
  return problem.empty() ? Exit::Ok : Exit::No;
}

}  // namespace

Exit showDeliveryReport(const Context& context, const DeliveryOptions& options) {
  if ((options.csv && options.html) || (context.json && (options.csv || options.html)))
    throw app::OrderRefused({"usage", "a report has one format", "one of --json, --csv and --html"});
  std::ofstream file;
  if (!options.out.empty()) {
    file.open(options.out, std::ios::binary | std::ios::trunc);
    if (!file) throw Error(ErrorKind::Config, options.out + " cannot be written");
  }
  auto& out = options.out.empty() ? context.out : file;
  const char* const format = options.csv ? "csv" : options.html ? "html" : "json";
  const bool asJson = context.json || (!options.out.empty() && !options.csv && !options.html);
  auto args = argumentsOf(options);
  args["format"] = format;
  bool any = false;
  for (;;) {
    const auto page = context.give("report.delivery", args);
    if (options.csv || options.html)
      out << page.at(format).get<std::string>();
    else if (asJson)
      out << page.dump() << "\n";
    else
      showForPeople(out, page);
    any = any || options.csv || options.html || !page.at("posts").empty();
    const auto next = page.value("next", "");
    if (next.empty()) break;
    args["after"] = next;
  }
  if (!out.flush()) throw Error(ErrorKind::Config, "the report could not be written whole");
  return any ? Exit::Ok : Exit::No;
}

Exit verifyReports(const Context& context, const VerifyOptions& options) {
  std::optional<std::string> key;
  if (!options.key.empty()) {
    key = keyFromPem(files::read(options.key));
    if (!key) throw Error(ErrorKind::Config, options.key + " holds no public Ed25519 key as PEM");
  }
  Verifier verifier(key);
  const bool given = key.has_value();
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file, std::ios::binary);
    if (!file) throw Error(ErrorKind::Config, options.file + " cannot be read");
  }
  auto& in = options.file == "-" ? std::cin : file;
  const auto trouble = [&](const std::string& problem) {
    return tell(context, verifier, "page " + std::to_string(verifier.pages() + 1) + ": " + problem, given);
  };
  try {
    while (in >> std::ws && in.peek() != std::char_traits<char>::eof()) {
      json document;
      in >> document;
      if (const auto problem = verifier.take(document); !problem.empty()) return trouble(problem);
    }
  } catch (const json::exception&) {
    return trouble("it is no JSON");
  }
  return tell(context, verifier, verifier.end(), given);
}

}  // namespace postern::cli
