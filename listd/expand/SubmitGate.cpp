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

// One thread acknowledges (EventWorker), so that those inside need not keep each other out.
SubmitGate::Acknowledging::Acknowledging(SubmitGate& gate) : gate_(gate) {
  const MutexLock lock(gate_.mutex_);
  ++gate_.acknowledging_;
  while (gate_.handingOver_ > 0) gate_.changed_.wait(gate_.mutex_);
}

SubmitGate::Acknowledging::~Acknowledging() {
  const MutexLock lock(gate_.mutex_);
  --gate_.acknowledging_;
  gate_.changed_.notify_all();
}

}  // namespace postern::listd
