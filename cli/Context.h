#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>
#include <string_view>

namespace postern::cli {

// What `postern` returns to the shell.
enum class Exit { Ok = 0, No = 1, Usage = 2, Broken = 3 };

// What every command knows: where the site is, how to print, and how to ask listd.
struct Context {
  std::filesystem::path dataFolder;
  bool json = false;
  std::ostream& out;
  std::ostream& err;

  std::string token = {};  // a personal access token: acts as its person

  // Gives an order as the person of the token, else as the Unix user who runs the command, admin of the machine. Throws
  // app::OrderRefused or Error(Unavailable).
  nlohmann::json give(std::string_view order, const nlohmann::json& args) const;
};

// The Unix user of this process by name.
std::string unixUser();

}  // namespace postern::cli
