#include "listd/reports/EvidencePack.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/base/Periodic.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/audit/Checkpoints.h"
#include "listd/export/ZipWriter.h"
#include "listd/ReportFiles.h"
#include "listd/reports/Controls.h"
#include "listd/reports/SealedFile.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::uint64_t RowsOfPage = 5000;
constexpr std::uint32_t JobsLookedAt = 2000;
constexpr std::uint32_t MostShown = 20;
constexpr std::chrono::hours DownloadLasts{1};
constexpr std::string_view KeyPurpose = "postern evidence v1";

std::filesystem::path placeOf(const SiteContext& context) {
  return context.config.path("exports") / "evidence";
}

std::filesystem::path folderOf(const SiteContext& context, std::uint64_t job) {
  return placeOf(context) / std::to_string(job);
}

std::filesystem::path zipFileOf(const SiteContext& context, std::uint64_t job) {
  return folderOf(context, job) / "pack.zip.sealed";
}

std::string nameOf(std::uint64_t job) {
  return "evidence/" + std::to_string(job);
}

crypto::AeadKey keyOf(const SiteContext& context) {
  return crypto::AeadKey(context.root.derive(KeyPurpose));
}

std::string printed(const json& document) {
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

// "report-access.json", "report-access-0002.json", …
std::string pageName(const std::string& report, std::uint64_t page) {
  if (page == 1) return "report-" + report + ".json";
  const auto digits = std::to_string(page);
  return "report-" + report + "-" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits + ".json";
}

// The call of an auditor, for the reports that ask other orders.
OrderCall callOf(OrderTools& tools, const std::string& name) {
  Person person;
  person.account = name;
  tools.context.site.read([&](SiteTables& tables) {
    const auto account = tables.accounts.find(name);
    if (!account || account->state != "enabled" || !account->roles.has(app::Role::Auditor))
      throw Error(ErrorKind::Unavailable, name + " is no auditor any more; another one can ask for a pack");
    person.roles = account->roles;
    person.lists = tables.accounts.listsOf(name);
  });
  app::Actor actor{"web", name};
  actor.roles = person.roles;
  return {"evidence.made", actor, Args(json::object()), {}, std::move(person)};
}

// What is known of one report: {"name", "pages", "rows", "next", "ended", "problem"}.
json begun(std::string_view name) {
  return {{"name", name}, {"pages", 0}, {"rows", 0}, {"next", ""}, {"ended", false}, {"problem", ""}};
}

// One run of the job. Its checkpoint is {"reports": […]}, and {"result": …} once the file is there.
class Making {
public:
  Making(OrderTools& tools, JobContext& job)
      : tools_(tools),
        job_(job),
        id_(job.job().id),
        call_(callOf(tools, job.job().args.at("account").get<std::string>())),
        key_(keyOf(tools.context)),
        folder_(folderOf(tools.context, id_)),
        known_(job.checkpoint()) {
    if (!known_.is_object()) known_ = {{"reports", json::array()}};
  }

  json run() {
    if (known_.contains("result")) return known_["result"];
    files::makePrivateFolder(folder_);
    for (std::size_t i = 0; i < reportKinds().size(); ++i) {
      const auto& kind = reportKinds()[i];
      if (known_["reports"].size() <= i) known_["reports"].push_back(begun(kind.name));
      if (i > 0) deliveries_.reset();  // the first report's
      job_.progress(i, steps(), kind.title);
      while (!known_["reports"][i]["ended"].get<bool>()) {
        if (job_.stopRequested()) return nullptr;
        requireRoom();
        addPage(kind, known_["reports"][i]);
        job_.saveCheckpoint(known_);
        job_.progress(i, steps(),
                      std::string(kind.title) + ": " +
                          std::to_string(known_["reports"][i]["rows"].get<std::uint64_t>()) + " rows");
      }
    }
    auto result = assemble();
    if (result.is_null()) return nullptr;
    known_["result"] = result;
    job_.saveCheckpoint(known_);
    job_.progress(steps(), steps());
    for (const auto& report : known_["reports"])
      for (std::uint64_t page = 1; page <= report.at("pages"); ++page)
        std::filesystem::remove(folder_ / pageName(report.at("name"), page));
    return result;
  }

private:
  static std::uint64_t steps() { return reportKinds().size() + 1; }

  void requireRoom() {
    if (files::freeSpace(folder_) < tools_.context.config.minFreeSpace)
      throw Error(ErrorKind::DiskFull, "there is no room for an evidence pack in " + folder_.string());
  }

  // All that there was when the pack was asked for, so that pages that are made later fit.
  ReportAsk askOf(const std::string& after) {
    const auto asked = job_.job().createdAt + std::chrono::microseconds(1);
    return {tools_, call_, {TimePoint(), asked}, after, RowsOfPage, &deliveries_};
  }

  // A report that cannot be made is named with its reason; the pack never leaves one out silently.
  void addPage(const ReportKind& kind, json& report) {
    try {
      const auto page = makeReport(kind, askOf(report["next"]));
      const auto number = report["pages"].get<std::uint64_t>() + 1;
      const auto name = pageName(std::string(kind.name), number);
      files::replaceDurably(folder_ / name, key_.seal(printed(page), nameOf(id_) + "/" + name));
      report["pages"] = number;
      report["rows"] = report["rows"].get<std::uint64_t>() + page.at("rows").size();
      report["next"] = page.at("next");
      report["ended"] = page.at("next") == "";
    } catch (const app::OrderRefused& refused) {
      report["problem"] = refused.error().message;
      report["ended"] = true;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::DiskFull) throw;
      report["problem"] = error.displayText();
      report["ended"] = true;
    } catch (const std::exception& error) {
      report["problem"] = error.what();
      report["ended"] = true;
    }
  }

  std::string pageOf(const json& report, std::uint64_t number) {
    const auto name = pageName(report.at("name"), number);
    return key_.open(files::read(folder_ / name), nameOf(id_) + "/" + name);
  }

  void note(const ZipWriter::File& file, json facts = json::object()) {
    facts.update({{"name", file.name}, {"sha256", file.sha256}, {"bytes", file.bytes}});
    entries_.push_back(std::move(facts));
  }

  // False: it was stopped.
  bool addReport(ZipWriter& zip, const json& report, TimePoint now) {
    const auto name = report.at("name").get<std::string>();
    const bool complete = report.at("problem") == "";
    const json facts{{"complete", complete}, {"rows", report.at("rows")}};
    for (std::uint64_t page = 1; page <= report.at("pages"); ++page) {
      if (job_.stopRequested()) return false;
      note(zip.add(pageName(name, page), pageOf(report, page), now), facts);
    }
    if (report.at("pages") > 0) {
      zip.begin("report-" + name + ".csv", now);
      for (std::uint64_t page = 1; page <= report.at("pages"); ++page)
        zip.append(reportCsv(json::parse(pageOf(report, page)), page == 1));
      note(zip.end(), facts);
    }
    if (!complete)
      note(zip.add("report-" + name + ".txt",
                   "This report could not be made: " + report.at("problem").get<std::string>() + "\n", now),
           {{"complete", false}});
    return true;
  }

  void addRest(ZipWriter& zip, json& map, TimePoint now) {
    auto& context = tools_.context;
    const auto checkpoint = makeCheckpoint(context, CheckpointIf::Changed);
    note(zip.add("controls.html", controlPage(map), now));
    signDocument(context, map);
    note(zip.add("controls.json", printed(map), now));
    note(zip.add("audit-checkpoint.txt", checkpoint ? checkpoint->note : "The audit log is empty.\n", now));
    note(zip.add("audit-public-key.txt", auditKey(context).verifier().text() + "\n", now));
    note(zip.add("report-public-key.pem", reportPublicKey(context), now));
    const auto* verify = reportFiles::find("reports/verify.txt");
    if (verify == nullptr) throw Error(ErrorKind::Invariant, "this binary lacks reports/verify.txt");
    note(zip.add("verify.txt", verify->content, now));
  }

  json manifestOf(const json& map, bool complete, TimePoint now) const {
    return {{"form", "postern-evidence-v1"},
            {"site", tools_.context.config.hostName},
            {"tool", "postern-listd " POSTERN_VERSION},
            {"madeAt", formatRfc3339(now)},
            {"madeBy", call_.actor.name},
            {"controls", map.at("total")},
            {"controlsShown", map.at("shown")},
            {"complete", complete},
            {"files", entries_}};
  }

  // All of it again from the pages, if it was interrupted: that takes no look at the store.
  json assemble() {
    job_.progress(reportKinds().size(), steps(), "Putting the file together");
    const auto now = tools_.now();
    const auto part = folder_ / "pack.part";
    SealedFileWriter sealed(part, key_, nameOf(id_));
    ZipWriter zip([&](std::string_view bytes) { sealed.append(bytes); });
    auto map = controlMap(askOf({}));
    addRest(zip, map, now);
    bool complete = true;
    std::uint64_t rows = 0;
    for (const auto& report : known_["reports"]) {
      requireRoom();
      if (!addReport(zip, report, now)) return nullptr;
      complete = complete && report.at("problem") == "";
      rows += report.at("rows").get<std::uint64_t>();
    }
    const auto manifest = printed(manifestOf(map, complete, now));
    zip.add("manifest.json", manifest, now);
    zip.add("manifest.sig", signForReport(tools_.context, manifest), now);
    const auto whole = zip.finish();
    sealed.finish();
    std::filesystem::rename(part, zipFileOf(tools_.context, id_));
    files::syncFolder(folder_);
    call_.note.objectType = "evidence";
    call_.note.objectId = std::to_string(id_);
    call_.note.afterDigest = crypto::hex(crypto::sha256(manifest));
    recordOrder(tools_, call_, audit::Outcome::Ok);
    return {{"bytes", whole.bytes},
            {"sha256", whole.sha256},
            {"manifest", call_.note.afterDigest},
            {"rows", rows},
            {"complete", complete}};
  }

  OrderTools& tools_;
  JobContext& job_;
  const std::uint64_t id_;
  const OrderCall call_;
  const crypto::AeadKey key_;
  const std::filesystem::path folder_;
  json known_;
  json entries_ = json::array();
  std::optional<std::vector<DeliveryGroup>> deliveries_;
};

