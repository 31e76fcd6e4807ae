#include "webadmin/MemberTable.h"

#include "webadmin/Views.h"

#include <algorithm>

namespace postern::webadmin {

using nlohmann::json;

namespace {

constexpr int FetchSize = 1000;

std::string standing(const json& member) {
  if (views::text(member, "state") == "disabled") return "disabled";
  return views::text(member, "protection") == "withheld" ? "withheld" : "ready";
}

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

bool holds(const json& member, const std::string& wanted) {
  return views::text(member, "address").find(wanted) != std::string::npos ||
         lower(views::text(member, "name")).find(wanted) != std::string::npos;
}

// Rows with the same key keep the order of addresses. A missing expiry sorts last.
std::pair<std::string, std::uint64_t> sortKey(const json& member, const std::string& by) {
  if (by == "name") return {views::text(member, "name"), 0};
  if (by == "protection") return {views::text(member, "protection") + " " + views::text(member, "reason"), 0};
  if (by == "joined") return {"", views::number(member, "joinedAt")};
  if (by == "expiry") {
    const auto ends = views::number(views::part(member, "key"), "notAfterAt");
    return {"", ends ? ends : UINT64_MAX};
  }
  return {views::text(member, "address"), 0};
}

std::size_t pageOf(const std::string& text) {
  if (text.empty() || text.size() > 6 || text.find_first_not_of("0123456789") != std::string::npos) return 1;
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::stoul(text)));
}

}  // namespace

MemberTable::MemberTable(const Visit& visit, const std::string& list) {
  const auto& query = visit.request.query;
  const auto wanted = lower(query.get("q"));
  const auto fetch = [&](int limit, const std::string& after) {
    json args = {{"list", list}, {"limit", limit}};
    if (!after.empty()) args["after"] = after;
    if (tooLong_ && !wanted.empty()) args["filter"] = wanted;
    return visit.order("member.list", args);
  };
  total_ = views::number(fetch(1, ""), "total");
  if (total_ > SortLimit) {
    tooLong_ = true;
    const auto answer = fetch(static_cast<int>(PageSize), query.get("after"));
    for (const auto& member : views::part(answer, "items")) rows_.push_back(member);
    next_ = views::text(answer, "next");
    return;
  }
  const auto show = query.get("show");
  for (auto answer = fetch(FetchSize, "");;) {
    for (const auto& member : views::part(answer, "items"))
      if ((show.empty() || standing(member) == show) && holds(member, wanted)) rows_.push_back(member);
    const auto next = views::text(answer, "next");
    if (next.empty() || views::part(answer, "items").empty()) break;
    answer = fetch(FetchSize, next);
  }
  const auto by = query.get("sort");
  std::stable_sort(rows_.begin(), rows_.end(),
                   [](const json& a, const json& b) { return views::text(a, "address") < views::text(b, "address"); });
  std::stable_sort(rows_.begin(), rows_.end(),
                   [&](const json& a, const json& b) { return sortKey(a, by) < sortKey(b, by); });
  page_ = std::min(pageOf(query.get("page")), pageCount());
}

std::size_t MemberTable::pageCount() const {
  return std::max<std::size_t>(1, (rows_.size() + PageSize - 1) / PageSize);
}

std::vector<json> MemberTable::page() const {
  if (tooLong_) return rows_;
  const auto from = std::min(rows_.size(), (page_ - 1) * PageSize);
  const auto to = std::min(rows_.size(), from + PageSize);
  return {rows_.begin() + static_cast<std::ptrdiff_t>(from), rows_.begin() + static_cast<std::ptrdiff_t>(to)};
}

}  // namespace postern::webadmin
