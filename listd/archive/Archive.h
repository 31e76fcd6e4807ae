#pragma once
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <optional>
#include <string>

namespace postern::listd {

// Opens what is kept. Threads: safe for all. Errors: those of the vault; Error(Crypto) when the content does not
// verify.
class Archive {
public:
  explicit Archive(SiteContext& context) : context_(context) {}

  // The message as it was received; nothing when it was destroyed or never here.
  std::optional<std::string> open(std::uint64_t objectId) const;

  struct Proof {
    std::string digest;  // SHA-256 noted at receipt, in hexadecimal; empty: none was noted then
    bool ok = false;     // the content decrypts and has that digest
    std::string words;   // why not
  };
  Proof verify(const StoredObject& object) const;

private:
  SiteContext& context_;
};

}  // namespace postern::listd
