#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

// Where a companion program (spam filter, virus scanner, milter) listens: "unix:/run/clamav/clamd.ctl",
// "127.0.0.1:11333", "[::1]:11333". Invariant: on this machine. Mail of secure lists is shown to companions in clear,
// so that there is no way to write down another machine, nor a name that the DNS could lead there.
struct CompanionAddress {
  std::string path;  // of a local socket; empty: host and port
  std::string host;
  std::uint16_t port = 0;

  static std::optional<CompanionAddress> parse(std::string_view text);
  bool isSocketFile() const { return !path.empty(); }
  std::string text() const;
  bool operator==(const CompanionAddress&) const = default;
};

}  // namespace postern
