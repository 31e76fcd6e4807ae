#pragma once
#include "core/base/Clock.h"
#include "core/config/SiteConfig.h"
#include "webadmin/ClientLimit.h"
#include "webadmin/Http.h"
#include "webadmin/KeptForms.h"
#include "webadmin/Orders.h"
#include "webadmin/Session.h"

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace postern::webadmin {

inline constexpr const char* SessionCookie = "__Host-postern-session";
inline constexpr const char* FormCookie = "__Host-postern-form";

// When the server certificate ends; nothing while it is not known. Threads: safe for all.
class CertificateFacts {
public:
  virtual ~CertificateFacts() = default;
  virtual std::optional<TimePoint> notAfter() const = 0;
};

// What the pages work with. All of it outlives every Visit.
struct Tools {
  const config::SiteConfig& config;
  const Clock& clock;
  Orders& orders;
  ClientLimit& signInLimit;
  const CertificateFacts& certificate;
};

// What one page shows around its content.
struct Frame {
  std::string title;
  std::string_view section;  // of Navigation.cpp: marked in the navigation
  int status = 200;
};

// One request on its way through a page. Lives on the stack of the request's thread.
struct Visit {
  const Request& request;
  Tools& tools;
  std::map<std::string, std::string, std::less<>> params;  // {name} parts of the route's path
  std::optional<Session> session;
  std::string csrf;                  // for the forms of the page
  KeptForms* kept = nullptr;         // what waits for a step-up; null where there is no session
  KeptForms* drafts = nullptr;       // messages whose author has to sign in again (Drafts.h)
  std::optional<Request> goOn = {};  // set by a page: answered in its place, with all the guards of any request

  const std::string& param(std::string_view name) const { return params.find(name)->second; }
  TimePoint now() const { return tools.clock.now(); }

  // Gives an order with the session of the person who is signed in, or as a visitor whom nobody knows.
  nlohmann::json order(std::string_view name, const nlohmann::json& args = nlohmann::json::object()) const;
  // The page `name` of templates/ inside the layout.
  Response page(std::string_view name, const Frame& frame, nlohmann::json view) const;
};

Response jsonResponse(int status, const nlohmann::json& body);

// "__Host-" cookie with all its guards; an empty value removes it.
std::pair<std::string, std::string> setCookie(std::string_view name, std::string_view value);

}  // namespace postern::webadmin
