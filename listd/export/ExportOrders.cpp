#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "listd/export/Exporter.h"
#include "listd/reports/OwnerNotice.h"
#include "listd/search/SearchOrders.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace postern::listd {
namespace {

using nlohmann::json;

constexpr std::size_t ShortestPassphrase = 15;
constexpr std::size_t LongestPassphrase = 128;
constexpr std::chrono::hours DownloadLasts{1};
constexpr std::uint64_t MostBytes = 256 * 1024;  // of one answer

json jobOf(OrderTools& tools, std::uint64_t id) {
  const auto job = tools.jobs == nullptr ? std::nullopt : tools.jobs->find(id);
  if (!job) return nullptr;
  return {
      {"id", job->id}, {"state", job->state}, {"done", job->done}, {"total", job->total}, {"message", job->message}};
}

json viewOf(OrderTools& tools, SiteTables& tables, const Export& made) {
  json downloads = json::array();
  for (const auto& download : tables.search.downloadsOf(made.id))
    downloads.push_back({{"at", toMicros(download.at)}, {"by", download.person}});
  return {{"id", made.id},
          {"matter", made.matterId},
          {"format", made.format},
          {"redactBcc", made.redactBcc},
          {"selection", openForMatter(tools.context, made.matterId, made.sealedQuery)},
          {"state", made.state == "waiting" && !made.trouble.empty() ? "paused" : made.state},
          {"trouble", made.trouble},
          {"objects", made.objects},
          {"missing", made.missing},
          {"bytes", made.bytes},
          {"sha256", made.sha256},
          {"manifest", made.manifestSha256},
          {"createdBy", made.createdBy},
          {"createdAt", toMicros(made.createdAt)},
          {"expiresAt", made.state == "done" ? toMicros(made.expiresAt) : 0},
          {"downloads", downloads}};
}

json withJob(OrderTools& tools, json view, std::uint64_t jobId) {
  view["job"] = jobOf(tools, jobId);
  return view;
}

Export requireExport(SiteTables& tables, const Args& args) {
  const auto made = tables.search.findExport(args.id("id"));
  if (!made) refuse("not-found", "there is no such export");
  return *made;
}

// Groups of letters and digits that can be read out on the telephone: 130 bits.
std::string newPassphrase() {
  std::string text;
  for (const char byte : crypto::base32(crypto::randomBytes(16)).substr(0, 26)) {
    if (text.size() % 6 == 5) text += '-';
    text += byte;
  }
  return text;
}

std::string passphraseOf(const Args& args) {
  if (!args.has("passphrase")) return newPassphrase();
  auto passphrase = args.text("passphrase", LongestPassphrase);
  if (passphrase.size() < ShortestPassphrase)
    refuse("invalid", "the passphrase must have 15 characters or more", "leave it out, and a good one is made");
  return passphrase;
}

// What was asked for, newest first, and how it was said.
std::pair<std::vector<std::uint64_t>, std::string> selectionOf(OrderTools& tools, const OrderCall& call) {
  std::vector<std::uint64_t> objects;
  std::string words;
  if (call.args.has("objects")) {
    objects = call.args.ids("objects");
    words = "chosen messages";
  } else {
    const auto query = requireQuery(call.args);
    for (const auto& hit : select(tools, query).hits) objects.push_back(hit.objectId);
    words = query.text();
  }
  if (objects.empty()) refuse("invalid", "there is nothing to export", "look at the search first");
  if (objects.size() > MostExported) refuse("invalid", "one export takes 200,000 messages at most", "part it by dates");
  return {std::move(objects), std::move(words)};
}

json createExport(OrderTools& tools, const OrderCall& call) {
  if (tools.jobs == nullptr) refuse("unavailable", "no jobs run here");
  const auto passphrase = passphraseOf(call.args);
  const auto [objects, words] = selectionOf(tools, call);
  Export made;
  made.format = call.args.word("format", "eml", {"mbox", "eml", "load-file"});
  made.redactBcc = call.args.flag("redactBcc");
  made.createdAt = tools.now();
  made.createdBy = call.actor.name;
  made.objects = objects.size();
  const auto stored = change(tools, call, [&, &chosen = objects, &said = words](SiteTables& tables) {
    made.matterId = requireMatter(tables, call.args, true);
    made.sealedQuery = sealForMatter(tools.context, made.matterId, said);
    made.sealedPassphrase = sealForMatter(tools.context, made.matterId, passphrase);
    made.id = tables.search.addExport(made, chosen);
    made.jobId = tools.jobs->start(tables, ExportJob, {{"export", made.id}}, call.actor.name);
    tables.search.update(made);
    tellOwners(tools.context, tables, tables.search.listsOf(made.id), made.matterId, tools.now());
    call.note.objectType = "export";
    call.note.objectId = std::to_string(made.id);
    call.note.matterId = made.matterId;
    call.note.number("objects", chosen.size())
        .text("format", made.format)
        .text("selection", crypto::base64(made.sealedQuery));
    return made;
  });
  tools.jobs->wake();
  return {{"id", stored.id},
          {"job", stored.jobId},
          {"objects", stored.objects},
          {"passphrase", call.args.has("passphrase") ? "" : passphrase}};
}

json listExports(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    json items = json::array();
    for (const auto& made : tables.search.exports(requireMatter(tables, call.args, false)))
      items.push_back(withJob(tools, viewOf(tools, tables, made), made.jobId));
    return json{{"items", items}, {"next", ""}};
  });
}

