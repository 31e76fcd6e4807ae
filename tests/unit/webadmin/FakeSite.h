#pragma once
#include "core/base/Error.h"
#include "tests/support/TempFolder.h"
#include "webadmin/Csrf.h"
#include "webadmin/Site.h"

#include <map>
#include <string>
#include <vector>

namespace postern::test {

// The sessions that listd knows.
class FakeSessions {
public:
  std::string open(const std::string& account, const std::string& role) {
    auto secret = std::string(40, 's') + std::to_string(100 + known_.size());
    known_[secret] = {{"ref", "ref-of-" + std::to_string(known_.size())},
                      {"kind", "account"},
                      {"account", account},
                      {"roles", {role}}};
    return secret;
  }
  void end(const std::string& secret) { known_.erase(secret); }
  nlohmann::json& of(const std::string& secret) { return known_.at(secret); }
  nlohmann::json show(const std::string& secret) const {
    const auto found = known_.find(secret);
    if (found == known_.end()) throw app::OrderRefused({"signed-out", "nobody is signed in here", "sign in again"});
    return found->second;
  }

private:
  std::map<std::string, nlohmann::json> known_;
};

// Answers orders from a table and remembers what was asked, but for the question of each page who is there.
class FakeOrders : public webadmin::Orders {
public:
  nlohmann::json give(std::string_view order, const app::Actor& actor, const nlohmann::json& args) override {
    (order == "session.show" ? asked : given).push_back({std::string(order), actor, args});
    if (down) throw Error(ErrorKind::Unavailable, "listd does not answer");
    if (order == "session.show") return sessions.show(actor.token);
    if (const auto refusal = refusals.find(order); refusal != refusals.end()) throw app::OrderRefused(refusal->second);
    const auto answer = answers.find(order);
    return answer == answers.end() ? nlohmann::json::object() : answer->second;
  }
  bool wasGiven(std::string_view order) const {
    return std::any_of(given.begin(), given.end(), [&](const auto& one) { return one.order == order; });
  }

  struct Given {
    std::string order;
    app::Actor actor;
    nlohmann::json args;
  };
  std::vector<Given> given;
  std::vector<Given> asked;  // session.show
  FakeSessions sessions;
  std::map<std::string, nlohmann::json, std::less<>> answers;
  std::map<std::string, app::OrderError, std::less<>> refusals;
  bool down = false;
};

struct NoCertificate : webadmin::CertificateFacts {
  std::optional<TimePoint> notAfter() const override { return std::nullopt; }
};

// A whole site without sockets, with a clock that stands still.
struct FakeSite {
  TempFolder folder;
  FakeClock clock{fromMicros(1'772'366'400'000'000)};  // 2026-03-01T12:00:00Z
  FakeOrders orders;
  config::SiteConfig config;
  FakeSessions& sessions = orders.sessions;
  webadmin::ClientLimit limit{clock, 3, std::chrono::minutes(5)};
  NoCertificate certificate;
  webadmin::Site site{webadmin::Tools{config, clock, orders, limit, certificate}};

  webadmin::Request request(webadmin::Method method, std::string path, const std::string& session = "") {
    webadmin::Request request;
    request.method = method;
    request.path = std::move(path);
    request.host = "localhost:8443";
    request.clientAddress = "192.0.2.1";
    if (!session.empty()) request.cookies.add(webadmin::SessionCookie, session);
    return request;
  }
  webadmin::Response get(const std::string& path, const std::string& session = "") {
    return site.answer(request(webadmin::Method::Get, path, session));
  }
  // A form as a page of ours would send it.
  webadmin::Request form(const std::string& path, const std::string& session,
                         std::vector<std::pair<std::string, std::string>> fields = {}) {
    auto made = request(webadmin::Method::Post, path, session);
    made.form.add("csrf", webadmin::csrf::token(session));
    for (auto& [name, value] : fields) made.form.add(name, value);
    return made;
  }
};

inline std::string headerOf(const webadmin::Response& response, std::string_view name, std::string_view start = {}) {
  for (const auto& [key, value] : response.headers)
    if (key == name && value.starts_with(start)) return value;
  return {};
}

}  // namespace postern::test
