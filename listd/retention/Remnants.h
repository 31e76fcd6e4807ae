#pragma once
#include "core/base/Mutex.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::listd {

struct GateParts;

// What destruction could not wipe out of the files at once, because another program reads them or a write failed. The
// keys are out of use all the same, and no order gives the mail; somebody with the files and the root key could still
// find them. Each is true until it is proven gone: a log that was emptied, a list of places that is empty.
struct Remnants {
  bool keys = false;      // wrapped keys, in the write-ahead log of keys.db
  bool contents = false;  // ciphertext, in the vault
  bool rows = false;      // rows of site.db, in its write-ahead log
  bool words = false;     // tokens, in the index or its write-ahead log

  bool any() const { return keys || contents || rows || words; }
  std::string text() const;  // "the write-ahead log of keys.db, …"; empty: none
};

// Wipes what is left, at the end of each destruction and then each minute. Threads: safe for all. Errors: none: what
// breaks is left for the next time, and logged.
class RemnantWiper {
public:
  RemnantWiper(SiteContext& context, const GateParts& parts) : context_(context), parts_(parts) {}

  Remnants wipe(const std::vector<std::uint64_t>& gone = {});  // gone: what the index is to forget
  // Nothing while nothing was left the last time.
  Remnants wipeAgain();
  Remnants left() const;

private:
  void note(const Remnants& before, const Remnants& now);

  SiteContext& context_;
  const GateParts& parts_;
  Mutex wiping_;  // one at a time
  mutable Mutex mutex_;
  Remnants left_ GUARDED_BY(mutex_);
  std::vector<std::uint64_t> toForget_ GUARDED_BY(mutex_);
  bool tried_ GUARDED_BY(mutex_) = false;  // since the start, at which nobody knows
};

}  // namespace postern::listd
