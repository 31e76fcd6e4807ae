#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

std::string joined(const json& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + item.get<std::string>();
  return text;
}

json meansBadge(const std::string& means) {
  if (means == "dane") return {{"text", "Verified by DANE"}, {"tone", "good"}};
  if (means == "mta-sts") return {{"text", "Verified under MTA-STS"}, {"tone", "good"}};
  if (means == "pkix") return {{"text", "Certificate verified"}, {"tone", "good"}};
  return {{"text", "Not verified"}, {"tone", "bad"}};
}

std::string stsWords(const json& sts) {
  const auto mode = views::text(sts, "mode");
  if (mode.empty()) return "No policy.";
  const auto what = mode == "enforce"   ? "Enforced: "
                    : mode == "testing" ? "Only tested, so it demands nothing: "
                                        : "Switched off by the domain: ";
  return what + joined(views::part(sts, "mx")) + " (id " + views::text(sts, "id") + ")";
}

std::string stsOfHost(const std::string& word) {
  if (word == "ok") return "The policy allows this server.";
  return word == "none" ? "No policy." : "The policy does not allow this server.";
}

std::string daneOfHost(const std::string& word) {
  if (word == "ok") return "The certificate matches a TLSA record.";
  if (word == "none") return "No TLSA record.";
  if (word == "not signed") return "Not possible: MX record or address are not signed with DNSSEC.";
  if (word == "no record can be used") return "TLSA records are there, but none can be used: TLS is demanded.";
  return "Failed: " + word;
}

json hostView(const json& host, TimePoint now) {
  const auto& certificate = views::part(host, "certificate");
  const auto version = views::text(host, "version");
  const auto chain = views::text(host, "chain");
  json tlsa = json::array();
  for (const auto& record : views::part(host, "tlsa")) tlsa.push_back(record);
  return {{"name", views::text(host, "name")},
          {"reached", views::text(host, "address").empty()
                          ? std::string("not asked")
                          : views::text(host, "address") + ", port " + views::text(host, "port")},
          {"problem", views::text(host, "problem")},
          {"startTls", !views::flag(host, "startTls") ? std::string("Not offered.")
                       : version.empty()              ? std::string("Offered, but the handshake failed.")
                                                      : version + ", " + views::text(host, "cipher")},
          {"subject", views::text(certificate, "subject")},
          {"issuer", views::text(certificate, "issuer")},
          {"names", joined(views::part(certificate, "names"))},
          {"notAfter", views::time(certificate, "notAfterAt", now)},
          {"chain", chain == "ok"   ? "Trusted for " + joined(views::part(host, "expected")) + "."
                    : chain.empty() ? std::string("No certificate.")
                                    : chain + " (expected: " + joined(views::part(host, "expected")) + ")"},
          {"dane", daneOfHost(views::text(host, "dane"))},
          {"tlsa", tlsa},
          {"sts", stsOfHost(views::text(host, "sts"))},
          {"requireTls", views::flag(host, "requireTls") ? "Supported." : "Not supported."},
          {"badge", meansBadge(views::text(host, "means"))}};
}

json factsOf(const json& state, TimePoint now) {
  const auto& probe = views::part(state, "probe");
  const auto& mark = views::part(state, "mark");
  const auto& last = views::part(state, "lastDelivery");
  const auto& sts = views::part(probe, "sts");
  json hosts = json::array();
  for (const auto& host : views::part(probe, "hosts")) hosts.push_back(hostView(host, now));
  json facts{{"route", views::text(probe, "route")},
             {"problem", views::text(probe, "problem")},
             {"mxWords", views::flag(probe, "mxSecure") ? "Signed with DNSSEC." : "Not signed with DNSSEC."},
             {"stsWords", stsWords(sts)},
             {"stsProblem", views::text(sts, "problem")},
             {"hosts", hosts}};
  facts["mark"] = mark.empty() ? json(nullptr)
                               : json{{"badge", views::badge(views::text(mark, "mark"))},
                                      {"reason", views::text(mark, "reason")},
                                      {"setBy", views::text(mark, "setBy")}};
  if (last.empty()) return facts;
  const auto version = views::text(last, "version");
  facts["last"] = {{"badge", views::badge(views::text(last, "outcome"))},
                   {"at", views::time(last, "at", now)},
                   {"host", views::text(last, "host")},
                   {"tls", version.empty() ? "no TLS" : version + ", " + views::text(last, "verification")},
                   {"reply", views::text(last, "reply")}};
  return facts;
}

