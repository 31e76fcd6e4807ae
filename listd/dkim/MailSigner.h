#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "core/mailauth/Dkim.h"
#include "listd/dkim/DkimStore.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::vault {
class KeyStore;
}

namespace postern::listd {

class SiteContext;

// The private keys that sign mail, unwrapped once. Threads: safe for all.
class DkimKeyMemory {
public:
  // Throws Error(Crypto) with a text for an administrator when keys.db has it not, or it cannot be used.
  mailauth::SigningKey get(const vault::KeyStore& keys, const DkimKey& key);
  void forget(std::uint64_t id);

private:
  Mutex mutex_;
  std::map<std::uint64_t, mailauth::SigningKey> known_ GUARDED_BY(mutex_);
};

// Signs the mail that leaves under one list, or of the site itself, by the keys of the domain of From: of those domains
// alone that it is given, which the caller knows to be the author's own. A copy under another From is left unsigned.
// Invariants: a key that is in use and cannot be read, or is demanded and not there, is an Error, so that mail waits
// rather than leaving unsigned. Keys are those of the moment of making; their records stay in the DNS for longer than a
// copy may wait. Threads: fields() is safe for all. Errors: Error(Crypto).
class MailSigner {
public:
  MailSigner(SiteContext& context, const std::string& list, const std::vector<std::string>& domains);

  // The fields to put above the message that `head` and `tail` are; empty when it is not to be signed.
  std::string fields(std::string_view head, std::string_view tail, TimePoint now) const;

private:
  struct Domain {
    std::string name;
    Signing signing = Signing::On;
    std::vector<mailauth::DkimSigner> signers;
  };
  void load(SiteContext& context, const std::string& list, const std::string& name);

  std::vector<Domain> domains_;
};

}  // namespace postern::listd
