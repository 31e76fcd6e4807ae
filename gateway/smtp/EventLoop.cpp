#include "gateway/smtp/EventLoop.h"

#include "core/base/Error.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace postern::gateway {

namespace {
constexpr std::uint64_t WakeId = ~std::uint64_t{0};
}

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!epoll_ || !wake_) throwErrno("make", "an event loop");
  epoll_event event{};
  event.events = EPOLLIN;  // stays readable, so every waiting thread returns
  event.data.u64 = WakeId;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) throwErrno("set up", "an event loop");
}

void EventLoop::arm(int descriptor, std::uint64_t id, For what, bool isNew) {
  epoll_event event{};
  event.events = (what == For::Read ? EPOLLIN | EPOLLRDHUP : EPOLLOUT) | EPOLLONESHOT;
  event.data.u64 = id;
  if (::epoll_ctl(epoll_.get(), isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) != 0)
    throwErrno("wait for", "a connection");
}

std::optional<std::uint64_t> EventLoop::wait() {
  for (;;) {
    epoll_event event{};
    const int count = ::epoll_wait(epoll_.get(), &event, 1, -1);
    if (count < 0 && errno != EINTR) throwErrno("wait for", "connections");
    if (count <= 0) continue;
    const std::uint64_t id = event.data.u64;
    if (id == WakeId) return std::nullopt;
    return id;
  }
}

void EventLoop::wakeAll() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

}  // namespace postern::gateway
