#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/Encoding.h"
#include "webadmin/Drafts.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/Tokens.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

#include <algorithm>

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// Base64 makes a third more of it when the form comes the second time.
constexpr std::size_t MostFileBytes = 4u << 20;

struct File {
  std::string name;
  std::string type;
  std::string content;
};

// What is written so far. All of it comes back with each step of the form, files too, so that nothing has to be kept
// here.
struct Draft {
  std::string key;  // of this form: however often it comes, it sends once
  std::string to, cc, subject, text;
  std::vector<File> files;
};

// A field "file" or "kept", with its name and type behind it.
std::vector<File> filesOf(const Fields& form) {
  std::vector<File> files;
  std::size_t index = 0;
  std::vector<std::string> dropped;
  for (const auto& [name, value] : form.items()) {
    if (name == "drop") dropped.push_back(value);
    if (name == "file" || name == "kept") {
      auto content = name == "file" ? std::optional(value) : crypto::fromBase64(value);
      files.push_back({{}, {}, content ? std::move(*content) : std::string()});
    } else if (files.empty()) {
      continue;
    } else if (name == "file.name" || name == "kept.name") {
      files.back().name = value;
    } else if (name == "file.type" || name == "kept.type") {
      files.back().type = value;
    }
  }
  std::erase_if(files, [&](const File& file) {
    const bool gone = std::find(dropped.begin(), dropped.end(), std::to_string(index++)) != dropped.end();
    return gone || (file.name.empty() && file.content.empty());
  });
  return files;
}

Draft draftOf(const Fields& form) {
  Draft draft{form.get("key"), form.get("to"), form.get("cc"), form.get("subject"), form.get("text"), filesOf(form)};
  if (draft.key.size() < 16) draft.key = tokens::random();
  return draft;
}

// "ann@x, Bob <bob@y>; carl@z" or one on a line.
json addressesIn(const std::string& text) {
  json found = json::array();
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(",;\r\n"), rest.size());
    auto one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (const auto open = one.find('<'); open != one.npos && one.find('>', open) != one.npos)
      one = one.substr(open + 1, one.find('>', open) - open - 1);
    const auto first = one.find_first_not_of(" \t");
    if (first == one.npos) continue;
    found.push_back(std::string(one.substr(first, one.find_last_not_of(" \t") - first + 1)));
  }
  return found;
}

std::string sizeOf(std::size_t bytes) {
  return bytes < 1024 ? std::to_string(bytes) + " bytes" : std::to_string((bytes + 1023) / 1024) + " KiB";
}

json draftView(const Draft& draft) {
  json files = json::array();
  std::size_t number = 0;
  for (const auto& file : draft.files)
    files.push_back({{"name", file.name.empty() ? "file without a name" : file.name},
                     {"fileName", file.name},
                     {"type", file.type},
                     {"size", sizeOf(file.content.size())},
                     {"content", crypto::base64(file.content)},
                     {"number", std::to_string(number++)}});
  const bool hasFiles = !files.empty();
  return {{"key", draft.key},         {"to", draft.to},     {"cc", draft.cc},
          {"subject", draft.subject}, {"text", draft.text}, {"files", std::move(files)},
          {"hasFiles", hasFiles}};
}

json planRows(const json& plan) {
  json rows = json::array();
  for (const auto& item : views::part(plan, "items")) {
    const auto protection = views::text(item, "protection");
    rows.push_back({{"address", views::text(item, "address")},
                    {"protection", words::protection(protection)},
                    {"tone", protection == "withheld" ? "wait" : "good"},
                    {"means", words::meaning(protection)},
                    {"reason", words::reason(views::text(item, "reason"))}});
  }
  return rows;
}

json sentRows(const Visit& visit) {
  json rows = json::array();
  const auto sent = visit.order("mail.sent", {{"limit", 10}});
  for (const auto& post : views::part(sent, "items")) {
    auto row = views::postRow(post, visit.now());
    row["path"] = "/send/" + views::text(post, "id");
    row["number"] = views::text(post, "id");
    row["count"] = words::count(views::number(post, "recipients"));
    row["delivered"] = words::count(views::number(post, "delivered"));
    rows.push_back(std::move(row));
  }
  return rows;
}

Response drawForm(const Visit& visit, int status, const json& refusal, const Draft& draft, json more = json::object()) {
  json view = draftView(draft);
  view["account"] = visit.session->account;
  view["refusal"] = refusal;
  view.update(more);
  return visit.page("send", {"Send secure", "send", status}, view);
}

std::size_t bytesOf(const Draft& draft) {
  std::size_t bytes = 0;
  for (const auto& file : draft.files) bytes += file.content.size();
  return bytes;
}

// Nothing that goes wrong may cost the person what they wrote: every trouble is shown above the form, with all in it.
template <class Work>
Response guarded(const Visit& visit, const Draft& draft, Work work) {
  try {
    if (bytesOf(draft) > MostFileBytes)
      throw app::OrderRefused({"invalid", "The files are too large.", "Attach at most 4 MiB in all on this page."});
    return work();
  } catch (const app::OrderRefused& refused) {
    const auto& error = refused.error();
    if (error.code == "signed-out") throw;  // Site keeps the form
    if (error.code != "broken" && error.code != "unavailable")
      return drawForm(visit, 422, views::refusal(error.message, error.hint), draft);
    log::error("web", error.message, {{"page", "/send"}});
  } catch (const Error& error) {
    log::error("web", error.displayText(), {{"page", "/send"}});
  }
  return drawForm(
      visit, 503,
      views::refusal("Postern does not answer just now.",
                     "Nothing of what you wrote is lost. Try again; it is sent once, however often you try."),
      draft);
}

