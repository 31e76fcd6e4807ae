#include "cli/Reload.h"

#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

namespace postern::cli {

using nlohmann::json;

namespace {

using namespace std::chrono_literals;

constexpr auto Patience = 20s;

// The process of `postern run`, which holds the lock of the site.
std::optional<pid_t> supervisorOf(const std::filesystem::path& dataFolder) {
  const auto path = dataFolder / "run/supervisor.lock";
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  if (!file || ::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
  return lock.l_pid;
}

bool reloadUnits() {
  const auto child = ::fork();
  if (child < 0) throwErrno("start", "systemctl");
  if (child == 0) {
    ::execlp("systemctl", "systemctl", "reload", "postern-gateway.service", "postern-listd.service",
             "postern-webadmin.service", nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// What each process says of its last reading.
json statesOf(const Context& context) {
  return context.give("config.state", json::object()).at("items");
}

bool allSince(const json& states, std::int64_t began) {
  return std::all_of(states.begin(), states.end(),
                     [&](const json& state) { return state.value("at", std::int64_t{0}) >= began; });
}

std::string listed(const json& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name.get<std::string>();
  return text.empty() ? "none" : text;
}

}  // namespace

Exit reloadSite(const Context& context) {
  config::loadSiteConfig(context.dataFolder);  // throws for what is wrong
  const auto began = toMicros(SystemClock().now());
  if (const auto process = supervisorOf(context.dataFolder)) {
    if (::kill(*process, SIGHUP) != 0) throwErrno("signal", "postern run");
  } else if (!std::filesystem::exists("/run/systemd/system") || !reloadUnits()) {
    throw Error(ErrorKind::Config, "this site does not run, so there is nothing to reload");
  }
  auto states = json::array();
  for (const auto until = std::chrono::steady_clock::now() + Patience;;) {
    states = statesOf(context);
    if (allSince(states, began)) break;
    if (std::chrono::steady_clock::now() > until)
      throw Error(ErrorKind::Unavailable, "not all processes have read the settings again; see their logs");
    std::this_thread::sleep_for(50ms);
  }
  const bool ok = std::all_of(states.begin(), states.end(), [](const json& state) { return state.value("ok", false); });
  if (context.json) {
    context.out << json{{"ok", ok}, {"items", states}}.dump(2) << "\n";
    return ok ? Exit::Ok : Exit::No;
  }
  for (const auto& state : states) {
    context.out << state.at("process").get<std::string>() << ": ";
    if (state.value("ok", false))
      context.out << "read again; other than at the start: " << listed(state.at("taken"))
                  << "; need a restart: " << listed(state.at("restart")) << "\n";
    else
      context.out << "all is as it was: " << state.value("problem", "") << "\n";
  }
  return ok ? Exit::Ok : Exit::No;
}

}  // namespace postern::cli
