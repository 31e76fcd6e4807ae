#include "webadmin/Navigation.h"

#include "core/app/Roles.h"
#include "core/base/Error.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin {

using nlohmann::json;

namespace {

using enum app::Role;

struct Room {
  std::string_view section;
  std::string_view path;
  std::string_view title;
  app::Roles roles;
  std::string_view icon;  // an SVG path in a box of 20 by 20
};

constexpr app::Roles Everyone = Admin | Officer | Approver | Auditor | Custodian | Owner | Helpdesk;

constexpr std::array Rooms = {
    Room{"dashboard", "/", "Dashboard", Everyone, "M3 11h4v6H3zM8 6h4v11H8zM13 3h4v14h-4z"},
    Room{"lists", "/lists", "Lists", Admin | Officer | Auditor | Helpdesk | Owner,
         "M7 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zm0 1.5c-3 0-5 1.5-5 4V16h10v-.5c0-2.5-2-4-5-4zM14 10a2.4 2.4 0 1 0 0-4.8 "
         "2.4 "
         "2.4 0 0 0 0 4.8zm0 1.5c-.6 0-1.2.1-1.7.3 1 .9 1.6 2.1 1.6 3.7v.5H18v-.4c0-2.4-1.6-4.1-4-4.1z"},
    Room{"posts", "/posts", "Posts", Admin | Officer | Auditor | Helpdesk | Owner,
         "M2.5 4.5h15v.9L10 10.6 2.5 5.4zM2.5 7.2v8.3h15V7.2L10 12.4z"},
    Room{"waiting", "/waiting", "Pick-up", Admin | Officer | Auditor | Helpdesk | Owner,
         "M4 3h12v6.500h-3.200a2.800 2.800 0 0 1-5.600 0H4zM2.500 11h3.400a4.300 4.300 0 0 0 8.200 0h3.400v6h-15z"},
    Room{"queue", "/queue", "Queue", Admin | Helpdesk, "M3 4h14v2.5H3zM3 8.75h14v2.5H3zM3 13.5h9V16H3z"},
    Room{"quarantine", "/quarantine", "Quarantine", Admin | Officer | Auditor | Helpdesk | Owner,
         "M10 2.500 17.500 16.500h-15zM9.200 7.500v4.500h1.600V7.500zm0 5.800v1.600h1.600v-1.600z"},
    Room{"policies", "/policies", "Policies", Admin | Officer | Auditor,
         "M4 2.500h9l3 3v12H4zM6 7v1.500h8V7zm0 3v1.500h8V10zm0 3v1.500h5V13z"},
    Room{"tls", "/tls", "TLS of domains", Admin | Officer | Auditor | Helpdesk | Owner,
         "M6 9V6.500a4 4 0 0 1 8 0V9h1.500v8h-11V9zm2 0h4V6.500a2 2 0 0 0-4 0z"},
    Room{"relays", "/relays", "Relays", Admin | Officer | Auditor | Helpdesk,
         "M2.500 6h9V3l6 5-6 5v-3h-9zM2.500 14.500h15V16.500h-15z"},
    Room{"hostnames", "/hostnames", "Server names", Admin | Officer | Auditor | Helpdesk,
         "M3 3h14v5H3zM5 4.800v1.400h1.800V4.800zM3 9.500h14v5H3zM5 11.300v1.400h1.800v-1.400zM9 15.500h2V18H9z"},
    Room{"dkim", "/dkim", "Signing keys", Admin | Officer | Auditor | Helpdesk,
         "M3 3h14v3.500H3zM3 8h9v2H3zM3 11.500h7v2H3zM3 15h5v2H3zM13.500 9a2.800 2.800 0 0 1 1.500 "
         "5.200V18l-1.500-1-1.500 "
         "1v-3.800A2.800 2.800 0 0 1 13.500 9z"},
    Room{"webhooks", "/webhooks", "Webhooks", Admin | Auditor,
         "M10 2.500a3.500 3.500 0 0 1 3.100 5.100l2.200 4.100a3.500 3.500 0 1 1-1.500.8l-2.300-4.200A3.500 3.500 0 1 1 "
         "10 "
         "2.500zM5 10.500a3.500 3.500 0 1 0 3.300 4.500h2.200v-1.800H8.300A3.500 3.500 0 0 0 5 10.500z"},
    Room{"send", "/send", "Send secure", Everyone | Member, "M2 3l16 7-16 7v-5.500L12 10 2 8.500z"},
    Room{"hops", "/hops", "Was it encrypted?", Everyone,
         "M3 9h3.200v2H3zM8.400 9h3.200v2H8.400zM13.800 9H17v2h-3.200zM4.600 5h10.800v1.600H4.600zM4.600 "
         "13.400h10.800V15H4.600z"},
    Room{"work", "/work", "Work queue", Officer | Approver | Auditor | Admin,
         "M4 3h12v14H4zM6 6v1.6h8V6zm0 3.200v1.600h8V9.200zm0 3.200V14h5v-1.600z"},
    Room{"key-work", "/work/keys", "Keys of members", Admin | Owner,
         "M6.500 5a4.500 4.500 0 1 0 4.200 6H13v2h2v-2h2.500V9h-6.800a4.500 4.500 0 0 0-4.200-4zm0 2.500a2 2 0 1 1 0 4 "
         "2 2 0 0 1 0-4z"},
    Room{"subscriptions", "/subscriptions", "Requests to join", Admin | Owner,
         "M7 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zm0 1.500c-3 0-5 1.500-5 4V16h10v-.5c0-2.500-2-4-5-4zM14.500 "
         "5v2.500H17v1.500h-2.500v2.500H13V9h-2.500V7.500H13V5z"},
    Room{"directories", "/directories", "Key sources", Admin | Officer | Auditor | Helpdesk,
         "M4 3h10a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4zm2 2v10h8V5zM10 6.500a1.800 1.800 0 1 1 0 3.600 1.800 1.800 0 0 1 "
         "0-3.600zM7 13.500c0-1.700 1.300-2.600 3-2.600s3 .9 3 2.600z"},
    Room{"retention", "/retention", "Retention", Admin | Officer | Approver | Auditor,
         "M10 2.500a7.500 7.500 0 1 0 0 15 7.500 7.500 0 0 0 0-15zm-.8 3h1.600v4.200l3 1.800-.8 1.400-3.800-2.300z"},
    Room{"messages", "/messages", "Messages", Officer | Auditor | Helpdesk,
         "M3 3h9l5 5v9H3zm2.500 7.500v1.600h9v-1.600zm0 3v1.600h6v-1.600z"},
    Room{"matters", "/matters", "Matters and holds", Officer | Auditor,
         "M6.500 9V6.500a3.500 3.500 0 0 1 7 0V9H15v8H5V9zm1.800 0h3.400V6.500a1.700 1.700 0 0 0-3.400 0z"},
    Room{"search", "/search", "Search", Officer,
         "M8.500 3a5.500 5.500 0 1 0 3.300 9.900l3.900 3.900 1.300-1.300-3.900-3.900A5.500 5.500 0 0 0 8.500 3zm0 "
         "1.800a3.700 3.700 0 1 1 0 7.400 "
         "3.700 3.700 0 0 1 0-7.400z"},
    Room{"exports", "/exports", "Exports", Officer | Auditor, "M9 3h2v7h3l-4 4.500L6 10h3zM3.500 15h13v2h-13z"},
    Room{"audit", "/audit", "Audit log", Auditor | Officer,
         "M10 2l6.500 2.500V10c0 4-2.800 6.800-6.500 8-3.700-1.200-6.500-4-6.500-8V4.500zM9.200 "
         "12.600l4.600-4.600-1.200-1.200-3.400 3.400-1.700-1.700-1.200 1.200z"},
    Room{"reports", "/reports", "Reports", Officer | Auditor,
         "M3 3h2v12h12v2H3zM7 9h2v5H7zm3.500-4h2v9h-2zM14 7h2v7h-2z"},
    Room{"access", "/access-review", "Access review", Approver | Auditor,
         "M3 3h9v2H5v10h10v-4h2v6H3zM8.500 8.500 7.300 9.700l3 3 7-7-1.200-1.200-5.800 5.800z"},
    Room{"keys", "/keys", "Keys at rest", Admin | Custodian | Auditor,
         "M6.500 5a4.500 4.500 0 1 0 4.200 6H13v2h2v-2h2.500V9h-6.800a4.500 4.500 0 0 0-4.200-4zm0 2.500a2 2 0 1 1 0 4 "
         "2 2 0 "
         "0 1 0-4z"},
    Room{"jobs", "/jobs", "Jobs", Everyone, "M3 4h10v3H3zM3 8.500h14v3H3zM3 13h6v3H3z"},
    Room{"people", "/people", "People", Admin | Auditor,
         "M10 9.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zm0 1.500c-4 0-7 2-7 "
         "5.500V17h14v-.5c0-3.500-3-5.500-7-5.500z"},
    Room{"sessions", "/sessions", "Sessions", Helpdesk, "M3 4h14v9H3zM1.500 14.500h17V16h-17zM5 6v5h10V6z"},
    Room{"account", "/account", "Account", Everyone,
         "M10 2a8 8 0 1 0 0 16 8 8 0 0 0 0-16zm0 3.500a2.700 2.700 0 1 1 0 5.400 2.700 2.700 0 0 1 0-5.400zm0 10.500a6 "
         "6 0 0 "
         "1-4.600-2.200c.9-1.300 2.600-2 4.600-2s3.700.7 4.600 2A6 6 0 0 1 10 16z"},
};

std::uint64_t waitingIn(const Visit& visit, std::string_view order) {
  try {
    return views::number(visit.order(order, {{"state", "waiting"}, {"limit", 1}}), "waiting");
  } catch (const app::OrderRefused&) {
    return 0;
  } catch (const Error&) {
    return 0;
  }
}

std::string waiting(const Visit& visit) {
  std::uint64_t count = 0;
  if (views::may(visit, Approver)) count += waitingIn(visit, "request.list");
  if (views::may(visit, Officer | Approver)) count += waitingIn(visit, "review.list");
  return count ? words::count(count) : std::string();
}

}  // namespace

json navigation(const Visit& visit, std::string_view section) {
  json items = json::array();
  for (const auto& room : Rooms) {
    if (!views::may(visit, room.roles)) continue;
    items.push_back({{"path", room.path},
                     {"title", room.title},
                     {"icon", room.icon},
                     {"current", room.section == section},
                     {"waiting", room.section == "work" ? waiting(visit) : std::string()}});
  }
  return items;
}

}  // namespace postern::webadmin
