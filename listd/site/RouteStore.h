#pragma once
#include "core/app/GatewayLink.h"
#include "core/store/Database.h"

#include <string_view>
#include <vector>

namespace postern::listd {

const char* routeTlsWord(app::Route::Tls tls);  // "opportunistic" "required" "verified"
std::optional<app::Route::Tls> parseRouteTls(std::string_view word);

// Where mail for a domain goes. Threads: those of the connection. Errors: Error(Store).
class RouteStore {
public:
  explicit RouteStore(store::Database& database) : database_(database) {}

  void set(const app::Route& route);  // replaces the route of the domain
  std::vector<app::Route> all() const;
  bool remove(std::string_view domain);

private:
  store::Database& database_;
};

}  // namespace postern::listd
