#include "gateway/queue/RoutingFile.h"

#include "core/base/Files.h"

namespace postern::gateway {

RoutingFile::RoutingFile(std::filesystem::path path) : path_(std::move(path)) {
  if (!std::filesystem::exists(path_)) return;
  auto view = std::make_shared<const app::RoutingView>(app::RoutingView::decode(files::read(path_)));
  MutexLock lock(mutex_);
  view_ = std::move(view);
}

std::shared_ptr<const app::RoutingView> RoutingFile::current() const {
  MutexLock lock(mutex_);
  return view_;
}

void RoutingFile::set(const app::RoutingView& view) {
  MutexLock lock(mutex_);
  files::replaceDurably(path_, view.encode());
  view_ = std::make_shared<const app::RoutingView>(view);
}

}  // namespace postern::gateway
