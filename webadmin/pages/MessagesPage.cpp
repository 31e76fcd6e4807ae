#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

// What one rule says: "received 2025-01-10 + 6 years = 2031-01-10".
json lineView(const json& line, TimePoint now) {
  const auto effect = views::text(line, "effect");
  const auto start = views::text(line, "start");
  const bool retains = effect != "delete", deletes = effect != "retain";
  return {{"name", views::text(line, "name")},
          {"path", views::rulePath(views::text(line, "rule"))},
          {"version", views::text(line, "version")},
          {"tier", words::tier(views::text(line, "tier"))},
          {"effect", words::effect(effect)},
          {"period", views::text(line, "period")},
          {"start", start.empty() || start == "received" ? "Receipt" : start},
          {"startAt", views::moment(line, "startAt", now)},
          {"retainEnd", retains ? views::moment(line, "retainEnd", now) : json(nullptr)},
          {"deleteEnd", deletes ? views::moment(line, "deleteEnd", now) : json(nullptr)},
          {"unknown", views::text(line, "match") == "unknown"},
          {"switchedOff", views::flag(line, "switchedOff")},
          {"decidesRetain", views::flag(line, "decidesRetain")},
          {"decidesDelete", views::flag(line, "decidesDelete")}};
}

json referenceView(const json& reference, TimePoint now) {
  json lines = json::array();
  for (const auto& line : views::part(reference, "lines")) lines.push_back(lineView(line, now));
  const auto dispose = views::moment(reference, "disposeAt", now);
  const bool never = dispose.is_null() || dispose.contains("never");
  return {{"list", views::text(reference, "list")},
          {"never", never},
          {"disposeAt", dispose},
          {"retainUntil", views::moment(reference, "retainUntil", now)},
          {"deleteAt", views::moment(reference, "deleteAt", now)},
          {"action", words::action(views::text(reference, "action"))},
          {"due", views::flag(reference, "due")},
          {"lines", lines},
          {"noLines", lines.empty()},
          {"hiddenAt", views::moment(reference, "hiddenAt", now)},
          {"removedAt", views::moment(reference, "removedAt", now)}};
}

// The date for the headline: the last of the references, since the key dies with it.
json headline(const json& references) {
  json last;
  for (const auto& reference : references) {
    if (!reference["removedAt"].is_null()) continue;
    if (reference["never"] == true) return nullptr;
    if (last.is_null() || reference["disposeAt"]["iso"] > last["iso"]) last = reference["disposeAt"];
  }
  return last;
}

Response drawMessage(const Visit& visit, const json& checked) {
  const auto now = visit.now();
  const auto& object = visit.param("object");
  const auto shown = visit.order("retention.explain", {{"object", object}});
  json references = json::array(), holds = json::array(), history = json::array();
  for (const auto& reference : views::part(shown, "references")) references.push_back(referenceView(reference, now));
  const auto& keeping = views::part(shown, "holds");
  const auto matters = keeping.empty() ? json::object() : views::matterNames(visit);
  for (const auto& hold : keeping) {
    auto row = views::withMatterName(views::holdRow(hold, now), matters);
    row["until"] = views::moment(hold, "until", now);
    holds.push_back(std::move(row));
  }
  for (const auto& step : views::part(shown, "history"))
    history.push_back({{"at", views::moment(step, "at", now)},
                       {"sentence", step.is_string()        ? step.get<std::string>()
                                    : step.contains("what") ? words::sentence(views::text(step, "what"))
                                                            : views::text(step, "sentence")}});
  const bool held = !holds.empty();
  const auto destroyed = headline(references);
  return visit.page("message", {"Message " + object, "messages"},
                    {{"object", object},
                     {"path", views::messagePath(object)},
                     {"receivedAt", views::moment(shown, "receivedAt", now)},
                     {"size", words::size(views::number(shown, "size"))},
                     {"class", words::listClass(views::text(shown, "class"))},
                     {"badge",
                      {{"text", words::recordState(views::text(shown, "state"))},
                       {"tone", words::recordTone(views::text(shown, "state"))}}},
                     {"destroyedAt", destroyed},
                     {"sentence", views::text(shown, "sentence")},
                     {"references", references},
                     {"holds", holds},
                     {"held", held},
                     {"mayHolds", views::may(visit, Officer | Auditor)},
                     {"mayVerify", views::may(visit, Officer | Auditor)},
                     {"history", history},
                     {"anyHistory", !history.empty()},
                     {"digest", words::fingerprint(views::text(shown, "digest"))},
                     {"checked", checked},
                     {"roles", views::rolesOf(visit)}});
}

}  // namespace

// The words may be an object, a Message-ID or the number of a post; listd knows which.
Response messages(Visit& visit) {
  const auto wanted = visit.request.query.get("q");
  json refusal;
  if (!wanted.empty()) {
    const bool isMessageId = wanted.find('@') != std::string::npos;
    for (const auto* field : {"messageId", "object", "post"}) {
      if (isMessageId != (std::string_view(field) == "messageId")) continue;
      try {
        const auto found = visit.order("retention.explain", {{field, wanted}});
        return Response::redirect(views::messagePath(views::text(found, "object")));
      } catch (const app::OrderRefused& refused) {
        refusal = views::refusal(refused);
      }
    }
  }
  return visit.page("messages", {"Messages", "messages", refusal.is_null() ? 200 : 404},
                    {{"q", wanted}, {"refusal", refusal}, {"roles", views::rolesOf(visit)}});
}

Response message(Visit& visit) {
  return drawMessage(visit, nullptr);
}

Response verifyMessage(Visit& visit) {
  const auto result = visit.order("retention.verify", {{"object", visit.param("object")}});
  return drawMessage(visit, {{"ok", views::flag(result, "ok")}, {"at", views::time(visit.now(), visit.now())}});
}

}  // namespace postern::webadmin::pages
