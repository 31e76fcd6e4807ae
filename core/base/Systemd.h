#pragma once
#include "core/base/Files.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a service manager (systemd and what speaks as it does) says to a process by its environment, and what the
// process says back: sockets handed over (sd_listen_fds), readiness and heart-beats (sd_notify), in the documented
// protocol and without its library. Without a service manager all of this does nothing.
namespace postern::systemd {

// Takes what the environment names and removes it from there, so that no child takes it for its own; sockets are closed
// on exec. REQUIRES: called first thing in main, before any thread or child.
void takeEnvironment();

// The sockets that were handed over under a name (FileDescriptorName=), non-blocking; each is given once. Throws
// Error(Config) when one of them does not listen. Threads: one.
std::vector<FileDescriptor> takeSockets(std::string_view name);

// What to say in place of nothing within this time, or the service manager kills the process; half of it is wise.
std::optional<std::chrono::microseconds> watchdogInterval();

// "READY=1", "STOPPING=1", "WATCHDOG=1", "RELOADING=1", "STATUS=…". Says nothing to nobody; never throws.
void notify(const std::string& state);

}  // namespace postern::systemd
