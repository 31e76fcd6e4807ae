#include "listd/requests/StopLink.h"

#include "listd/mailout/MailToken.h"
#include "listd/mailout/SiteMail.h"
#include "listd/orders/OrderTools.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::string_view Purpose = "request stop";

}  // namespace

std::string stopToken(const vault::RootKey& root, std::uint64_t requestId) {
  return makeMailToken(root, Purpose, requestId, {});
}

std::optional<std::uint64_t> requestOfStopToken(const vault::RootKey& root, std::string_view token) {
  if (!isMailToken(root, Purpose, {}, token)) return std::nullopt;
  return numberOfMailToken(token);
}

void remindOfRequests(OrderTools& tools, TimePoint now) {
  const auto waiting = tools.context.site.read([](SiteTables& tables) { return tables.requests.waiting(); });
  if (waiting.empty()) return;
  tools.context.site.write([&](SiteTables& tables) {
    for (const auto& person : siteStaff(tables)) {
      if (!person.approver || person.mail.empty()) continue;
      const auto count = std::count_if(waiting.begin(), waiting.end(), [&](const Request& request) {
        return !request.lone && !samePerson(request.requester, person.name);
      });
      if (count == 0 || !tables.requests.takeReminder(person.name, now)) continue;
      sendSiteMail(tables,
                   {SiteMail::Kind::ApprovalsWaiting,
                    person.mail,
                    tools.context.webUrl() + "/approvals",
                    {std::to_string(count)}},
                   now);
    }
  });
}

}  // namespace postern::listd
