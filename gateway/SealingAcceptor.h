#pragma once
#include "core/base/Mutex.h"
#include "core/crypto/SealedBox.h"
#include "gateway/queue/QueueStore.h"
#include "gateway/queue/RoutingFile.h"
#include "gateway/smtp/Ports.h"

#include <memory>

namespace postern::gateway {

// Seals what is accepted to the vault's public key and stores it; the content never touches the disk in clear, and
// this process cannot open it again. Threads: safe for all.
// Errors: those of QueueStore::accept; Error(Unavailable) before a routing view has brought the key.
class SealingAcceptor : public Acceptor {
public:
  SealingAcceptor(QueueStore& queue, const RoutingFile& routing) : queue_(queue), routing_(routing) {}

  // Takes the vault's key of the view in force.
  void refresh();
  void accept(app::Submission submission) override;

private:
  QueueStore& queue_;
  const RoutingFile& routing_;
  Mutex mutex_;
  std::string publicKey_ GUARDED_BY(mutex_);
  std::shared_ptr<crypto::SealedBoxWriter> writer_ GUARDED_BY(mutex_);
};

}  // namespace postern::gateway
