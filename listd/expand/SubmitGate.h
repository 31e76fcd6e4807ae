#pragma once
#include "core/base/Mutex.h"

#include <cstddef>

namespace postern::listd {

// Keeps copies from going out twice. The gateway remembers a copy key at least until listd has acknowledged its final
// event. So whoever hands copies over is inside the gate from looking at the ledger ("is this row still planned?")
// until the gateway has answered, and whoever acknowledges events is alone inside it, after the ledger is committed:
// then either the ledger shows the outcome and the row is not handed over, or the gateway still knows the key. Any
// number hand over at a time; who waits to acknowledge goes before those who come later. A backup is alone inside it
// likewise while it takes the moment that it is of. Threads: safe for all.
class SubmitGate {
public:
  class HandingOver {
  public:
    explicit HandingOver(SubmitGate& gate);
    ~HandingOver();
    HandingOver(const HandingOver&) = delete;
    HandingOver& operator=(const HandingOver&) = delete;

  private:
    SubmitGate& gate_;
  };

  class Acknowledging {
  public:
    explicit Acknowledging(SubmitGate& gate);
    ~Acknowledging();
    Acknowledging(const Acknowledging&) = delete;
    Acknowledging& operator=(const Acknowledging&) = delete;

  private:
    SubmitGate& gate_;
  };

private:
  Mutex mutex_;
  Condition changed_;
  std::size_t handingOver_ GUARDED_BY(mutex_) = 0;
  std::size_t acknowledging_ GUARDED_BY(mutex_) = 0;  // waiting or inside
  bool alone_ GUARDED_BY(mutex_) = false;             // one is inside
};

}  // namespace postern::listd
