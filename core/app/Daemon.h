#pragma once
#include "core/app/Confinement.h"
#include "core/config/SiteConfig.h"

#include <functional>
#include <memory>
#include <string>

namespace postern::app {

// What every daemon's main does: reads `--data DIR`, opens the log, ignores SIGPIPE, forbids core dumps (they would
// hold mail and keys), loads the configuration and confines the process to the files that `confinement` names; then
// runs `start`, waits for SIGTERM or SIGINT, and destroys what `start` returned. The boundary of main: an exception is
// logged once and ends the program with 3.
// REQUIRES: called first thing in main, before any thread.
using Start = std::function<std::shared_ptr<void>(const config::SiteConfig&)>;
using Confine = std::function<Confinement(const config::SiteConfig&)>;
int runDaemon(const std::string& name, int argc, char** argv, const Confine& confinement, const Start& start);

}  // namespace postern::app
