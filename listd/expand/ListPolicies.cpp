#include "listd/expand/ListPolicies.h"

#include "core/base/Error.h"
#include "listd/site/SiteContext.h"

#include <algorithm>

namespace postern::listd {

namespace {

[[noreturn]] void failed(const std::string& problem) {
  throw Error(ErrorKind::Unavailable, "the policies of this site cannot judge a post; it waits: " + problem);
}

}  // namespace

ListPolicies::ListPolicies(SiteContext& context, std::string gatewaySocket) : socket_(std::move(gatewaySocket)) {
  context.listPolicies = this;
}

app::PostAnswer ListPolicies::post(const app::PostQuestion& question) const {
  auto answer = app::GatewayLink(socket_).judgePost(question);
  if (answer.kind == app::PostAnswer::Kind::Failed) failed(answer.text);
  return answer;
}

MemberFloors ListPolicies::members(const app::PostQuestion& question, const std::vector<std::string>& members) const {
  app::GatewayLink link(socket_);
  MemberFloors floors;
  for (std::size_t first = 0; first < members.size(); first += app::MembersQuestion::MaxMembers) {
    const auto end = std::min(members.size(), first + app::MembersQuestion::MaxMembers);
    app::MembersQuestion batch{
        question,
        {members.begin() + static_cast<std::ptrdiff_t>(first), members.begin() + static_cast<std::ptrdiff_t>(end)}};
    const auto answer = link.judgeMembers(batch);
    if (answer.failed) failed(answer.problem);
    if (answer.floors.size() != batch.members.size()) failed("not one answer for each member");
    for (std::size_t i = 0; i < batch.members.size(); ++i) floors.emplace(batch.members[i], answer.floors[i]);
  }
  return floors;
}

}  // namespace postern::listd
