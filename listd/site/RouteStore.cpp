#include "listd/site/RouteStore.h"

#include "core/base/Error.h"

namespace postern::listd {

const char* routeTlsWord(app::Route::Tls tls) {
  switch (tls) {
    case app::Route::Tls::Opportunistic:
      return "opportunistic";
    case app::Route::Tls::Required:
      return "required";
    case app::Route::Tls::Verified:
      return "verified";
  }
  throw Error(ErrorKind::Invariant, "a route has an unknown TLS rule");
}

std::optional<app::Route::Tls> parseRouteTls(std::string_view word) {
  for (const auto tls : {app::Route::Tls::Opportunistic, app::Route::Tls::Required, app::Route::Tls::Verified})
    if (word == routeTlsWord(tls)) return tls;
  return std::nullopt;
}

void RouteStore::set(const app::Route& route) {
  database_
      .prepare(
          "INSERT INTO routes (domain, host, port, tls) VALUES (?, ?, ?, ?) ON CONFLICT (domain) DO UPDATE SET "
          "host = excluded.host, port = excluded.port, tls = excluded.tls")
      .bind(route.domain, route.host, route.port, routeTlsWord(route.tls))
      .run();
}

std::vector<app::Route> RouteStore::all() const {
  auto select = database_.prepare("SELECT domain, host, port, tls FROM routes ORDER BY domain");
  select.bind();
  std::vector<app::Route> routes;
  while (select.step()) {
    const auto tls = parseRouteTls(select.view(3));
    if (!tls) throw Error(ErrorKind::Store, "the route of " + select.text(0) + " has an unknown TLS rule");
    routes.push_back({select.text(0), select.text(1), static_cast<std::uint16_t>(select.integer(2)), *tls});
  }
  return routes;
}

bool RouteStore::remove(std::string_view domain) {
  database_.prepare("DELETE FROM routes WHERE domain = ?").bind(domain).run();
  return database_.changes() > 0;
}

}  // namespace postern::listd
