#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Mutex.h"
#include "core/mailauth/Dkim.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::gateway {

// The keys that sign the gateway's own reports on TLS (RFC 8460 §3). Their records say s=tlsrpt, so that whoever takes
// them from this process, which faces the network, can sign no other mail of the site with them. In memory only; listd
// gives them on each connect. Threads: safe for all.
class ReportKeys {
public:
  // Keys that cannot be read are left out, with a line in the log.
  void set(std::vector<app::ReportKey> keys);
  // listd was here, with keys or without: who sends before leaves unsigned what should be signed.
  bool given() const;

  // The DKIM-Signature fields for a whole report from this address; empty without a key for its domain.
  std::string fieldsFor(std::string_view from, std::string_view message, TimePoint now) const;

private:
  mutable Mutex mutex_;
  std::vector<mailauth::DkimSigner> signers_ GUARDED_BY(mutex_);
  bool given_ GUARDED_BY(mutex_) = false;
};

}  // namespace postern::gateway
