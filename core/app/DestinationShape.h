#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace postern::app {

// How fast mail goes to one destination: a domain, the host of a route, or "*" for all that say nothing else. What is
// not set is that of the next more general one, at last that of [delivery] in postern.toml.
struct DestinationShape {
  static constexpr std::uint32_t MostConnections = 100;
  static constexpr std::uint32_t MostPerMinute = 60'000;
  static constexpr std::size_t MostRetries = 20;
  static constexpr std::uint32_t LongestRetry = 7 * 24 * 3600;

  std::string destination;        // lower case
  std::uint32_t connections = 0;  // at the same time; 0: not set
  std::uint32_t perMinute = 0;    // messages; 0: not set
  std::vector<std::uint32_t>
      retry;            // seconds after the first, second, … failure, the last again and again; empty: not set
  bool paused = false;  // nothing is tried, and nothing expires meanwhile
  bool operator==(const DestinationShape&) const = default;
};

}  // namespace postern::app