JobRunner& runnerOf(OrderTools& tools) {
  if (tools.jobs == nullptr) refuse("unavailable", "no jobs run here");
  return *tools.jobs;
}

Job requirePack(OrderTools& tools, const OrderCall& call) {
  auto job = runnerOf(tools).find(call.args.id("id"));
  if (!job || job->kind != EvidenceJob)
    refuse("not-found", "there is no such evidence pack", "see: postern evidence list");
  return std::move(*job);
}

json viewOf(const SiteContext& context, const Job& job) {
  const bool made = job.state == "done" && job.result.is_object();
  const bool there = made && std::filesystem::exists(zipFileOf(context, job.id));
  return {{"id", job.id},
          {"state", made && !there ? "expired" : job.state},
          {"done", job.done},
          {"total", job.total},
          {"message", job.message},
          {"createdBy", job.startedBy},
          {"createdAt", toMicros(job.createdAt)},
          {"finishedAt", toMicros(job.finishedAt)},
          {"expiresAt", there ? toMicros(job.finishedAt + EvidenceKept) : 0},
          {"bytes", made ? job.result.at("bytes") : json(0)},
          {"sha256", made ? job.result.at("sha256") : json("")},
          {"manifest", made ? job.result.at("manifest") : json("")},
          {"rows", made ? job.result.at("rows") : json(0)},
          {"complete", made && job.result.at("complete").get<bool>()}};
}

