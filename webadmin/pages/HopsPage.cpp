#include "core/hops/JourneyJson.h"
#include "webadmin/JourneyViews.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

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

json journeyView(const Visit& visit, std::string_view text) {
  const auto header = mail::HeaderBlock::scan(text);
  if (!header)
    throw app::OrderRefused(
        {"invalid", "The header of this message is too large to be read.", "Paste its Received lines only."});
  return views::journey(hops::toJson(hops::readJourney(*header, settingsOf(visit))), visit.now());
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
