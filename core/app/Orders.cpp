#include "core/app/Orders.h"

#include "core/app/JsonText.h"
#include "core/app/SocketServer.h"
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/net/LocalSocket.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace postern::app {

using nlohmann::json;

namespace {

json refusal(const OrderError& error) {
  return {{"ok", false}, {"error", {{"code", error.code}, {"message", error.message}, {"hint", error.hint}}}};
}

const json NoArguments = json::object();

json handle(const OrderServer::Handler& handler, const std::string& frame) {
  const auto request = parseJson(frame);
  if (!request.is_object() || !request.contains("order") || !request["order"].is_string())
    return refusal({"usage", "an order is a JSON object with the field \"order\"", ""});
  const auto order = request["order"].get<std::string>();
  try {
    Actor actor;
    if (request.contains("actor")) {
      const auto& given = request["actor"];
      actor.kind = given.value("kind", "");
      actor.name = given.value("name", "");
      actor.token = given.value("token", "");
      actor.client = given.value("client", "");
      if (const auto https = given.find("https"); https != given.end())
        actor.https = {https->value("version", ""), https->value("cipher", ""), https->value("bits", std::uint16_t{0})};
    }
    const auto& args = request.contains("args") ? request["args"] : NoArguments;
    if (!args.is_object()) return refusal({"usage", "\"args\" is a JSON object", ""});
    return {{"ok", true}, {"result", handler(order, actor, args)}};
  } catch (const OrderRefused& refused) {
    return refusal(refused.error());
  } catch (const json::exception&) {
    return refusal({"usage", "the arguments of " + order + " are missing or of a wrong type", "see docs/orders.md"});
  } catch (const std::exception& error) {
    const auto* ours = dynamic_cast<const Error*>(&error);
    log::error("orders", "an order failed", {{"order", order}, {"error", ours ? ours->displayText() : error.what()}});
    return refusal({"broken", "Postern could not do this: " + std::string(error.what()), "see the log of listd"});
  }
}

}  // namespace

struct OrderClient::Connection {
  Connection(const std::string& path, std::chrono::milliseconds limit) : socket(net::LocalSocket::connect(path)) {
    socket.setTimeLimit(limit, "listd did not answer within " + std::to_string(limit.count() / 1000) +
                                   " s. What was asked may be done all the same: look before you ask again.");
  }
  net::LocalSocket socket;
};

OrderClient::OrderClient(const std::string& socketPath, std::chrono::milliseconds limit)
    : socketPath_(socketPath), limit_(limit), connection_(std::make_unique<Connection>(socketPath, limit)) {}
OrderClient::~OrderClient() = default;

json OrderClient::give(std::string_view order, const Actor& actor, const json& args) {
  json giver{{"kind", actor.kind}, {"name", actor.name}, {"token", actor.token}, {"client", actor.client}};
  if (const auto& https = actor.https; !https.version.empty())
    giver["https"] = {{"version", https.version}, {"cipher", https.cipher}, {"bits", https.bits}};
  const json request = {{"order", order}, {"actor", std::move(giver)}, {"args", args}};
  auto connection = std::exchange(connection_, nullptr);  // back in its place only after a whole answer
  if (!connection) connection = std::make_unique<Connection>(socketPath_, limit_);
  connection->socket.send(request.dump(-1, ' ', false, json::error_handler_t::replace));
  const auto frame = connection->socket.receive();
  if (!frame) throw Error(ErrorKind::Unavailable, "listd closed the connection; is Postern running?");
  auto reply = json::parse(*frame, nullptr, false);
  if (!reply.is_object()) throw Error(ErrorKind::Malformed, "listd gave an answer that is not JSON");
  connection_ = std::move(connection);
  if (reply.value("ok", false)) return std::move(reply["result"]);
  const auto& error = reply.at("error");
  throw OrderRefused({error.value("code", ""), error.value("message", ""), error.value("hint", "")});
}

struct OrderServer::Impl {
  Impl(const std::string& path, Handler h, net::LocalListener::For whom)
      : handler(std::move(h)), server(path, whom, [this](net::LocalSocket& socket) { serve(socket); }) {}

  void serve(net::LocalSocket& socket) {
    while (const auto frame = socket.receive())
      socket.send(handle(handler, *frame).dump(-1, ' ', false, json::error_handler_t::replace));
  }

  Handler handler;
  SocketServer server;
};

OrderServer::OrderServer(const std::string& socketPath, Handler handler, net::LocalListener::For whom)
    : impl_(std::make_unique<Impl>(socketPath, std::move(handler), whom)) {}
OrderServer::~OrderServer() {
  stop();
}
void OrderServer::stop() {
  impl_->server.stop();
}

}  // namespace postern::app
