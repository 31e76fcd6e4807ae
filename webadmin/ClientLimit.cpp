#include "webadmin/ClientLimit.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace postern::webadmin {

std::string clientNetwork(std::string_view clientAddress) {
  const std::string address(clientAddress.substr(0, clientAddress.find('%')));
  in6_addr bytes{};
  if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1 || IN6_IS_ADDR_V4MAPPED(&bytes)) return address;
  std::memset(bytes.s6_addr + 8, 0, 8);
  std::array<char, INET6_ADDRSTRLEN> text{};
  return std::string(inet_ntop(AF_INET6, &bytes, text.data(), text.size())) + "/64";
}

bool ClientLimit::allow(std::string_view clientAddress) {
  const auto now = clock_.now();
  const auto key = clientNetwork(clientAddress);
  MutexLock lock(mutex_);
  if (windows_.size() >= MaxClients) forgetPassed(now);
  const auto known = windows_.find(key);
  if (known == windows_.end()) {
    if (windows_.size() >= MaxClients) return false;
    windows_.emplace(key, Window{now, 1});
    return attempts_ > 0;
  }
  auto& window = known->second;
  if (now - window.start >= window_) window = {now, 0};
  if (window.count >= attempts_) return false;
  ++window.count;
  return true;
}

void ClientLimit::forgive(std::string_view clientAddress) {
  MutexLock lock(mutex_);
  windows_.erase(clientNetwork(clientAddress));
}

void ClientLimit::forgetPassed(TimePoint now) {
  std::erase_if(windows_, [&](const auto& item) { return now - item.second.start >= window_; });
}

}  // namespace postern::webadmin
