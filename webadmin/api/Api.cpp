#include "webadmin/api/Api.h"

#include "core/app/JsonText.h"
#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/crypto/Encoding.h"

#include <charconv>

namespace postern::webadmin {

using nlohmann::json;

namespace {

constexpr std::string_view Root = "/api/v1";
constexpr std::string_view MessageOrder = "mail.submit";

struct BadArgument {
  std::string detail;
};

// Fields that hold a time: "at" and what ends in "At" (docs/orders.md), and those few that are named otherwise.
bool isTime(std::string_view field) {
  return field == "at" || field.ends_with("At") || field == "effectiveFrom" || field == "retainUntil" ||
         field == "inForceUntil";
}

std::string rfc3339(std::int64_t micros) {
  auto text = formatRfc3339(fromMicros(micros));
  if (const auto fraction = micros % 1'000'000; fraction > 0) {
    auto digits = std::to_string(fraction);
    digits.insert(0, 6 - digits.size(), '0');
    text.insert(text.size() - 1, "." + digits);
  }
  return text;
}

// A document whose signature is over it as it is (docs/compliance.md): nothing in it may change on the way.
bool isSigned(const json& value) {
  return value.contains("form") && value.contains("signature");
}

// Times for people and programs of other languages; 0 stands for "not yet" in orders.
void showTimes(json& value) {
  if (value.is_array())
    for (auto& item : value) showTimes(item);
  if (!value.is_object() || isSigned(value)) return;
  for (auto& [name, field] : value.items()) {
    if (!isTime(name) || !field.is_number_integer())
      showTimes(field);
    else if (const auto micros = field.get<std::int64_t>(); micros == 0)
      field = nullptr;
    else
      field = rfc3339(micros);
  }
}

json timeFrom(const json& value, const std::string& name) {
  if (value.is_number_integer()) return value;
  const auto micros = value.is_string() ? microsFromRfc3339(value.get<std::string>()) : std::nullopt;
  if (!micros) throw BadArgument{"\"" + name + "\" is a time like 2026-03-01T12:00:00Z"};
  return *micros;
}

// A value of the query string, which is always text, as the type that the order takes.
json fromText(const Operation::Argument& argument, const std::string& text) {
  if (argument.type == "time") return timeFrom(text, argument.name);
  if (argument.type == "flag") {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    throw BadArgument{"\"" + argument.name + "\" is true or false"};
  }
  if (argument.type == "count") {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
      throw BadArgument{"\"" + argument.name + "\" is a number"};
    return number;
  }
  return text;
}

const Operation::Argument& requireKnown(const Operation& operation, const std::string& name) {
  for (const auto& argument : operation.arguments)
    if (argument.name == name) return argument;
  throw BadArgument{"there is no argument \"" + name + "\" here"};
}

void takeQuery(const Operation& operation, const Request& request, json& args) {
  for (const auto& [name, value] : request.query.items()) {
    args[name] = fromText(requireKnown(operation, name), value);
  }
}

void takeBody(const Operation& operation, const Request& request, json& args) {
  if (!request.query.items().empty()) throw BadArgument{"the arguments belong into the JSON body, not the query"};
  if (request.body.empty()) return;
  auto body = app::parseJson(request.body);
  if (!body.is_object()) throw BadArgument{"the body is no JSON object"};
  for (auto& [name, value] : body.items()) {
    args[name] = requireKnown(operation, name).type == "time" ? timeFrom(value, name) : std::move(value);
  }
}

// POST /messages: JSON, or a whole message with its recipients in the query; the key is in its own header.
void takeMessage(const Operation& operation, const Request& request, json& args) {
  if (request.contentType.starts_with("message/rfc822")) {
    for (const auto& [name, value] : request.query.items()) {
      if (name != "from" && name != "to") throw BadArgument{"there is no argument \"" + name + "\" here"};
      if (name == "from")
        args["from"] = value;
      else
        args["to"].push_back(value);
    }
    args["message"] = crypto::base64(request.body);
  } else {
    takeBody(operation, request, args);
  }
  if (request.idempotencyKey.empty()) throw BadArgument{"the header Idempotency-Key is missing"};
  args["key"] = request.idempotencyKey;
}

void requireAll(const Operation& operation, const json& args) {
  for (const auto& argument : operation.arguments)
    if (argument.required && !args.contains(argument.name))
      throw BadArgument{"the argument \"" + argument.name + "\" is missing"};
}

int statusOf(const std::string& code) {
  if (code == "usage") return 400;
  if (code == "invalid") return 422;
  if (code == "signed-out") return 401;
  if (code == "denied" || code == "step-up") return 403;
  if (code == "not-found") return 404;
  if (code == "unavailable") return 503;
  if (code == "broken") return 500;
  return 409;
}

struct Found {
  const Operation* operation = nullptr;
  json args = json::object();
  std::string allowed;
};

bool matches(std::string_view pattern, std::string_view path, json& args) {
  args = json::object();
  while (!pattern.empty() && !path.empty()) {
    pattern.remove_prefix(1);
    path.remove_prefix(1);
    const auto wanted = pattern.substr(0, pattern.find('/'));
    const auto given = path.substr(0, path.find('/'));
    pattern.remove_prefix(wanted.size());
    path.remove_prefix(given.size());
    if (wanted.starts_with('{')) {
      const auto value = percentDecode(given, false);
      if (!value || value->empty()) return false;
      args[std::string(wanted.substr(1, wanted.size() - 2))] = *value;
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

const char* methodName(Method method) {
  switch (method) {
    case Method::Get:
      return "GET";
    case Method::Post:
      return "POST";
    case Method::Patch:
      return "PATCH";
    case Method::Delete:
      return "DELETE";
  }
  return "GET";
}

Found find(const Request& request) {
  Found found;
  const auto path = std::string_view(request.path).substr(Root.size());
  // A fixed segment goes before a name: /keys/check is not the key "check".
  bool byName = true;
  for (const auto& operation : operations()) {
    json args;
    if (!matches(operation.path, path, args)) continue;
    if (operation.method != request.method) {
      found.allowed += (found.allowed.empty() ? "" : ", ") + std::string(methodName(operation.method));
      continue;
    }
    if (found.operation != nullptr && !(byName && args.empty())) continue;
    byName = !args.empty();
    found.operation = &operation;
    found.args = std::move(args);
  }
  return found;
}

std::optional<std::string> bearerOf(const Request& request) {
  constexpr std::string_view Scheme = "Bearer ";
  if (!request.authorization.starts_with(Scheme)) return std::nullopt;
  return request.authorization.substr(Scheme.size());
}

Response jsonAnswer(int status, const json& body, const char* type = "application/json") {
  Response response;
  response.status = status;
  response.contentType = type;
  response.body = body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return response;
}

}  // namespace

Response problem(int status, std::string_view code, std::string_view detail, std::string_view hint) {
  json body = {{"type", "about:blank"}, {"status", status}, {"code", code}, {"title", detail}, {"detail", detail}};
  if (!hint.empty()) body["hint"] = hint;
  auto response = jsonAnswer(status, body, "application/problem+json");
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

Response Api::answer(const Request& request) const {
  const auto token = bearerOf(request);
  if (!token)
    return problem(401, "signed-out", "A personal access token is missing.",
                   "Send it as \"Authorization: Bearer TOKEN\"; make one under your account.");
  auto found = find(request);
  if (found.operation == nullptr) {
    if (found.allowed.empty())
      return problem(404, "not-found", "There is no such operation.", "See /api/v1/openapi.json");
    auto response = problem(405, "usage", "This is not done by " + std::string(methodName(request.method)) + ".");
    response.headers.emplace_back("Allow", found.allowed);
    return response;
  }
  const auto& operation = *found.operation;
  try {
    if (operation.order == MessageOrder)
      takeMessage(operation, request, found.args);
    else if (operation.inQuery())
      takeQuery(operation, request, found.args);
    else
      takeBody(operation, request, found.args);
    requireAll(operation, found.args);
    app::Actor actor{"api", ""};
    actor.token = *token;
    actor.client = request.clientAddress;
    actor.https = request.https;
    auto result = orders_.give(operation.order, actor, found.args);
    if (result.is_null()) result = json::object();
    const bool requested = operation.method != Method::Get && result.is_object() && result.contains("request") &&
                           result["request"].is_object();
    showTimes(result);
    return jsonAnswer(requested ? 202 : 200, result);
  } catch (const BadArgument& bad) {
    return problem(400, "usage", bad.detail, "See /api/v1/openapi.json");
  } catch (const app::OrderRefused& refused) {
    const auto& error = refused.error();
    if (error.code == "broken") throw Error(ErrorKind::Invariant, error.message);  // its text is for the log
    return problem(statusOf(error.code), error.code, error.message, error.hint);
  }
}

}  // namespace postern::webadmin
