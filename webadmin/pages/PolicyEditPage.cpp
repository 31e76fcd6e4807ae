#include "core/crypto/Encoding.h"
#include "webadmin/pages/PolicyPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

// What the form holds: the set that it began from, and one file of it as it was changed.
struct Draft {
  std::string revision;
  json files;
  std::string file;
  std::string text;
  bool isNew = false;
};

std::string withoutReturns(std::string text) {
  std::erase(text, '\r');
  return text;
}

std::string firstFile(const json& files) {
  for (const auto& [path, text] : files.items())
    if (path.ends_with(".lua") && !path.starts_with("lib/")) return path;
  return files.empty() ? std::string() : files.begin().key();
}

Draft draftOf(const Visit& visit, const Fields& fields) {
  Draft draft;
  json args = json::object();
  if (const auto revision = fields.get("revision"); !revision.empty()) args["revision"] = revision;
  const auto base = visit.order("policy.show", args);
  draft.revision = std::to_string(views::number(base, "revision"));
  draft.files = views::part(base, "files");
  draft.file = fields.get("file");
  if (draft.file.empty()) draft.file = firstFile(draft.files);
  draft.isNew = !draft.files.contains(draft.file);
  draft.text = views::text(draft.files, draft.file);
  return draft;
}

constexpr const char* Skeleton = R"(return {
  name = "NAME",
  doc = "What it does, in a sentence.",
  settings = {},
  hooks = {
    message = function(tx, msg)
      return pass()
    end,
  },
  cases = {
    { title = "ordinary mail passes", tx = { recipients = { "a@example.org" } }, msg = { subject = "x" },
      expect = { verdict = "pass" } },
  },
}
)";

std::string skeletonOf(const std::string& file) {
  std::string text = Skeleton;
  const auto name = file.substr(0, file.rfind(".lua"));
  return file.ends_with(".lua") && !file.starts_with("lib/") ? text.replace(text.find("NAME"), 4, name) : std::string();
}

Response drawEditor(const Visit& visit, int status, const Draft& draft, const json& report, const json& refusal) {
  json choices = json::array();
  for (const auto& [path, text] : draft.files.items())
    choices.push_back({{"value", path}, {"chosen", path == draft.file}});
  return visit.page("policy-edit", {"Edit policies", "policies", status},
                    {{"refusal", refusal},
                     {"report", report},
                     {"revision", draft.revision},
                     {"back", policyPath(std::stoull(draft.revision))},
                     {"file", draft.file},
                     {"text", draft.text},
                     {"isNew", draft.isNew},
                     {"mayRemove", !draft.isNew},
                     {"choices", choices},
                     {"note", visit.request.form.get("note")}});
}

json verdictView(const json& verdict) {
  const auto word = views::text(verdict, "verdict");
  const auto code = views::number(verdict, "code");
  const bool through = word == "pass" || word == "accept" || word == "redirect";
  return {{"badge",
           {{"text", word},
            {"tone", through                             ? "good"
                     : word == "hold" || word == "defer" ? "wait"
                                                         : "bad"}}},
          {"code", code == 0 ? "" : std::to_string(code) + " " + views::text(verdict, "enh")},
          {"reason", views::text(verdict, "reason")},
          {"text", views::text(verdict, "text")},
          {"policy", views::text(verdict, "policy")},
          {"hook", views::text(verdict, "hook")},
          {"address", views::text(verdict, "address")}};
}

json stepRows(const json& hook) {
  json rows = json::array();
  const auto& recipients = views::part(hook, "recipients");
  for (const auto& step : views::part(hook, "steps")) {
    json verdicts = json::array();
    const auto& given = views::part(step, "verdicts");
    for (std::size_t i = 0; i < given.size() && i < recipients.size(); ++i) {
      auto one = given[i].is_null() ? json{{"before", true}} : verdictView(given[i]);
      one["address"] = recipients[i];
      verdicts.push_back(std::move(one));
    }
    json notes = json::array();
    for (const auto& note : views::part(step, "notes"))
      notes.push_back({{"key", views::text(note, "key")}, {"value", views::text(note, "value")}});
    rows.push_back({{"policy", views::text(step, "policy")},
                    {"time", std::to_string(views::number(step, "micros")) + " µs"},
                    {"verdicts", verdicts},
                    {"notes", notes}});
  }
  return rows;
}