json shownOf(const Visit& visit, const std::string& domain) {
  const auto state = visit.order("probe.show", {{"domain", domain}});
  const auto& known = views::part(state, "known");
  json shown{{"domain", domain},
             {"running", views::flag(state, "running")},
             {"progress", views::text(state, "progress")},
             {"mark", !views::part(state, "mark").empty()},
             {"mayMark", views::may(visit, Admin)}};
  shown["known"] = known.empty() ? json(nullptr)
                                 : json{{"badge", meansBadge(views::text(known, "means"))},
                                        {"sentence", views::text(known, "sentence")},
                                        {"checkedAt", views::time(known, "checkedAt", visit.now())}};
  const bool hasFacts = !views::part(state, "probe").empty() || !views::part(state, "lastDelivery").empty();
  shown["facts"] = hasFacts ? factsOf(state, visit.now()) : json(nullptr);
  return shown;
}

json marksOf(const Visit& visit) {
  json rows = json::array();
  if (!views::may(visit, Admin | Officer | Auditor | Helpdesk)) return rows;
  const auto marks = visit.order("domain.marks");
  for (const auto& mark : views::part(marks, "items"))
    rows.push_back({{"domain", views::text(mark, "domain")},
                    {"path", "/tls?domain=" + percentEncode(views::text(mark, "domain"))},
                    {"badge", views::badge(views::text(mark, "mark"))},
                    {"reason", views::text(mark, "reason")},
                    {"setBy", views::text(mark, "setBy")},
                    {"since", views::time(mark, "setAt", visit.now())}});
  return rows;
}

Response draw(const Visit& visit, const std::string& domain, int status, json refusal) {
  json shown;
  try {
    if (!domain.empty()) shown = shownOf(visit, domain);
  } catch (const app::OrderRefused& refused) {
    if (refusal.is_null()) refusal = views::refusal(refused);
    status = 422;
  }
  const auto marks = marksOf(visit);
  return visit.page("probe", {"TLS of domains", "tls", status},
                    {{"domain", domain},
                     {"refusal", refusal},
                     {"shown", shown},
                     {"marks", marks},
                     {"hasMarks", !marks.empty()},
                     {"maySeeReports", views::may(visit, Admin | Officer | Auditor | Helpdesk)},
                     {"mayAsk", views::may(visit, Admin | Officer | Helpdesk | Owner)}});
}

std::string pathOf(const std::string& domain) {
  return "/tls?domain=" + percentEncode(domain);
}

}  // namespace

Response domainTls(Visit& visit) {
  return draw(visit, visit.request.query.get("domain"), 200, nullptr);
}

Response startProbe(Visit& visit) {
  const auto domain = visit.request.form.get("domain");
  try {
    const auto started = visit.order("probe.start", {{"domain", domain}});
    return Response::redirect(pathOf(views::text(started, "domain")));
  } catch (const app::OrderRefused& refused) {
    return draw(visit, "", 422, views::refusal(refused));
  }
}

Response markDomain(Visit& visit) {
  const auto domain = visit.request.form.get("domain");
  const auto mark = visit.request.form.get("mark");
  if (mark != "trust" && mark != "distrust" && mark != "unmark")
    throw app::OrderRefused({"usage", "There is no such mark of a domain.", "Open the page again."});
  try {
    visit.order("domain." + mark, {{"domain", domain}, {"reason", visit.request.form.get("reason")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, domain, 422, views::refusal(refused));
  }
  return Response::redirect(pathOf(domain) + "&done=domain-marked");
}

}  // namespace postern::webadmin::pages
