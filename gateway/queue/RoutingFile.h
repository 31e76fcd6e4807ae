#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Mutex.h"

#include <filesystem>
#include <memory>
#include <optional>

namespace postern::gateway {

// The routing view in force, kept in DATA/gateway/routing.bin so that the gateway answers RCPT before listd connects.
// Threads: safe for all; current() is an immutable snapshot, null before the first view ever came.
class RoutingFile {
public:
  explicit RoutingFile(std::filesystem::path path);  // loads it; Error(Malformed) when damaged
  std::shared_ptr<const app::RoutingView> current() const;
  void set(const app::RoutingView& view);  // durable, then in force

private:
  std::filesystem::path path_;
  mutable Mutex mutex_;
  std::shared_ptr<const app::RoutingView> view_ GUARDED_BY(mutex_);
};

}  // namespace postern::gateway
