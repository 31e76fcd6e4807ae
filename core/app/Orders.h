#pragma once
#include "core/app/Roles.h"
#include "core/net/LocalSocket.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

// Orders: what the command line and the web UI ask of listd, over its local sockets (listd/web.sock,
// listd/command.sock). A frame is JSON: {"order": "list.create", "actor": {"kind": "cli", "name": "root"}, "args":
// {…}}, answered by {"ok": true, "result": {…}} or {"ok": false, "error": {"code", "message", "hint"}}. An order that
// changes something is answered after the change is durable. docs/orders.md lists all of them.
namespace postern::app {

// The TLS of the HTTPS connection by which a person came.
struct HttpsFacts {
  std::string version;  // "TLSv1.3"; empty: they did not come by HTTPS
  std::string cipher;   // "TLS_AES_256_GCM_SHA384"
  std::uint16_t bits = 0;
};

// Who acts. Kind "cli" (name: the Unix user; token: the command key of the site, listd/command.key), "web" (token: the
// secret of a session that listd issued, from which it learns the account), "api" (token: a personal access token, the
// same) or "system" (a process of ours, before anybody signed in: may do what an unknown visitor may). Which kinds are
// believed depends on the socket: docs/decisions/0013, 0020. On the wire, `name` counts for "cli" alone.
struct Actor {
  std::string kind;
  std::string name;
  std::string token = {};    // what proves it; never logged
  std::string session = {};  // filled in by listd: reference of the session or token, opens nothing
  std::string client = {};   // address that the person comes from; empty: this machine
  Roles roles = {};          // filled in by listd, never taken from the wire
  HttpsFacts https = {};     // of "web" and "api"
};

// An expected refusal of an order, to be shown to the person who gave it.
struct OrderError {
  std::string code;  // "usage" "not-found" "exists" "invalid" "refused" "unavailable" "broken"
  std::string message;
  std::string hint;  // what to do, or empty
};

class OrderRefused : public std::exception {
public:
  explicit OrderRefused(OrderError error) : error_(std::move(error)) {}
  const OrderError& error() const { return error_; }
  const char* what() const noexcept override { return error_.message.c_str(); }

private:
  OrderError error_;
};

// One connection to listd. Threads: one at a time. Errors: throws OrderRefused for an expected refusal,
// Error(Unavailable) when listd does not answer, or not within the time limit; what was asked may be done all the same.
// After an error the connection is given up, so that no late answer is taken for another order's; the next order makes
// a new one.
class OrderClient {
public:
  static constexpr std::chrono::milliseconds DefaultLimit{30'000};
  explicit OrderClient(const std::string& socketPath, std::chrono::milliseconds limit = DefaultLimit);
  ~OrderClient();
  nlohmann::json give(std::string_view order, const Actor& actor, const nlohmann::json& args);

private:
  struct Connection;
  std::string socketPath_;
  std::chrono::milliseconds limit_;
  std::unique_ptr<Connection> connection_;
};

// Answers orders: the handler returns the result or throws OrderRefused; any other exception is logged and
// answered as "broken". One thread per connection. Throws nothing after construction.
class OrderServer {
public:
  using Handler = std::function<nlohmann::json(std::string_view order, const Actor&, const nlohmann::json& args)>;
  // `whom`: who may connect, as LocalListener says.
  OrderServer(const std::string& socketPath, Handler handler,
              net::LocalListener::For whom = net::LocalListener::For::OwnUser);
  ~OrderServer();
  void stop();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::app