json argsOf(const Draft& draft) {
  json args{{"to", addressesIn(draft.to)},
            {"cc", addressesIn(draft.cc)},
            {"subject", draft.subject},
            {"text", draft.text},
            {"files", json::array()}};
  for (const auto& file : draft.files)
    args["files"].push_back({{"name", file.name}, {"type", file.type}, {"content", crypto::base64(file.content)}});
  return args;
}

// What the policies would say if it were sent now: null where they let it through, or were not asked.
json refusedBy(const json& plan) {
  const auto& verdict = views::part(plan, "verdict");
  if (verdict.empty() || views::flag(verdict, "passed")) return nullptr;
  return {{"later", views::flag(verdict, "later")}, {"text", words::sentence(views::text(verdict, "text"))}};
}

Response showPlan(const Visit& visit, const Draft& draft) {
  return guarded(visit, draft, [&] {
    const auto args = argsOf(draft);
    if (args["to"].empty() && args["cc"].empty())
      throw app::OrderRefused({"usage", "Nobody is named who shall get this message.", "Write at least one address."});
    if (draft.text.find_first_not_of(" \t\r\n") == std::string::npos && draft.files.empty())
      throw app::OrderRefused({"usage", "There is nothing to send.", "Write a text or attach a file."});
    const auto plan = visit.order("mail.preview", args);
    const auto& items = views::part(plan, "items");
    const bool somebody = std::any_of(items.begin(), items.end(),
                                      [](const json& one) { return views::text(one, "protection") != "withheld"; });
    const auto refused = refusedBy(plan);
    auto view = draftView(draft);
    view.update({{"account", visit.session->account},
                 {"from", views::text(plan, "from")},
                 {"list", views::text(plan, "list")},
                 {"plan", planRows(plan)},
                 {"noSubject", draft.subject.empty()},
                 {"nobody", !somebody},
                 {"refused", refused},
                 {"maySend", somebody && refused.is_null()}});
    return visit.page("send-check", {"Check and send", "send"}, view);
  });
}

Response sendNow(const Visit& visit, const Draft& draft) {
  return guarded(visit, draft, [&] {
    auto args = argsOf(draft);
    args["key"] = draft.key;
    const auto sent = visit.order("mail.send", args);
    return Response::redirect("/send/" + views::text(sent, "id") + "?done=mail-sent");
  });
}

}  // namespace

Response composeMail(Visit& visit) {
  const auto kept = drafts::take(visit);
  const auto draft = draftOf(kept ? *kept : Fields());
  json more = json::object();
  try {
    more["from"] = views::text(visit.order("mail.preview"), "from");
    more["sent"] = sentRows(visit);
    more["hasSent"] = !more["sent"].empty();
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "refused") throw;
    more["mayNot"] = views::refusal(refused.error().message, refused.error().hint);
  }
  more["restored"] = kept.has_value();
  auto response = drawForm(visit, 200, nullptr, draft, more);
  if (kept) response.headers.push_back(setCookie(drafts::Cookie, ""));
  return response;
}

Response sendMail(Visit& visit) {
  const auto draft = draftOf(visit.request.form);
  const auto step = visit.request.form.get("step");
  if (step == "send") return sendNow(visit, draft);
  if (step == "edit") return drawForm(visit, 200, nullptr, draft);
  return showPlan(visit, draft);
}

Response sentMail(Visit& visit) {
  const auto trace = visit.order("mail.sent", {{"id", visit.param("post")}});
  const auto& post = views::part(trace, "post");
  json rows = json::array();
  bool waits = false;
  for (const auto& one : views::part(trace, "recipients")) {
    const auto protection = views::text(one, "protection");
    const auto state = views::text(one, "state");
    waits = waits || state == "planned" || state == "queued" || state == "deferred";
    const auto& pickup = views::part(one, "pickup");
    rows.push_back({{"address", views::text(one, "address")},
                    {"protection", words::protection(protection)},
                    {"tone", protection == "withheld" ? "wait" : "good"},
                    {"reason", words::reason(views::text(one, "reason"))},
                    {"badge", views::badge(state)},
                    {"deliveredAt", views::time(one, "deliveredAt", visit.now())},
                    {"readAt", views::time(pickup, "openedAt", visit.now())},
                    {"unread", protection == "pickup" && views::number(pickup, "openedAt") == 0}});
  }
  return visit.page("send-result", {"Message sent", "send"},
                    {{"number", views::text(post, "id")},
                     {"receivedAt", views::time(post, "receivedAt", visit.now())},
                     {"list", views::text(post, "list")},
                     {"path", "/send/" + visit.param("post")},
                     {"waits", waits},
                     {"rows", rows}});
}

}  // namespace postern::webadmin::pages
