#pragma once
#include "core/app/Orders.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace postern::webadmin {

// What the pages ask of listd: a seam, so that tests can answer in its place.
// Errors: throws app::OrderRefused for an expected refusal, Error(Unavailable) when listd does not answer.
// Threads: safe for all.
class Orders {
public:
  virtual ~Orders() = default;
  virtual nlohmann::json give(std::string_view order, const app::Actor& actor, const nlohmann::json& args) = 0;
};

// Orders over listd's local socket. A connection per order: it costs some microseconds, and a restart of listd is
// noticed by nobody who asks after it.
class ListdOrders : public Orders {
public:
  explicit ListdOrders(std::string socketPath) : socketPath_(std::move(socketPath)) {}
  nlohmann::json give(std::string_view order, const app::Actor& actor, const nlohmann::json& args) override {
    return app::OrderClient(socketPath_).give(order, actor, args);
  }

private:
  std::string socketPath_;
};

}  // namespace postern::webadmin
