#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

// Evidence packs: asked for, watched while they are made, downloaded.
namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

json badgeOf(const std::string& state, bool complete) {
  if (state == "done" && !complete) return {{"text", "Made, with gaps"}, {"tone", "wait"}};
  if (state == "done") return {{"text", "Ready"}, {"tone", "good"}};
  if (state == "failed") return {{"text", "Failed"}, {"tone", "bad"}};
  if (state == "expired") return {{"text", "Removed"}, {"tone", "calm"}};
  if (state == "cancelled") return {{"text", "Stopped"}, {"tone", "calm"}};
  return {{"text", "Being made"}, {"tone", "wait"}};
}

std::string packPath(const std::string& id) {
  return "/reports/evidence/" + percentEncode(id);
}

json rowOf(const json& pack, TimePoint now) {
  const auto id = views::text(pack, "id"), state = views::text(pack, "state");
  const auto done = views::number(pack, "done"), total = views::number(pack, "total");
  const bool open = state == "waiting" || state == "running";
  return {
      {"id", id},
      {"kind", "Evidence pack " + id},
      {"badge", badgeOf(state, views::flag(pack, "complete"))},
      {"open", open},
      {"ready", state == "done"},
      {"removable", open || state == "done"},
      {"measured", open && total > 0},
      {"value", done},
      {"max", total},
      {"progress", open && total > 0 ? words::count(done) + " of " + words::count(total) + " parts" : std::string()},
      {"message", state == "done" ? std::string() : words::sentence(views::text(pack, "message"))},
      {"createdAt", views::time(pack, "createdAt", now)},
      {"createdBy", views::text(pack, "createdBy")},
      {"expiresAt", views::time(pack, "expiresAt", now)},
      {"rows", words::count(views::number(pack, "rows"))},
      {"size", words::size(views::number(pack, "bytes"))},
      {"sha256", views::text(pack, "sha256")},
      {"downloadPath", packPath(id) + "/download"},
      {"removePath", packPath(id) + "/remove"}};
}

Response draw(const Visit& visit, int status, const json& refusal) {
  json rows = json::array();
  const auto packs = visit.order("evidence.list");
  for (const auto& pack : views::part(packs, "items")) rows.push_back(rowOf(pack, visit.now()));
  const bool any = !rows.empty();
  return visit.page("evidence", {"HIPAA evidence pack", "reports", status},
                    {{"packs", std::move(rows)}, {"any", any}, {"refusal", refusal}});
}

std::string bytesOf(const json& answer) {
  auto bytes = crypto::fromBase64(views::text(answer, "bytes"));
  if (!bytes) throw Error(ErrorKind::Invariant, "listd answered evidence.read with bytes that are no base64");
  return std::move(*bytes);
}

}  // namespace

Response evidencePacks(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response makeEvidencePack(Visit& visit) {
  try {  // the boundary of a page: what listd refuses is shown in place
    visit.order("evidence.pack");
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/reports/evidence?done=evidence-begun");
}

Response downloadEvidencePack(Visit& visit) {
  const auto id = visit.param("pack");
  const auto first = visit.order("evidence.read", {{"id", id}, {"offset", 0}});
  auto response = views::attachment("application/zip", "hipaa-evidence-pack-" + id + ".zip", {});
  response.length = views::number(first, "total");
  // The rest is asked for after this page has returned, so it keeps what a Visit refers to.
  response.pieces = [asked = std::make_shared<const Request>(visit.request), &tools = visit.tools,
                     session = visit.session, id, start = bytesOf(first),
                     ticket = views::text(first, "ticket")](std::uint64_t offset) {
    if (offset == 0) return start;
    const Visit later{*asked, tools, {}, session, {}};
    return bytesOf(later.order("evidence.read", {{"id", id}, {"offset", offset}, {"ticket", ticket}}));
  };
  return response;
}

Response removeEvidencePack(Visit& visit) {
  try {
    visit.order("evidence.remove", {{"id", visit.param("pack")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/reports/evidence?done=evidence-removed");
}

}  // namespace postern::webadmin::pages
