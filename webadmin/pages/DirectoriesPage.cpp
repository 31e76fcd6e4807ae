#include "core/crypto/Encoding.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

// Where keys of members come from: LDAP directories that are asked, and the authorities their certificates must chain
// to. Works without JavaScript.
namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

constexpr const char* Section = "directories";

std::string joined(const json& words) {
  std::string text;
  for (const auto& word : words)
    if (word.is_string()) text.append(text.empty() ? "" : ", ").append(word.get<std::string>());
  return text;
}

json tabsView(const Visit& visit, bool authorities) {
  return {{"directories", !authorities}, {"authorities", authorities}, {"keyWork", views::may(visit, Admin | Owner)}};
}

// How it stands: an error counts for as long as no answer came after it.
json standOf(const json& directory) {
  const auto answered = views::number(directory, "answeredAt"), failed = views::number(directory, "failedAt");
  if (failed > answered) return {{"text", "Does not answer"}, {"tone", "bad"}};
  if (answered > 0) return {{"text", "Answers"}, {"tone", "good"}};
  return {{"text", "Not asked yet"}, {"tone", "calm"}};
}

json rowOf(const json& directory, TimePoint now) {
  const auto name = views::text(directory, "name");
  return {{"name", name},
          {"url", views::text(directory, "url")},
          {"domains", joined(views::part(directory, "domains"))},
          {"base", views::text(directory, "base")},
          {"filter", views::text(directory, "filter")},
          {"attributes", joined(views::part(directory, "attributes"))},
          {"bindName", views::text(directory, "bindName")},
          {"authoritative", views::flag(directory, "authoritative")},
          {"ownAuthorities", views::flag(directory, "ownAuthorities")},
          {"badge", standOf(directory)},
          {"answeredAt", views::time(directory, "answeredAt", now)},
          {"answer", words::sentence(views::text(directory, "answer"))},
          {"failedAt", views::time(directory, "failedAt", now)},
          {"failure", words::sentence(views::text(directory, "failure"))},
          {"changePath", "/directories?change=" + percentEncode(name) + "#add"},
          {"removePath", "/directories/remove?name=" + percentEncode(name)}};
}

json formOf(const Fields& form) {
  return {{"name", form.get("name")},
          {"url", form.get("url")},
          {"domains", form.get("domains")},
          {"base", form.get("base")},
          {"filter", form.get("filter", "(mail=%a)")},
          {"attributes", form.get("attributes")},
          {"bindName", form.get("bindName")},
          {"authorities", form.get("authorities")},
          {"authoritative", form.get("authoritative") == "yes"}};
}

// What came of a test, in words.
json testView(const json& answer, const std::string& address) {
  json keys = json::array();
  for (const auto& key : views::part(answer, "keys"))
    keys.push_back({{"fingerprint", words::fingerprint(views::text(key, "fingerprint"))},
                    {"usable", views::flag(key, "usable")},
                    {"reason", words::sentence(views::text(key, "reason"))}});
  const bool found = !keys.empty();
  return {{"place", views::text(answer, "place")},
          {"address", address},
          {"outcome", words::sentence(views::text(answer, "outcome"))},
          {"keys", keys},
          {"found", found}};
}

struct Shown {
  int status = 200;
  json refusal = nullptr;
  json tested = nullptr;
  bool adds = false;  // the form of a directory was sent: it keeps what was typed
};

Response drawDirectories(const Visit& visit, const Shown& shown) {
  json rows = json::array();
  const auto changed = visit.request.query.get("change");
  json form = formOf(shown.adds ? visit.request.form : Fields());
  const auto directories = visit.order("directory.list");
  for (const auto& directory : views::part(directories, "items")) {
    rows.push_back(rowOf(directory, visit.now()));
    if (!shown.adds && !changed.empty() && views::text(directory, "name") == changed) {
      form.update(rows.back());
      form["changes"] = true;
    }
  }
  const bool any = !rows.empty(), mayChange = views::may(visit, Admin);
  return visit.page("directories", {"LDAP directories", Section, shown.status},
                    {{"tab", tabsView(visit, false)},
                     {"rows", std::move(rows)},
                     {"any", any},
                     {"mayChange", mayChange},
                     {"mayTest", mayChange && any},
                     {"form", std::move(form)},
                     {"testName", visit.request.form.get("tested")},
                     {"testAddress", visit.request.form.get("address")},
                     {"tested", shown.tested},
                     {"refusal", shown.refusal}});
}

Response drawDirectoryRemoval(const Visit& visit, const std::string& name, int status, const json& refusal) {
  return visit.page("directory-remove", {"Remove a directory", Section, status},
                    {{"name", name}, {"refusal", refusal}});
}

json authorityRow(const json& authority, TimePoint now) {
  const auto fingerprint = views::text(authority, "fingerprint");
  return {{"subject", views::text(authority, "subject")},
          {"fingerprint", words::fingerprint(fingerprint)},
          {"notAfter", views::time(authority, "notAfterAt", now)},
          {"ended", TimePoint(std::chrono::microseconds(authority.value("notAfterAt", std::int64_t{0}))) < now},
          {"addedAt", views::time(authority, "addedAt", now)},
          {"addedBy", views::text(authority, "addedBy")},
          {"removePath", "/authorities/remove?fingerprint=" + percentEncode(fingerprint)}};
}

