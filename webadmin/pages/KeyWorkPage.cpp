#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

json keyRow(const Visit& visit, const json& key) {
  const auto list = views::text(key, "list"), address = views::text(key, "address");
  return {{"list", list},
          {"address", address},
          {"memberPath", views::memberPath(list, address)},
          {"kind", views::text(key, "kind") == "openpgp" ? "OpenPGP" : "S/MIME"},
          {"algorithm", views::text(key, "algorithm")},
          {"key", views::text(key, "fingerprint")},
          {"fingerprint", words::fingerprint(views::text(key, "fingerprint"))},
          {"subject", views::text(key, "subject")},
          {"proven", views::flag(key, "mailboxProven")},
          {"decidable", views::flag(key, "decidable")},
          {"notAfter", views::time(key, "notAfterAt", visit.now())}};
}

Response draw(const Visit& visit, int status, const json& refusal) {
  const auto work = visit.order("key.work", json::object());
  json proposals = json::array(), ending = json::array(), withheld = json::array();
  for (const auto& key : views::part(work, "proposals")) {
    proposals.push_back(keyRow(visit, key));
    proposals.back()["number"] = proposals.size();
  }
  for (const auto& key : views::part(work, "ending")) ending.push_back(keyRow(visit, key));
  for (const auto& member : views::part(work, "withheld")) {
    const auto list = views::text(member, "list"), address = views::text(member, "address");
    withheld.push_back({{"list", list},
                        {"address", address},
                        {"memberPath", views::memberPath(list, address)},
                        {"reason", words::reason(views::text(member, "reason"))}});
  }
  const auto& counts = views::part(work, "counts");
  const bool none = proposals.empty() && ending.empty() && withheld.empty();
  return visit.page("key-work", {"Keys of members", "key-work", status},
                    {{"refusal", refusal},
                     {"none", none},
                     {"anyProposals", !proposals.empty()},
                     {"anyWithheld", !withheld.empty()},
                     {"anyEnding", !ending.empty()},
                     {"proposals", proposals},
                     {"withheld", withheld},
                     {"ending", ending},
                     {"proposalCount", views::text(counts, "proposals")},
                     {"withheldCount", views::text(counts, "withheld")},
                     {"endingCount", views::text(counts, "ending")}});
}

}  // namespace

Response keyWork(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response decideKeyWork(Visit& visit) {
  const auto& form = visit.request.form;
  const bool takes = form.get("decision") == "confirm";
  try {  // the boundary of a page: what listd refuses is shown in place
    visit.order(takes ? "key.confirm" : "key.refuse",
                {{"fingerprint", form.get("key")}, {"address", form.get("address")}, {"list", form.get("list")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
  return Response::redirect(takes ? "/work/keys?done=key-confirmed" : "/work/keys?done=key-refused");
}

}  // namespace postern::webadmin::pages
