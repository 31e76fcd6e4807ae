#include "core/base/Error.h"
#include "webadmin/api/Api.h"
#include "webadmin/Embedded.h"

namespace postern::webadmin {

using nlohmann::json;

namespace {

json embeddedJson(std::string_view path) {
  const auto* file = embedded::find(std::string(path));
  if (file == nullptr) throw Error(ErrorKind::Invariant, std::string(path) + " is not in this program");
  return json::parse(file->content);
}

json reference(const std::string& name) {
  return {{"$ref", "#/components/schemas/" + name}};
}

// The words for types in operations.json and schemas.json.
json schemaOf(const std::string& type) {
  if (type == "text") return {{"type", "string"}};
  if (type == "count") return {{"type", "integer"}, {"format", "int64"}, {"minimum", 0}};
  if (type == "id") return {{"type", "string"}, {"description", "an id; a number is taken too"}};
  if (type == "flag") return {{"type", "boolean"}};
  if (type == "time") return {{"type", "string"}, {"format", "date-time"}, {"nullable", true}};
  if (type == "any") return {{"nullable", true}};
  if (type == "object") return {{"type", "object"}, {"additionalProperties", true}};
  if (type == "texts" || type == "ids") return {{"type", "array"}, {"items", {{"type", "string"}}}};
  if (type == "objects") return {{"type", "array"}, {"items", schemaOf("object")}};
  if (type.ends_with("[]")) return {{"type", "array"}, {"items", schemaOf(type.substr(0, type.size() - 2))}};
  return reference(type);
}

json componentSchemas() {
  json schemas;
  const auto compact = embeddedJson("api/schemas.json");
  for (const auto& [name, fields] : compact.items()) {
    json properties = json::object();
    for (const auto& [field, type] : fields.items()) {
      auto schema = schemaOf(type.get<std::string>());
      // A reference alone cannot say that there may be nothing.
      if (schema.contains("$ref")) schema = {{"allOf", json::array({schema})}, {"nullable", true}};
      properties[field] = std::move(schema);
    }
    schemas[name] = {{"type", "object"}, {"properties", std::move(properties)}};
  }
  return schemas;
}

json resultSchema(const Operation& operation) {
  if (!operation.result.ends_with("[]")) return reference(operation.result);
  return {{"type", "object"},
          {"required", {"items"}},
          {"properties",
           {{"items", schemaOf(operation.result)},
            {"next", {{"type", "string"}, {"description", "where the next page starts; empty: this is the last"}}},
            {"total", schemaOf("count")},
            {"size", schemaOf("count")},
            {"waiting", schemaOf("count")}}}};
}

json pathParameters(const Operation& operation) {
  auto parameters = json::array();
  for (auto at = operation.path.find('{'); at != std::string::npos; at = operation.path.find('{', at)) {
    const auto end = operation.path.find('}', at);
    parameters.push_back({{"name", operation.path.substr(at + 1, end - at - 1)},
                          {"in", "path"},
                          {"required", true},
                          {"schema", schemaOf("text")}});
    at = end;
  }
  return parameters;
}

json bodyOf(const Operation& operation) {
  json properties = json::object();
  auto required = json::array();
  for (const auto& argument : operation.arguments) {
    properties[argument.name] = schemaOf(argument.type);
    if (argument.required) required.push_back(argument.name);
  }
  json schema = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = required;
  return {{"required", !required.empty()}, {"content", {{"application/json", {{"schema", schema}}}}}};
}

// "list.set" becomes listSet: a name that a generated client can have.
std::string operationId(const std::string& order) {
  std::string id;
  bool upper = false;
  for (const char c : order) {
    if (c == '.' || c == '-') {
      upper = true;
      continue;
    }
    id += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    upper = false;
  }
  return id;
}

json operationObject(const Operation& operation) {
  auto parameters = pathParameters(operation);
  json object = {{"operationId", operationId(operation.order)},
                 {"summary", operation.summary},
                 {"description", "The order `" + operation.order + "`."},
                 {"tags", {operation.tag}}};
  if (operation.inQuery()) {
    for (const auto& argument : operation.arguments)
      parameters.push_back({{"name", argument.name},
                            {"in", "query"},
                            {"required", argument.required},
                            {"schema", schemaOf(argument.type)}});
  } else if (!operation.arguments.empty()) {
    object["requestBody"] = bodyOf(operation);
  }
  if (operation.order == "mail.submit") {
    parameters.push_back(
        {{"name", "Idempotency-Key"},
         {"in", "header"},
         {"required", true},
         {"description", "16 random characters or more, new for each message; the same key sends once."},
         {"schema", schemaOf("text")}});
    object["requestBody"]["content"]["message/rfc822"] = {{"schema", {{"type", "string"}, {"format", "binary"}}}};
  }
  if (!parameters.empty()) object["parameters"] = std::move(parameters);
  const json content = {{"application/json", {{"schema", resultSchema(operation)}}}};
  object["responses"] = {{"200", {{"description", "Done."}, {"content", content}}},
                         {"default",
                          {{"description", "Not done; the problem says why and what to do."},
                           {"content", {{"application/problem+json", {{"schema", reference("Problem")}}}}}}}};
  if (operation.method != Method::Get)
    object["responses"]["202"] = {{"description", "It needs a second person: a request was made."},
                                  {"content", content}};
  return object;
}

const char* verbOf(Method method) {
  switch (method) {
    case Method::Get:
      return "get";
    case Method::Post:
      return "post";
    case Method::Patch:
      return "patch";
    case Method::Delete:
      return "delete";
  }
  return "get";
}

}  // namespace

json openApi(const std::string& siteUrl, const std::string& version) {
  json document = {
      {"openapi", "3.0.3"},
      {"info",
       {{"title", "Postern"},
        {"version", version},
        {"description",
         "Everything that the web UI and the command line can do. A personal access token stands for its person: it "
         "may "
         "do what the person's roles and the token's scopes allow, and nothing that needs a step-up."},
        {"license", {{"name", "Apache-2.0"}, {"url", "https://www.apache.org/licenses/LICENSE-2.0"}}}}},
      {"servers", json::array({{{"url", siteUrl + "/api/v1"}}})},
      {"security", json::array({{{"token", json::array()}}})},
      {"paths", json::object()},
      {"components",
       {{"schemas", componentSchemas()},
        {"securitySchemes",
         {{"token", {{"type", "http"}, {"scheme", "bearer"}, {"description", "A personal access token."}}}}}}}};
  const auto groups = embeddedJson("api/operations.json");
  for (const auto& group : groups)
    document["tags"].push_back({{"name", group.at("tag")}, {"description", group.at("doc")}});
  for (const auto& operation : operations())
    document["paths"][operation.path][verbOf(operation.method)] = operationObject(operation);
  return document;
}

}  // namespace postern::webadmin
