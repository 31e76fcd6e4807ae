#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr std::uint64_t PieceLength = 256 * 1024;

// How far the export is: while it is made, its job tells.
json progressOf(const Visit& visit, const json& shown) {
  const auto& job = views::part(shown, "job");
  const auto id = job.empty() ? views::text(shown, "job") : views::text(job, "id");
  const auto known = job.empty() && !id.empty() ? visit.order("job.show", {{"id", id}}) : job;
  const auto done = views::number(known, "done"), total = views::number(known, "total");
  return {{"done", words::count(done)},
          {"total", words::count(total)},
          {"value", done},
          {"max", std::max<std::uint64_t>(total, 1)},
          {"message", views::text(known, "message")}};
}

bool isMade(const std::string& state) {
  return state == "done" || state == "ready" || state == "complete" || state == "finished";
}

json exportRow(const json& one, TimePoint now) {
  const auto state = views::text(one, "state");
  return {{"id", views::text(one, "id")},
          {"path", views::exportPath(views::text(one, "id"))},
          {"matter", views::text(one, "matter")},
          {"matterPath", views::matterPath(views::text(one, "matter"))},
          {"format", views::text(one, "format")},
          {"objects", words::count(views::number(one, "objects"))},
          {"size", words::size(views::number(one, "bytes"))},
          {"sha256", words::fingerprint(views::text(one, "sha256"))},
          {"badge", {{"text", words::recordState(state)}, {"tone", words::recordTone(state)}}},
          {"ready", isMade(state)},
          {"running", state == "running" || state == "queued" || state == "waiting" || state == "paused"},
          {"createdBy", views::text(one, "createdBy")},
          {"createdAt", views::moment(one, "createdAt", now)},
          {"expiresAt", views::moment(one, "expiresAt", now)}};
}

Response drawNew(const Visit& visit, const Fields& form, int status, const json& refusal) {
  const auto query = form.get("query");
  json args = {{"query", query}, {"count", true}};
  if (const auto matter = form.get("matter"); !matter.empty()) args["matter"] = matter;
  const auto found = visit.order("search", args);
  json matters = json::array();
  const auto listed = visit.order("matter.list");
  for (const auto& matter : views::part(listed, "items"))
    if (views::text(matter, "state") != "closed")
      matters.push_back({{"id", views::text(matter, "id")},
                         {"name", views::text(matter, "name")},
                         {"chosen", views::text(matter, "id") == form.get("matter")}});
  return visit.page(
      "export-new", {"New export", "exports", status},
      {{"query", query},
       {"hits", (views::flag(found, "moreThan") ? "more than " : "") +
                    words::plural(views::number(found, "hits"), "message", "messages")},
       {"matters", matters},
       {"formats", views::options(form.get("format", "mbox"), {{"mbox", "mbox, for mail programs"},
                                                               {"eml", "EML, one file for each message"},
                                                               {"load-file", "Load file, for review systems (EDRM)"}})},
       {"redact", form.get("redactBcc", "yes") == "yes"},
       {"refusal", refusal}});
}

}  // namespace

Response exports(Visit& visit) {
  json args = json::object();
  if (const auto matter = visit.request.query.get("matter"); !matter.empty()) args["matter"] = matter;
  json rows = json::array();
  const auto listed = visit.order("export.list", args);
  const auto matters = views::matterNames(visit);
  for (const auto& one : views::part(listed, "items"))
    rows.push_back(views::withMatterName(exportRow(one, visit.now()), matters));
  const bool empty = rows.empty();
  return visit.page("exports", {"Exports", "exports"},
                    {{"rows", rows}, {"empty", empty}, {"roles", views::rolesOf(visit)}});
}

Response newExport(Visit& visit) {
  return drawNew(visit, visit.request.query, 200, nullptr);
}