// Who began a download may go on with it for an hour: the beginning is on record.
std::string ticketName(const OrderCall& call, std::uint64_t id) {
  return "ticket/" + std::to_string(id) + "/" + call.actor.name;
}

bool isTicket(const OrderTools& tools, const OrderCall& call, std::uint64_t id) {
  const auto sealed = crypto::fromBase64(call.args.textOr("ticket", {}, 200));
  if (!sealed || sealed->empty()) return false;
  try {  // a forged one is no fault of ours
    const auto at = fromMicros(std::stoll(keyOf(tools.context).open(*sealed, ticketName(call, id))));
    return at <= tools.now() && tools.now() < at + DownloadLasts;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

JobRunner::Work evidenceWork(const OrderTools& tools) {
  return [own = OrderTools(tools)](JobContext& job) mutable -> json { return Making(own, job).run(); };
}

json evidencePack(OrderTools& tools, const OrderCall& call) {
  auto& jobs = runnerOf(tools);
  const auto id = change(tools, call, [&](SiteTables& tables) {
    const auto started = jobs.start(tables, EvidenceJob, {{"account", call.actor.name}}, call.actor.name);
    call.note.objectType = "evidence";
    call.note.objectId = std::to_string(started);
    return started;
  });
  jobs.wake();
  const auto job = jobs.find(id);
  if (!job) throw Error(ErrorKind::Invariant, "a job that was begun is not there");
  return viewOf(tools.context, *job);
}

json listEvidence(OrderTools& tools, const OrderCall&) {
  auto items = json::array();
  for (const auto& job : runnerOf(tools).newest(JobsLookedAt))
    if (job.kind == EvidenceJob && items.size() < MostShown) items.push_back(viewOf(tools.context, job));
  return {{"items", std::move(items)}, {"next", ""}};
}

json showEvidence(OrderTools& tools, const OrderCall& call) {
  return viewOf(tools.context, requirePack(tools, call));
}

json readEvidence(OrderTools& tools, const OrderCall& call) {
  const auto job = requirePack(tools, call);
  const auto view = viewOf(tools.context, job);
  if (view.at("state") != "done")
    refuse("refused", "this evidence pack is not there: it is " + view.at("state").get<std::string>(),
           "ask for a new one: postern evidence make");
  const auto total = view.at("bytes").get<std::uint64_t>();
  const auto offset = call.args.number("offset", 0, 0, total);
  const auto key = keyOf(tools.context);
  const auto bytes = readSealedFile(zipFileOf(tools.context, job.id), key, nameOf(job.id), offset);
  auto ticket = call.args.textOr("ticket", {}, 200);
  if (offset == 0 || !isTicket(tools, call, job.id)) {  // on record before a byte of it leaves
    change(tools, call, [&](SiteTables&) {
      call.note.objectType = "evidence";
      call.note.objectId = std::to_string(job.id);
      call.note.text("sha256", view.at("sha256").get<std::string>());
      return true;
    });
    ticket = crypto::base64(key.seal(std::to_string(toMicros(tools.now())), ticketName(call, job.id)));
  }
  return {{"bytes", crypto::base64(bytes)}, {"total", total}, {"ticket", ticket}};
}

json dropEvidence(OrderTools& tools, const OrderCall& call) {
  const auto job = requirePack(tools, call);
  if (!job.ended()) runnerOf(tools).cancel(job.id);
  return change(tools, call, [&](SiteTables&) {
    if (job.ended()) std::filesystem::remove_all(folderOf(tools.context, job.id));
    call.note.objectType = "evidence";
    call.note.objectId = std::to_string(job.id);
    return json::object();
  });
}

EvidenceSweeper::EvidenceSweeper(SiteContext& context) : context_(context) {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    repeatUntilStopped(stop, std::chrono::hours(1), [this] {
      try {  // the boundary of a queue job: it is tried again in an hour
        runOnce();
      } catch (const std::exception& error) {
        log::error("reports", "old evidence packs cannot be removed", {{"error", error.what()}});
      }
    });
  });
}

void EvidenceSweeper::runOnce() {
  if (!std::filesystem::exists(placeOf(context_))) return;
  for (const auto& entry : std::filesystem::directory_iterator(placeOf(context_))) {
    const auto name = entry.path().filename().string();
    const bool number = !name.empty() && name.size() < 19 && name.find_first_not_of("0123456789") == name.npos;
    const auto job = !number
                         ? std::nullopt
                         : context_.site.read([&](SiteTables& tables) { return tables.jobs.find(std::stoull(name)); });
    const bool waits = job && !job->ended();
    const bool kept = job && job->state == "done" && job->finishedAt + EvidenceKept > context_.clock.now();
    if (!waits && !kept) std::filesystem::remove_all(entry.path());
  }
}

}  // namespace postern::listd
