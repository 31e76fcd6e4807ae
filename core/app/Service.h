#pragma once
#include "core/config/SiteConfig.h"

namespace postern::app {

// A running process as its main sees it. Threads: all calls come from the thread of main.
class Service {
public:
  virtual ~Service() = default;

  // True when the loops that do the work still turn. It may also not come back at all: either way the service manager
  // hears no heart-beat, and starts the process anew.
  virtual bool alive() { return true; }

  // Takes over the settings that a reload may change; the rest is as at the start. What is under way goes on.
  virtual void reload(const config::SiteConfig& /*config*/) {}
};

}  // namespace postern::app
