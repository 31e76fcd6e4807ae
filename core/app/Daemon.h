#pragma once
#include "core/app/Confinement.h"
#include "core/app/Service.h"
#include "core/config/SiteConfig.h"

#include <functional>
#include <memory>
#include <string>

namespace postern::app {

// What every daemon's main does: reads `--data DIR`, opens the log, ignores SIGPIPE, forbids core dumps (they would
// hold mail and keys), loads the configuration and confines the process to the files that `confinement` names; then
// runs `start`, waits for SIGTERM or SIGINT, and destroys what `start` returned. SIGHUP opens the log anew and reads
// the settings again (Reload.h), taken over whole or not at all; certificates are read again by themselves. The service
// manager is told when all listeners serve, and hears a heart-beat only while the service says that it is alive. The
// boundary of main: an exception is logged once and ends the program with 3. REQUIRES: called first thing in main,
// before any thread.
using Start = std::function<std::shared_ptr<Service>(const config::SiteConfig&)>;
using Confine = std::function<Confinement(const config::SiteConfig&)>;
int runDaemon(const std::string& name, int argc, char** argv, const Confine& confinement, const Start& start);

// The same frame for work that ends by itself: its result is the exit code; 3 when it throws.
using Task = std::function<int(const config::SiteConfig&)>;
int runTask(const std::string& name, const std::string& dataFolder, const Confine& confinement, const Task& task);

}  // namespace postern::app
