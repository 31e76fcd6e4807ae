#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {
constexpr int PageSize = 50;
}

Response posts(Visit& visit) {
  const auto& query = visit.request.query;
  if (const auto wanted = query.get("q"); !wanted.empty()) {
    try {
      const auto trace = visit.order("trace", {{"id", wanted}});
      return Response::redirect(views::postPath(views::text(views::part(trace, "post"), "id")));
    } catch (const app::OrderRefused& refused) {
      if (refused.error().code != "not-found") throw;
    }
  }
  json args = {{"limit", PageSize}};
  if (!query.get("list").empty()) args["list"] = query.get("list");
  if (!query.get("before").empty()) args["before"] = query.get("before");
  const auto answer = visit.order("post.list", args);
  json rows = json::array();
  for (const auto& post : views::part(answer, "items")) rows.push_back(views::postRow(post, visit.now()));
  json lists = json::array();
  const auto known = visit.order("list.list", {{"limit", views::AllLists}});
  for (const auto& list : views::part(known, "items"))
    lists.push_back(
        {{"address", views::text(list, "address")}, {"chosen", views::text(list, "address") == query.get("list")}});
  const auto next = views::text(answer, "next");
  std::string nextPath;
  if (!next.empty()) {
    nextPath = "/posts?before=" + percentEncode(next);
    if (!query.get("list").empty()) nextPath += "&list=" + percentEncode(query.get("list"));
  }
  const bool narrowed = !query.get("list").empty() || !query.get("before").empty();
  return visit.page("posts", {"Posts", "posts"},
                    {{"posts", rows},
                     {"showList", true},
                     {"empty", rows.empty() && !narrowed},
                     {"noneFit", rows.empty() && narrowed},
                     {"lists", lists},
                     {"q", query.get("q")},
                     {"notFound", query.get("q")},
                     {"next", nextPath}});
}

}  // namespace postern::webadmin::pages