Response drawAuthorities(const Visit& visit, int status, const json& refusal) {
  const auto known = visit.order("trust.list");
  json rows = json::array();
  for (const auto& authority : views::part(known, "items")) rows.push_back(authorityRow(authority, visit.now()));
  const auto settings = views::text(known, "fromSettings");
  const bool any = !rows.empty();
  return visit.page("authorities", {"Trusted authorities", Section, status},
                    {{"tab", tabsView(visit, true)},
                     {"rows", std::move(rows)},
                     {"any", any},
                     {"none", !any && settings.empty()},
                     {"settings", settings},
                     {"mayChange", views::may(visit, Admin)},
                     {"certificate", visit.request.form.get("certificate")},
                     {"refusal", refusal}});
}

std::string keysInWords(std::uint64_t count) {
  return words::count(count) + (count == 1 ? " key" : " keys");
}

// What it would change: {"subject", "fingerprint", "notAfter", "gained", "lost"}.
json effectView(const json& change, TimePoint now) {
  auto view = authorityRow(change, now);
  const auto& effect = views::part(change, "effect");
  view["gained"] = keysInWords(views::number(effect, "gained"));
  view["lost"] = keysInWords(views::number(effect, "lost"));
  view["gains"] = views::number(effect, "gained") > 0;
  view["loses"] = views::number(effect, "lost") > 0;
  return view;
}

// A file has the last word; DER goes on as base64, as the order takes it.
std::string certificateIn(const Fields& form) {
  const auto file = form.get("file");
  if (file.empty()) return form.get("certificate");
  return file.find("-----BEGIN") == std::string::npos ? crypto::base64(file) : file;
}

bool isLast(const Visit& visit) {
  const auto known = visit.order("trust.list");
  return views::part(known, "items").size() == 1 && views::text(known, "fromSettings").empty();
}

Response drawAuthorityRemoval(const Visit& visit, const std::string& fingerprint, int status, const json& refusal) {
  const auto change = visit.order("trust.remove", {{"fingerprint", fingerprint}, {"preview", true}});
  auto view = effectView(change, visit.now());
  view.update({{"key", views::text(change, "fingerprint")}, {"last", isLast(visit)}, {"refusal", refusal}});
  return visit.page("authority-remove", {"Trust an authority no more", Section, status}, view);
}

}  // namespace

Response directories(Visit& visit) {
  return drawDirectories(visit, {});
}

Response addDirectory(Visit& visit) {
  const auto& form = visit.request.form;
  json args{{"name", form.get("name")},
            {"url", form.get("url")},
            {"domains", form.get("domains")},
            {"authoritative", form.get("authoritative") == "yes"}};
  for (const auto* field : {"base", "filter", "attributes", "bindName", "password", "authorities"})
    if (const auto text = form.get(field); !text.empty()) args[field] = text;
  try {  // the boundary of a page: what listd refuses is shown in place
    visit.order("directory.add", args);
  } catch (const app::OrderRefused& refused) {
    return drawDirectories(visit, {422, views::refusal(refused), nullptr, true});
  }
  return Response::redirect("/directories?done=directory-added");
}

Response testDirectory(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    const auto address = form.get("address");
    const auto answer = visit.order("directory.test", {{"name", form.get("tested")}, {"address", address}});
    return drawDirectories(visit, {200, nullptr, testView(answer, address), false});
  } catch (const app::OrderRefused& refused) {
    return drawDirectories(visit, {422, views::refusal(refused), nullptr, false});
  }
}

Response confirmDirectoryRemoval(Visit& visit) {
  return drawDirectoryRemoval(visit, visit.request.query.get("name"), 200, nullptr);
}

Response removeDirectory(Visit& visit) {
  const auto name = visit.request.form.get("name");
  try {
    visit.order("directory.remove", {{"name", name}});
  } catch (const app::OrderRefused& refused) {
    return drawDirectoryRemoval(visit, name, 422, views::refusal(refused));
  }
  return Response::redirect("/directories?done=directory-removed");
}

Response authorities(Visit& visit) {
  return drawAuthorities(visit, 200, nullptr);
}

// First what it would change; the form comes back with the certificate in it.
Response addAuthority(Visit& visit) {
  const auto& form = visit.request.form;
  const auto certificate = certificateIn(form);
  const bool sure = form.get("sure") == "yes";
  try {
    const auto change = visit.order("trust.add", {{"certificate", certificate}, {"preview", !sure}});
    if (sure) return Response::redirect("/authorities?done=authority-added");
    auto view = effectView(change, visit.now());
    view["certificate"] = certificate;
    return visit.page("authority-add", {"Trust an authority", Section}, view);
  } catch (const app::OrderRefused& refused) {
    return drawAuthorities(visit, 422, views::refusal(refused));
  }
}

Response confirmAuthorityRemoval(Visit& visit) {
  return drawAuthorityRemoval(visit, visit.request.query.get("fingerprint"), 200, nullptr);
}

Response removeAuthority(Visit& visit) {
  const auto& form = visit.request.form;
  const auto fingerprint = form.get("fingerprint");
  try {
    visit.order("trust.remove", {{"fingerprint", fingerprint}, {"last", form.get("last") == "yes"}});
  } catch (const app::OrderRefused& refused) {
    auto refusal = views::refusal(refused);
    if (refused.error().code == "refused" && isLast(visit))
      refusal["hint"] = "Add another one first, or tick the box below if that is what you want.";
    return drawAuthorityRemoval(visit, fingerprint, 422, refusal);
  }
  return Response::redirect("/authorities?done=authority-removed");
}

}  // namespace postern::webadmin::pages
