#include "listd/reports/EvidencePack.h"

#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/audit/Checkpoints.h"
#include "listd/ReportFiles.h"
#include "listd/reports/Controls.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::uint64_t RowsInPack = 5000;

// The files of the pack with what the manifest says of each.
class Pack {
public:
  void add(const std::string& name, std::string_view content, json facts = json::object()) {
    facts["name"] = name;
    facts["sha256"] = crypto::hex(crypto::sha256(content));
    facts["bytes"] = content.size();
    entries_.push_back(std::move(facts));
    addUnlisted(name, content);
  }
  void addUnlisted(const std::string& name, std::string_view content) {
    files_.push_back({{"name", name}, {"bytes", crypto::base64(content)}});
  }
  const json& entries() const { return entries_; }
  const json& files() const { return files_; }

private:
  json entries_ = json::array();
  json files_ = json::array();
};

std::string printed(const json& document) {
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

// A report that cannot be made is named with its reason; the pack never leaves one out silently.
void addReport(Pack& pack, const ReportKind& kind, const ReportAsk& ask) {
  const auto name = "report-" + std::string(kind.name);
  try {
    const auto report = makeReport(kind, ask);
    const bool complete = report.at("next") == "";
    pack.add(name + ".json", printed(report), {{"complete", complete}, {"rows", report.at("rows").size()}});
    pack.add(name + ".csv", reportCsv(report), {{"complete", complete}, {"rows", report.at("rows").size()}});
  } catch (const app::OrderRefused& refused) {
    pack.add(name + ".txt", "This report could not be made: " + refused.error().message + "\n", {{"complete", false}});
  } catch (const std::exception& error) {
    pack.add(name + ".txt", std::string("This report could not be made: ") + error.what() + "\n",
             {{"complete", false}});
  }
}

}  // namespace

json evidencePack(OrderTools& tools, const OrderCall& call) {
  call.note.objectType = "evidence";
  const ReportAsk ask{tools, call, {TimePoint(), fromMicros(INT64_MAX)}, {}, RowsInPack};
  const auto checkpoint = makeCheckpoint(tools.context, CheckpointIf::Changed);
  Pack pack;
  auto map = controlMap(ask);
  pack.add("controls.html", controlPage(map));
  signDocument(tools.context, map);
  pack.add("controls.json", printed(map));
  for (const auto& kind : reportKinds()) addReport(pack, kind, ask);
  pack.add("audit-checkpoint.txt", checkpoint ? checkpoint->note : "The audit log is empty.\n");
  pack.add("audit-public-key.txt", auditKey(tools.context).verifier().text() + "\n");
  pack.add("report-public-key.pem", reportPublicKey(tools.context));
  const auto* verify = reportFiles::find("reports/verify.txt");
  if (verify == nullptr) throw Error(ErrorKind::Invariant, "this binary lacks reports/verify.txt");
  pack.add("verify.txt", verify->content);
  const auto manifest = printed({{"form", "postern-evidence-v1"},
                                 {"site", tools.context.config.hostName},
                                 {"tool", "postern-listd " POSTERN_VERSION},
                                 {"madeAt", formatRfc3339(tools.now())},
                                 {"madeBy", call.actor.name},
                                 {"controls", map.at("total")},
                                 {"controlsShown", map.at("shown")},
                                 {"files", pack.entries()}});
  pack.addUnlisted("manifest.json", manifest);
  pack.addUnlisted("manifest.sig", signForReport(tools.context, manifest));
  call.note.afterDigest = crypto::hex(crypto::sha256(manifest));
  return {{"files", pack.files()}, {"manifest", call.note.afterDigest}};
}

}  // namespace postern::listd
