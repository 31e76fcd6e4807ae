#pragma once
#include "core/base/Metrics.h"

namespace postern::app {

// What each process shows of itself: its counters, memory, CPU, and how the last reading of the settings went.
void addProcess(metrics::Page& page, std::string_view process);

}  // namespace postern::app
