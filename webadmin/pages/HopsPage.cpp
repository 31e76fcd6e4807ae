#include "core/hops/Journey.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

json badgeOf(hops::HopState state) {
  switch (state) {
    case hops::HopState::Encrypted:
      return {{"text", "Recorded as encrypted"}, {"tone", "good"}};
    case hops::HopState::Plain:
      return {{"text", "Recorded as plain"}, {"tone", "bad"}};
    case hops::HopState::NotRecorded:
      return {{"text", "Not recorded"}, {"tone", "wait"}};
    case hops::HopState::Inside:
      break;
  }
  return {{"text", "Inside one provider"}, {"tone", "quiet"}};
}

json badgeOf(hops::Verdict verdict) {
  switch (verdict) {
    case hops::Verdict::Encrypted:
      return {{"text", "Encrypted, as recorded"}, {"tone", "good"}};
    case hops::Verdict::Plain:
      return {{"text", "In clear"}, {"tone", "bad"}};
    case hops::Verdict::NotRecorded:
      return {{"text", "Not known"}, {"tone", "wait"}};
    case hops::Verdict::Inside:
      return {{"text", "Inside one provider"}, {"tone", "quiet"}};
    case hops::Verdict::NoHops:
      break;
  }
  return {{"text", "No record"}, {"tone", "wait"}};
}

// The mail of the site's own domains stays with one provider. Who may not see the domains does without them.
hops::JourneySettings settingsOf(const Visit& visit) {
  hops::JourneySettings settings;
  try {
    const auto domains = visit.order("domain.list");
    for (const auto& domain : views::part(domains, "items")) settings.ownDomains.push_back(views::text(domain, "name"));
  } catch (const app::OrderRefused&) {
    settings.ownDomains.clear();
  }
  return settings;
}

json viewOf(const hops::Hop& hop, std::size_t number, TimePoint now) {
  return {{"number", number},
          {"from", hop.from.empty() ? std::string("not named") : hop.from},
          {"fromAddress", hop.fromAddress},
          {"by", hop.by.empty() ? std::string("not named") : hop.by},
          {"software", hop.software},
          {"badge", badgeOf(hop.state)},
          {"version", hop.tls.version},
          {"cipher", hop.tls.cipher},
          {"why", hop.why},
          {"at", hop.at ? views::time({{"at", toMicros(*hop.at)}}, "at", now) : json(nullptr)}};
}

json journeyView(const Visit& visit, std::string_view text) {
  const auto header = mail::HeaderBlock::scan(text);
  if (!header)
    throw app::OrderRefused(
        {"invalid", "The header of this message is too large to be read.", "Paste its Received lines only."});
  const auto journey = hops::readJourney(*header, settingsOf(visit));
  json rows = json::array();
  for (const auto& hop : journey.hops) rows.push_back(viewOf(hop, rows.size() + 1, visit.now()));
  return {
      {"sentence", journey.sentence}, {"badge", badgeOf(journey.verdict)}, {"hops", rows}, {"hasHops", !rows.empty()}};
}

Response draw(const Visit& visit, int status, const json& refusal, const json& journey) {
  return visit.page("hops", {"Was it encrypted?", "hops", status}, {{"refusal", refusal}, {"journey", journey}});
}

}  // namespace

Response hops(Visit& visit) {
  return draw(visit, 200, nullptr, nullptr);
}

// Read here and not in listd: what strangers wrote is parsed where no mail and no key can be reached. Nothing is kept.
Response readHops(Visit& visit) {
  auto text = visit.request.form.get("file");
  if (text.empty()) text = visit.request.form.get("header");
  text.erase(0, text.find_first_not_of(" \t\r\n"));
  try {
    if (text.empty())
      throw app::OrderRefused(
          {"usage", "There is nothing to read.", "Paste the header of the message, or choose its file."});
    return draw(visit, 200, nullptr, journeyView(visit, text));
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused), nullptr);
  }
}

}  // namespace postern::webadmin::pages
