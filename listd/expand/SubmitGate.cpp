#include "listd/expand/SubmitGate.h"

namespace postern::listd {

SubmitGate::HandingOver::HandingOver(SubmitGate& gate) : gate_(gate) {
  const MutexLock lock(gate_.mutex_);
  while (gate_.acknowledging_ > 0) gate_.changed_.wait(gate_.mutex_);
  ++gate_.handingOver_;
}

SubmitGate::HandingOver::~HandingOver() {
  const MutexLock lock(gate_.mutex_);
  if (--gate_.handingOver_ == 0) gate_.changed_.notify_all();
}

SubmitGate::Acknowledging::Acknowledging(SubmitGate& gate) : gate_(gate) {
  const MutexLock lock(gate_.mutex_);
  ++gate_.acknowledging_;
  while (gate_.handingOver_ > 0 || gate_.alone_) gate_.changed_.wait(gate_.mutex_);
  gate_.alone_ = true;
}

SubmitGate::Acknowledging::~Acknowledging() {
  const MutexLock lock(gate_.mutex_);
  --gate_.acknowledging_;
  gate_.alone_ = false;
  gate_.changed_.notify_all();
}

}  // namespace postern::listd
