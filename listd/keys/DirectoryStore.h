#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct LookupNote {
  TimePoint askedAt;
  std::string outcome;  // a plain sentence
};

// An LDAP directory that has keys of members.
struct Directory {
  std::string name;
  std::string url;          // ldaps://host[:port] or ldap://host[:port] (StartTLS)
  std::string authorities;  // PEM; empty: the site's trust anchors
  std::string bindName;     // empty: anonymous; the password is in keys.db
  std::string base;
  std::string filter;                   // with %a for the address, %l for its local part, %d for its domain
  std::vector<std::string> attributes;  // where it has certificates or OpenPGP keys
  std::vector<std::string> domains;     // for whose addresses it is asked
  bool authoritative = false;           // its keys are in use at once; else they are proposed
  TimePoint madeAt;
  LookupNote answer;   // its last answer, to whatever address; no time: none yet
  LookupNote failure;  // and what kept it last from answering
};

struct TrustedAuthority {
  std::string fingerprint;
  std::string certificate;  // DER
  std::string subject;
  TimePoint notAfter;
  TimePoint addedAt;
  std::string addedBy;
};

// Directories, what looking up addresses came to, and trusted authorities. Threads: those of the connection.
// Errors: Error(Store).
class DirectoryStore {
public:
  explicit DirectoryStore(store::Database& database) : database_(database) {}

  void set(const Directory& directory);  // replaces the one of this name; what was said there is forgotten
  std::vector<Directory> all() const;
  bool remove(std::string_view name);
  // What a directory said or, if it did not answer, what kept it from that. Nothing if it is none.
  void noteAsked(std::string_view name, bool answered, const LookupNote& note);

  void noteLookup(std::string_view address, const LookupNote& note);
  std::optional<LookupNote> lookup(std::string_view address) const;
  void forgetLookups();  // so that everybody is looked up again
  // Enabled members of secure lists, behind `after`, whom no key serves at `now` but such as look-ups brought, and who
  // were not looked up since `before`.
  std::vector<std::string> addressesToLookUp(std::string_view after, TimePoint now, TimePoint before,
                                             std::uint32_t limit) const;

  void addAuthority(const TrustedAuthority& authority);
  std::vector<TrustedAuthority> authorities() const;
  bool removeAuthority(std::string_view fingerprint);

private:
  store::Database& database_;
};

}  // namespace postern::listd
