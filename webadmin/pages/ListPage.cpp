#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

Response list(Visit& visit) {
  const auto& address = visit.param("list");
  const auto stored = visit.order("list.show", {{"address", address}});
  const auto readiness = visit.order("list.readiness", {{"address", address}});
  const auto recent = visit.order("post.list", {{"list", address}, {"limit", 20}});
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  for (const auto& item : views::part(readiness, "items"))
    counts.emplace_back(views::text(item, "protection"), views::number(item, "count"));
  json withheld = json::array();
  std::uint64_t withheldCount = 0;
  for (const auto& item : views::part(readiness, "withheld")) {
    withheldCount += views::number(item, "count");
    withheld.push_back({{"reason", words::reason(views::text(item, "reason"))},
                        {"count", words::count(views::number(item, "count"))}});
  }
  const bool counted = std::any_of(counts.begin(), counts.end(), [](const auto& c) { return c.first == "withheld"; });
  if (!counted) counts.emplace_back("withheld", withheldCount);
  json posts = json::array();
  for (const auto& post : views::part(recent, "items")) posts.push_back(views::postRow(post, visit.now()));
  auto view = views::listSummary(stored, visit.now());
  view["readiness"] = views::protectionBar(counts);
  view["withheldReasons"] = withheld;
  view["anyWithheld"] = withheldCount > 0;
  view["posts"] = posts;
  view["noPosts"] = posts.empty();
  return visit.page("list", {address, "lists"}, std::move(view));
}

}  // namespace postern::webadmin::pages
