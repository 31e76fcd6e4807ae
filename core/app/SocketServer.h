#pragma once
#include "core/base/Mutex.h"
#include "core/net/LocalSocket.h"

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

namespace postern::app {

// Accepts connections on a local socket and runs `serve` for each on a thread of its own. An Error out of `serve`
// ends that connection only and is logged. stop() wakes and joins all of them.
class SocketServer {
public:
  using Serve = std::function<void(net::LocalSocket&)>;

  SocketServer(const std::string& path, net::LocalListener::For whom, Serve serve);
  ~SocketServer() { stop(); }
  void stop();

private:
  struct Connection {
    explicit Connection(net::LocalSocket s) : socket(std::move(s)) {}
    net::LocalSocket socket;
    bool done = false;
    std::thread thread;
  };

  void acceptAll();
  void run(Connection& connection);
  void joinFinished();

  net::LocalListener listener_;
  Serve serve_;
  Mutex mutex_;
  std::list<std::unique_ptr<Connection>> connections_ GUARDED_BY(mutex_);
  bool stopped_ = false;
  std::thread acceptor_;
};

}  // namespace postern::app