// The passphrase stands in the answer to the form alone: it is shown once, and no address leads back to it.
Response createExport(Visit& visit) {
  const auto& form = visit.request.form;
  json args = {{"matter", form.get("matter")},
               {"query", form.get("query")},
               {"format", form.get("format")},
               {"redactBcc", form.get("redactBcc") == "yes"}};
  if (const auto phrase = form.get("passphrase"); !phrase.empty()) args["passphrase"] = phrase;
  json made;
  try {
    made = visit.order("export.create", args);
  } catch (const app::OrderRefused& refused) {
    return drawNew(visit, form, 422, views::refusal(refused));
  }
  if (views::text(made, "passphrase").empty()) return Response::redirect(views::exportPath(views::text(made, "id")));
  return visit.page(
      "export-made", {"Passphrase of the export", "exports"},
      {{"passphrase", views::text(made, "passphrase")}, {"path", views::exportPath(views::text(made, "id"))}});
}

Response showExport(Visit& visit) {
  const auto shown = visit.order("export.show", {{"id", visit.param("export")}});
  auto view = views::withMatterName(exportRow(shown, visit.now()), views::matterNames(visit));
  if (view["running"] == true) view["progress"] = progressOf(visit, shown);
  json downloads = json::array();
  for (const auto& one : views::part(shown, "downloads"))
    downloads.push_back({{"at", views::moment(one, "at", visit.now())}, {"by", views::text(one, "by")}});
  view["downloads"] = downloads;
  view["noDownloads"] = downloads.empty();
  const auto& manifest = views::part(shown, "manifest");
  view["manifest"] =
      manifest.empty() ? views::text(shown, "manifest") : manifest.dump(2, ' ', false, json::error_handler_t::replace);
  view["roles"] = views::rolesOf(visit);
  return visit.page("export", {"Export " + visit.param("export"), "exports"}, std::move(view));
}

// For the script of the page of an export that is being made.
Response exportProgress(Visit& visit) {
  const auto shown = visit.order("export.show", {{"id", visit.param("export")}});
  const auto state = views::text(shown, "state");
  auto answer = progressOf(visit, shown);
  answer["state"] = state;
  answer["finished"] = exportRow(shown, visit.now())["running"] == false;
  return jsonResponse(200, answer);
}

Response downloadExport(Visit& visit) {
  const auto id = visit.param("export");
  const auto shown = visit.order("export.show", {{"id", id}});
  if (!isMade(views::text(shown, "state")))
    throw app::OrderRefused({"refused", "The export is not ready yet.", "Wait until it is made."});
  const auto first = visit.order("export.read", {{"id", id}, {"offset", 0}, {"length", PieceLength}});
  const auto piece = [](const json& answer) {
    auto bytes = crypto::fromBase64(views::text(answer, "bytes"));
    if (!bytes) throw Error(ErrorKind::Invariant, "listd answered export.read with bytes that are no base64");
    return std::move(*bytes);
  };
  auto response = views::attachment("application/octet-stream", "export-" + id + ".zip", {});
  response.length = views::number(first, "total");
  // The rest is asked for after this page has returned, so it keeps what a Visit refers to.
  response.pieces = [asked = std::make_shared<const Request>(visit.request), &tools = visit.tools,
                     session = visit.session, id, start = piece(first), piece](std::uint64_t offset) {
    if (offset == 0) return start;
    const Visit later{*asked, tools, {}, session, {}};
    return piece(later.order("export.read", {{"id", id}, {"offset", offset}, {"length", PieceLength}}));
  };
  return response;
}

Response confirmExportRemoval(Visit& visit) {
  return visit.page(
      "export-remove", {"Remove an export", "exports"},
      views::withMatterName(exportRow(visit.order("export.show", {{"id", visit.param("export")}}), visit.now()),
                            views::matterNames(visit)));
}

Response removeExport(Visit& visit) {
  visit.order("export.remove", {{"id", visit.param("export")}});
  return Response::redirect("/exports?done=export-removed");
}

}  // namespace postern::webadmin::pages