json showExport(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto made = requireExport(tables, call.args);
    return withJob(tools, viewOf(tools, tables, made), made.jobId);
  });
}

bool isDownloading(OrderTools& tools, const OrderCall& call, std::uint64_t exportId) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto all = tables.search.downloadsOf(exportId);
    return std::any_of(all.begin(), all.end(), [&](const Download& one) {
      return one.person == call.actor.name && one.at + DownloadLasts > tools.now();
    });
  });
}

json readExport(OrderTools& tools, const OrderCall& call) {
  const auto made = tools.context.site.read([&](SiteTables& tables) { return requireExport(tables, call.args); });
  if (made.state != "done") refuse("refused", "the archive of this export is not there: it is " + made.state);
  const auto offset = call.args.number("offset", 0, 0, made.bytes);
  const auto length = call.args.number("length", MostBytes, 1, MostBytes);
  const auto path = exportFile(tools.context, made.id);
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) throwErrno("open", path.string());
  std::string bytes(length, '\0');
  const auto count = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (count < 0) throwErrno("read", path.string());
  bytes.resize(static_cast<std::size_t>(count));
  // The beginning of a download, at whatever offset: on record before a byte of it leaves.
  if (offset == 0 || !isDownloading(tools, call, made.id)) {
    change(tools, call, [&](SiteTables& tables) {
      tables.search.addDownload(made.id, {tools.now(), call.actor.name});
      call.note.objectType = "export";
      call.note.objectId = std::to_string(made.id);
      call.note.matterId = made.matterId;
      call.note.text("sha256", made.sha256);
      return true;
    });
  }
  return {{"bytes", crypto::base64(bytes)}, {"total", made.bytes}};
}

json dropExport(OrderTools& tools, const OrderCall& call) {
  const auto made = tools.context.site.read([&](SiteTables& tables) { return requireExport(tables, call.args); });
  if (made.state == "removed") refuse("not-found", "this export was removed already");
  if (tools.jobs != nullptr && made.state == "waiting") tools.jobs->cancel(made.jobId);
  return change(tools, call, [&](SiteTables& tables) {
    removeExport(tools.context, tables, requireExport(tables, call.args), "removed");
    call.note.objectType = "export";
    call.note.matterId = made.matterId;
    return json::object();
  });
}

constexpr auto Officer = app::Role::Officer;
constexpr auto Auditor = app::Role::Auditor;
constexpr OrderRow Table[] = {
    {"export.create", OrderKind::Changes, createExport, {Officer}},
    {"export.list", OrderKind::Reads, listExports, {Officer | Auditor}},
    {"export.show", OrderKind::Reads, showExport, {Officer | Auditor}},
    {"export.read", OrderKind::Reads, readExport, {Officer}},
    {"export.remove", OrderKind::Changes, dropExport, {Officer}},
};

}  // namespace

json exportsOf(OrderTools& tools, SiteTables& tables, std::uint64_t matterId) {
  json items = json::array();
  for (const auto& made : tables.search.exports(matterId)) items.push_back(viewOf(tools, tables, made));
  return items;
}

std::span<const OrderRow> exportOrders() {
  return Table;
}

}  // namespace postern::listd
