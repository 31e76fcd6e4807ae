#include "cli/AuditVerbs.h"

#include "cli/AuditAnchors.h"
#include "cli/Render.h"
#include "core/audit/Export.h"
#include "core/audit/Verify.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/crypto/Encoding.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

std::filesystem::path siteAnchors(const Context& context) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  return site.path(site.anchorFolder);
}

store::Database openLog(const Context& context, const AuditFiles& files) {
  const auto file =
      files.database.empty() ? context.dataFolder / "listd/site.db" : std::filesystem::path(files.database);
  if (!std::filesystem::exists(file)) throw Error(ErrorKind::Io, "there is no database " + file.string());
  return store::Database::openReader(file);
}

std::vector<audit::VerifierKey> readKeys(const Context& context, const AuditFiles& files) {
  const auto file =
      files.publicKey.empty() ? siteAnchors(context) / "public-key" : std::filesystem::path(files.publicKey);
  auto keys = audit::parseKeys(postern::files::read(file));
  if (!keys || keys->empty()) throw Error(ErrorKind::Malformed, file.string() + " holds no public key of an audit log");
  return std::move(*keys);
}

json hexList(const audit::Proof& hashes) {
  auto list = json::array();
  for (const auto& hash : hashes) list.push_back(crypto::hex(hash));
  return list;
}

Exit no(const Context& context, const std::string& text) {
  if (context.json) context.out << json{{"error", {{"code", "no"}, {"message", text}, {"hint", ""}}}}.dump(2) << "\n";
  context.err << "postern: " << text << "\n";
  return Exit::No;
}

}  // namespace

std::vector<OrderVerb> auditVerbs() {
  const auto option = [](const char* name, const char* field, const char* doc, Type type = Type::Text) {
    return Parameter{Kind::Option, name, field, doc, false, type};
  };
  return {
      {"audit",
       "list",
       "audit.list",
       "Shows the audit log, newest first.",
       {option("--actor", "actor", "only of this person"), option("--action", "action", "only this, as in hold.place"),
        option("--object", "object", "only of this: TYPE or \"TYPE ID\""),
        option("--matter", "matter", "only of this matter", Type::Number),
        option("--outcome", "outcome", "ok, denied, error or blocked-by-retention"),
        option("--limit", "limit", "most rows to show", Type::Number),
        option("--after", "after", "go on after this row")},
       [](std::ostream& out, const json& result) {
         renderTable(out, result.at("items"),
                     {{"SEQ", "seq"}, {"AT", "at"}, {"OUTCOME", "outcome"}, {"WHAT", "sentence"}},
                     "Nothing of that kind is in the log.");
         if (const auto next = result.value("next", ""); !next.empty()) out << "(more: --after " << next << ")\n";
       }},
      {"audit",
       "status",
       "audit.status",
       "Shows the log's size, checkpoint and anchors.",
       {},
       [](std::ostream& out, const json& result) { renderRecord(out, result); }},
      {"audit",
       "change-key",
       "audit.change-key",
       "Gives the audit log a new key, which the old one announces in the log.",
       {{Kind::Option, "--reason", "reason", "why it is changed", true, Type::Text}},
       [](std::ostream& out, const json& result) {
         out << "The log's key is now " << result.at("publicKey").get<std::string>()
             << "\nGive it to the auditor, and run: postern audit anchor\n";
       }},
  };
}

namespace {

// Not one of the verdicts: nothing could be verified.
constexpr int NotVerified = 64;

Exit verdictOf(const Context& context, const AuditFiles& files, std::uint64_t from) {
  auto database = openLog(context, files);
  audit::VerifyOptions options;
  options.keys = readKeys(context, files);
  options.anchors =
      audit::readAnchors(files.anchors.empty() ? siteAnchors(context) : std::filesystem::path(files.anchors));
  options.from = from;
  options.now = SystemClock().now();
  const store::Transaction snapshot(database, store::Transaction::Kind::Read);
  const auto verdict = audit::verifyLog(audit::LogFile(database), options);
  const auto code = static_cast<int>(verdict.finding);
  if (context.json)
    context.out << json{{"exit", code},
                        {"result", verdict.text},
                        {"firstBad", verdict.seq ? json(*verdict.seq) : json(nullptr)},
                        {"size", verdict.size},
                        {"root", crypto::hex(verdict.root)},
                        {"anchored", verdict.anchoredSize}}
                       .dump(2)
                << "\n";
  else
    context.out << verdict.text << "\n";
  return static_cast<Exit>(code);  // these codes are docs/audit.md's own
}

}  // namespace

