#include "webadmin/Template.h"

#include "core/base/Error.h"
#include "webadmin/Embedded.h"

#include <kainjow/mustache.hpp>
#include <nlohmann/json.hpp>

namespace postern::webadmin {

namespace mustache = kainjow::mustache;
using nlohmann::json;

namespace {

std::string source(std::string_view name) {
  const auto* file = embedded::find("templates/" + std::string(name) + ".html");
  if (!file) throw Error(ErrorKind::Invariant, "the template " + std::string(name) + " does not exist");
  return std::string(file->content);
}

mustache::data toData(const json& value) {
  switch (value.type()) {
    case json::value_t::object: {
      mustache::data object{mustache::data::type::object};
      for (const auto& [key, item] : value.items()) object.set(key, toData(item));
      return object;
    }
    case json::value_t::array: {
      mustache::data list{mustache::data::type::list};
      for (const auto& item : value) list.push_back(toData(item));
      return list;
    }
    case json::value_t::string:
      if (value.get_ref<const std::string&>().empty()) return mustache::data(mustache::data::type::bool_false);
      return mustache::data(value.get_ref<const std::string&>());
    case json::value_t::boolean:
      return mustache::data(value.get<bool>() ? mustache::data::type::bool_true : mustache::data::type::bool_false);
    case json::value_t::null:
      return mustache::data(mustache::data::type::bool_false);
    default:
      return mustache::data(value.dump());
  }
}

// The prefix keeps the names of parts apart from those of view fields, which share one namespace.
void addPartials(mustache::data& data) {
  constexpr std::string_view Folder = "templates/", Part = "templates/part-", Ending = ".html";
  for (const auto& file : embedded::all()) {
    if (!file.path.starts_with(Part) || !file.path.ends_with(Ending)) continue;
    const auto name = file.path.substr(Folder.size(), file.path.size() - Folder.size() - Ending.size());
    data.set(std::string(name),
             mustache::data(mustache::partial([content = file.content] { return std::string(content); })));
  }
}

}  // namespace

std::string drawTemplate(std::string_view name, const json& view) {
  mustache::mustache page(source(name));
  if (!page.is_valid())
    throw Error(ErrorKind::Invariant, "the template " + std::string(name) + " is wrong: " + page.error_message());
  auto data = toData(view);
  addPartials(data);
  return page.render(data);
}

std::string drawPage(std::string_view name, const json& view, json frame) {
  frame["content"] = drawTemplate(name, view);
  return drawTemplate("layout", frame);
}

}  // namespace postern::webadmin
