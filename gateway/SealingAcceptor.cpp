#include "gateway/SealingAcceptor.h"

#include "core/base/Error.h"

namespace postern::gateway {

void SealingAcceptor::refresh() {
  const auto view = routing_.current();
  if (!view) return;
  MutexLock lock(mutex_);
  if (view->vaultPublicKey == publicKey_) return;
  writer_ = std::make_shared<crypto::SealedBoxWriter>(view->vaultPublicKey);
  publicKey_ = view->vaultPublicKey;
}

void SealingAcceptor::accept(app::Submission submission) {
  std::shared_ptr<crypto::SealedBoxWriter> writer;
  {
    MutexLock lock(mutex_);
    writer = writer_;
  }
  if (!writer)
    throw Error(ErrorKind::Unavailable, "no key of the vault yet: listd has never connected to this gateway");
  queue_.accept(writer->seal(submission.encode(), app::SubmissionContext));
}

}  // namespace postern::gateway
