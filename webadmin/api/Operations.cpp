#include "core/base/Error.h"
#include "webadmin/api/Api.h"
#include "webadmin/Embedded.h"

namespace postern::webadmin {

using nlohmann::json;

namespace {

constexpr std::pair<const char*, Method> Verbs[] = {
    {"get", Method::Get}, {"post", Method::Post}, {"patch", Method::Patch}, {"delete", Method::Delete}};

Operation::Argument argumentFrom(const std::string& name, std::string type) {
  const bool required = type.ends_with('!');
  if (required) type.pop_back();
  return {name, std::move(type), required};
}

Operation operationFrom(const std::string& tag, const json& item) {
  Operation operation;
  for (const auto& [verb, method] : Verbs) {
    if (!item.contains(verb)) continue;
    operation.method = method;
    operation.path = item.at(verb).get<std::string>();
  }
  operation.order = item.at("order").get<std::string>();
  operation.summary = item.at("summary").get<std::string>();
  operation.result = item.at("result").get<std::string>();
  operation.tag = tag;
  if (item.contains("args"))
    for (const auto& [name, type] : item["args"].items())
      operation.arguments.push_back(argumentFrom(name, type.get<std::string>()));
  return operation;
}

std::vector<Operation> readOperations() {
  const auto* file = embedded::find("api/operations.json");
  if (file == nullptr) throw Error(ErrorKind::Invariant, "api/operations.json is not in this program");
  std::vector<Operation> all;
  const auto groups = json::parse(file->content);
  for (const auto& group : groups)
    for (const auto& item : group.at("operations"))
      all.push_back(operationFrom(group.at("tag").get<std::string>(), item));
  return all;
}

}  // namespace

const std::vector<Operation>& operations() {
  static const auto all = readOperations();
  return all;
}

}  // namespace postern::webadmin
