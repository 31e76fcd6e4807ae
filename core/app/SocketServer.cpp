#include "core/app/SocketServer.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

namespace postern::app {

SocketServer::SocketServer(const std::string& path, net::LocalListener::For whom, Serve serve)
    : listener_(path, whom), serve_(std::move(serve)), acceptor_([this] { acceptAll(); }) {}

void SocketServer::acceptAll() {
  while (auto socket = listener_.accept()) {
    joinFinished();
    MutexLock lock(mutex_);
    auto& connection = *connections_.emplace_back(std::make_unique<Connection>(std::move(*socket)));
    connection.thread = std::thread([this, &connection] { run(connection); });
  }
}

void SocketServer::run(Connection& connection) {
  try {
    serve_(connection.socket);
  } catch (const Error& error) {
    log::info("local", "a local connection ended", {{"reason", error.displayText()}});
  }
  connection.socket.shutdown();
  MutexLock lock(mutex_);
  connection.done = true;
}

void SocketServer::joinFinished() {
  std::list<std::unique_ptr<Connection>> finished;
  {
    MutexLock lock(mutex_);
    for (auto it = connections_.begin(); it != connections_.end();) {
      const auto next = std::next(it);
      if ((*it)->done) finished.splice(finished.end(), connections_, it);
      it = next;
    }
  }
  for (auto& connection : finished) connection->thread.join();
}

void SocketServer::stop() {
  if (stopped_) return;
  stopped_ = true;
  listener_.shutdown();
  acceptor_.join();
  std::list<std::unique_ptr<Connection>> open;
  {
    MutexLock lock(mutex_);
    for (auto& connection : connections_) connection->socket.shutdown();
    open.swap(connections_);
  }
  for (auto& connection : open) connection->thread.join();
}

}  // namespace postern::app