Exit verifyAudit(const Context& context, const AuditFiles& files, std::uint64_t from) {
  try {  // what is broken here must not look like a verdict
    return verdictOf(context, files, from);
  } catch (const std::exception& error) {
    if (context.json)
      context.out << json{{"error", {{"code", "broken"}, {"message", error.what()}, {"hint", ""}}}}.dump(2) << "\n";
    context.err << "postern: " << error.what() << "\n";
    return static_cast<Exit>(NotVerified);
  }
}

Exit proveAudit(const Context& context, const AuditFiles& files, std::uint64_t seq) {
  auto database = openLog(context, files);
  const store::Transaction snapshot(database, store::Transaction::Kind::Read);
  const audit::LogFile log(database);
  const auto entry = log.entry(seq);
  const auto checkpoint = log.checkpointOf(seq + 1);
  if (!entry) return no(context, "there is no entry " + std::to_string(seq));
  if (!checkpoint) return no(context, "no checkpoint covers entry " + std::to_string(seq) + " yet");
  const auto proof = audit::inclusionProof(seq, checkpoint->size, log.nodes());
  context.out << json{{"seq", seq},
                      {"entry", crypto::base64(*entry)},
                      {"leafHash", crypto::hex(audit::leafHash(*entry))},
                      {"proof", hexList(proof)},
                      {"checkpoint", checkpoint->note}}
                     .dump(2)
              << "\n";
  return Exit::Ok;
}

Exit proveAuditConsistency(const Context& context, const AuditFiles& files, std::uint64_t from, std::uint64_t to) {
  auto database = openLog(context, files);
  const store::Transaction snapshot(database, store::Transaction::Kind::Read);
  const audit::LogFile log(database);
  if (from > to || to > log.size())
    return no(context, "the log has " + std::to_string(log.size()) + " entries; give two sizes, the smaller one first");
  context.out << json{{"from", from},
                      {"to", to},
                      {"roots",
                       {crypto::hex(audit::rootOf(from, log.nodes())), crypto::hex(audit::rootOf(to, log.nodes()))}},
                      {"proof", hexList(audit::consistencyProof(from, to, log.nodes()))}}
                     .dump(2)
              << "\n";
  return Exit::Ok;
}

Exit exportAudit(const Context& context, const AuditFiles& files, std::uint64_t from, std::uint64_t to) {
  auto database = openLog(context, files);
  const store::Transaction snapshot(database, store::Transaction::Kind::Read);
  // The lines are documents of their own; with --json they are the items of one.
  bool first = true;
  if (context.json) context.out << "[";
  audit::exportLog(audit::LogFile(database), from, to, [&](std::string_view line) {
    if (context.json && !first) context.out << ",";
    context.out << line;
    first = false;
  });
  if (context.json) context.out << "]\n";
  return context.out.flush() ? Exit::Ok : Exit::Broken;
}

Exit declareAuditRollback(const Context& context, const AuditFiles& files, const std::string& reason) {
  const auto folder = files.anchors.empty() ? siteAnchors(context) : std::filesystem::path(files.anchors);
  const auto result =
      context.give("audit.declare-rollback", {{"reason", reason}, {"checkpoints", audit::readAnchors(folder)}});
  if (context.json) {
    context.out << result.dump(2) << "\n";
    return Exit::Ok;
  }
  context.out << "Request " << result.at("request").at("id") << " waits for a second person: of the entries from "
              << result.at("from") << " up to " << result.at("to") << " some are gone.\n";
  return Exit::Ok;
}

Exit anchorAudit(const Context& context) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  const auto checkpoint = context.give("audit.checkpoint", json::object());
  const AnchoredCheckpoint anchored{checkpoint.at("size"), checkpoint.at("checkpoint"), checkpoint.at("publicKey")};
  bool allGood = true;
  auto results = json::array();
  for (const auto& result : carryCheckpoint(site, anchored)) {
    allGood = allGood && result.good;
    results.push_back({{"kind", result.kind}, {"good", result.good}, {"text", result.text}});
    if (result.good && result.fresh)
      context.give("audit.anchored", {{"kind", result.kind}, {"size", anchored.size}, {"receipt", result.receipt}});
    if (!context.json) context.out << result.kind << ": " << result.text << "\n";
  }
  if (context.json) context.out << json{{"size", anchored.size}, {"anchors", results}}.dump(2) << "\n";
  return allGood ? Exit::Ok : Exit::Broken;
}

}  // namespace postern::cli
