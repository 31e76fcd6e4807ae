#pragma once
#include "core/base/Mutex.h"
#include "listd/keys/DirectoryStore.h"
#include "listd/keys/Proposals.h"
#include "listd/keys/RevocationCheck.h"

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace postern::listd {

using AskLdap = std::function<app::LdapAnswer(const app::LdapQuestion&)>;
AskLdap askByGateway(const GatewayAddress& address);

// A filter of RFC 4515 with %a, %l and %d replaced by the escaped address, its local part and its domain (§3).
std::string filterFor(std::string_view pattern, const mail::Address& address);
// Where a key of the address would be (draft-koch-openpgp-webkey-service §3.1): the advanced method, then the direct
// one.
std::vector<std::string> webKeyPlaces(const mail::Address& address);

// What one place had.
struct LookupAnswer {
  std::string place;  // "wkd", or the name of a directory
  bool authoritative = false;
  std::vector<KeyFinding> findings;
  std::string outcome;    // a plain sentence
  bool answered = false;  // false: it could not be asked, and is asked again
  bool asked = false;     // of a directory: the question was put to it
};

// Looks for keys of addresses in the directories of the site and, where the settings allow it, in the Web Key Directory
// of the domain. Only keys that name the address are fit; what a directory says of domains that are not its own is
// never asked for. Ownership: the context must outlive it. Threads: one at a time. Errors: what the network does stands
// in the outcome.
class KeyLookup {
public:
  KeyLookup(SiteContext& context, FetchDocument fetch, AskLdap ask);

  bool hasPlaces() const;
  std::vector<LookupAnswer> lookUp(const mail::Address& address);
  LookupAnswer askDirectory(const Directory& directory, const mail::Address& address);
  // Takes or proposes what was found, and notes the look-up when every place answered. How many keys are new.
  static std::uint64_t keep(SiteTables& tables, const std::string& address, const std::vector<LookupAnswer>& answers,
                            TimePoint now);

private:
  LookupAnswer askWebKeyDirectory(const mail::Address& address);

  SiteContext& context_;
  const FetchDocument fetch_;
  const AskLdap ask_;
};

// Looks up, one after the other and outside of any post's way, the members of secure lists who have no key in use: soon
// after they came, and again each day. Threads: safe for all; its own does the work.
class KeyLookups {
public:
  KeyLookups(SiteContext& context, const GatewayAddress& address);
  ~KeyLookups();

  void wake();  // members came, or directories changed
  // One address now, for somebody who waits.
  std::vector<LookupAnswer> now(const mail::Address& address);
  LookupAnswer test(const Directory& directory, const mail::Address& address);

private:
  bool stopsWithin(std::chrono::milliseconds pause);
  bool waitUntilDue();  // false: the end
  void run();
  void lookUpDue();

  SiteContext& context_;
  const GatewayAddress& address_;
  Mutex mutex_;
  Condition changed_;
  bool due_ GUARDED_BY(mutex_) = true;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