json explanationView(const json& answer) {
  json results = json::array(), hooks = json::array();
  for (const auto& result : views::part(answer, "recipients")) results.push_back(verdictView(result));
  for (const auto& hook : views::part(answer, "hooks")) {
    const auto& failure = views::part(hook, "failure");
    auto steps = stepRows(hook);
    hooks.push_back({{"hook", views::text(hook, "hook")},
                     {"hasSteps", !steps.empty()},
                     {"steps", std::move(steps)},
                     {"failed", failure.is_object() && !failure.empty()
                                    ? views::text(failure, "policy") + ": " + views::text(failure, "detail")
                                    : std::string()}});
  }
  return {{"results", results},
          {"hooks", hooks},
          {"unclear", views::text(answer, "unclear")},
          {"stored", views::flag(answer, "stored")}};
}

Response drawTry(const Visit& visit, int status, const Fields& fields, const json& shown, const json& refusal) {
  return visit.page("policy-try", {"Try a message", "policies", status},
                    {{"refusal", refusal},
                     {"shown", shown},
                     {"revision", fields.get("revision")},
                     {"message", fields.get("message")},
                     {"post", fields.get("post")},
                     {"clientAddress", fields.get("clientAddress")},
                     {"mailFrom", fields.get("mailFrom")},
                     {"recipients", fields.get("recipients")},
                     {"tls", fields.get("tls") == "yes"}});
}

json recipientsIn(const std::string& text) {
  json recipients = json::array();
  std::string one;
  for (const char c : text + " ") {
    if (c != ' ' && c != ',' && c != '\n' && c != '\r' && c != '\t' && c != ';') {
      one += c;
    } else if (!one.empty()) {
      recipients.push_back(std::exchange(one, {}));
    }
  }
  return recipients;
}

}  // namespace

Response editPolicies(Visit& visit) {
  auto draft = draftOf(visit, visit.request.query);
  if (draft.isNew && draft.text.empty()) draft.text = skeletonOf(draft.file);
  return drawEditor(visit, 200, draft, nullptr, nullptr);
}

// Checking stores nothing; storing makes a candidate, which judges nobody's mail.
Response savePolicies(Visit& visit) {
  const auto& form = visit.request.form;
  auto draft = draftOf(visit, form);
  draft.text = withoutReturns(form.get("text"));
  const auto act = form.get("act");
  if (act == "remove")
    draft.files.erase(draft.file);
  else
    draft.files[draft.file] = draft.text;
  try {
    if (act == "check") {
      const auto report = visit.order("policy.test", {{"files", draft.files}});
      auto view = policyReportView(report, draft.files);
      if (report.contains("covered")) view["file"] = policyCoverage(report, draft.file, draft.text);
      return drawEditor(visit, 200, draft, view, nullptr);
    }
    const auto stored = visit.order("policy.store", {{"files", draft.files}, {"note", form.get("note")}});
    return Response::redirect(policyPath(views::number(stored, "revision")) + "?done=policy-stored");
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code == "unavailable")
      return drawEditor(visit, 503, draft, nullptr,
                        {{"message", refused.error().message}, {"hint", refused.error().hint}});
    return drawEditor(visit, 422, draft, nullptr, views::refusal(refused));
  }
}

Response tryPolicies(Visit& visit) {
  return drawTry(visit, 200, visit.request.query, nullptr, nullptr);
}

Response askPolicies(Visit& visit) {
  const auto& form = visit.request.form;
  json args = json::object();
  if (const auto revision = form.get("revision"); !revision.empty()) args["revision"] = revision;
  if (const auto post = form.get("post"); !post.empty()) {
    args["post"] = post;
  } else {
    args["message"] = crypto::base64(form.get("message"));
    for (const auto* name : {"clientAddress", "mailFrom"})
      if (const auto value = form.get(name); !value.empty()) args[name] = value;
    if (auto recipients = recipientsIn(form.get("recipients")); !recipients.empty()) args["recipients"] = recipients;
    if (form.get("tls") == "yes") args["tls"] = true;
  }
  try {
    const auto answer = visit.order("policy.explain", args);
    if (answer.contains("report"))
      return drawTry(
          visit, 422, form, nullptr,
          views::refusal("This policy set does not load, or one of its cases fails.", "See what its page says."));
    return drawTry(visit, 200, form, explanationView(answer), nullptr);
  } catch (const app::OrderRefused& refused) {
    return drawTry(visit, 422, form, nullptr, views::refusal(refused));
  }
}

}  // namespace postern::webadmin::pages
