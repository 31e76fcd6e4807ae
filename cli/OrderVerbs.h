#pragma once
#include "cli/Context.h"

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace postern::cli {

// One argument of a verb and the field of the order that it fills.
struct Parameter {
  enum class Kind { Positional, Option, Flag, FileContent };
  enum class Type { Text, Number, Truth };

  Kind kind;
  const char* name;  // "address", "--name", "--all"
  const char* field;
  const char* doc;
  bool required = false;
  Type type = Type::Text;
};

// A verb of the command line that is one order. The list of these is the only place that names it: parsing,
// --help, the man page and the shell completion all come from it.
struct OrderVerb {
  const char* noun;
  const char* verb;
  const char* order;
  const char* doc;
  std::vector<Parameter> parameters;
  std::function<void(std::ostream&, const nlohmann::json& result)> render;
  bool waitsForJob = false;  // its result names a job: shown until that has ended, unless --no-wait
};

const std::vector<OrderVerb>& orderVerbs();

}  // namespace postern::cli
