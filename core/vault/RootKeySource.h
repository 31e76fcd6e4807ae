#pragma once
#include "core/vault/RootKey.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace postern::vault {

// Where the root key is kept (`store.root_key_source`):
//   "file"             in `root_key`, hexadecimal, mode 0600.
//   "credential:NAME"  a systemd credential, in $CREDENTIALS_DIRECTORY/NAME; the next key is NAME.next there.
//   "passphrase"       in `root_key`, sealed under Argon2id of a passphrase, whose parameters stand beside it.
// A change of the root key: prepareNext() makes the new key durable beside the old one, KeyStore::changeRoot() wraps
// everything anew, finishNext() puts the new one in the old one's place. Whatever instant the process dies, one of
// candidates() opens keys.db, and the KeyStore ends or undoes the change at the next start.
// Threads: one at a time. Errors: Error(Config) with what to do.
class RootKeySource {
public:
  // Asked for the passphrase once; `purpose` is shown to the person.
  using AskPassphrase = std::function<Secret(const std::string& purpose)>;

  static std::unique_ptr<RootKeySource> open(const std::string& source, const std::filesystem::path& file,
                                             const AskPassphrase& ask);
  // Makes the first key of a new site. Error(Config) when there is one, or the source cannot make one.
  static std::unique_ptr<RootKeySource> create(const std::string& source, const std::filesystem::path& file,
                                               const AskPassphrase& ask);
  static bool isSource(const std::string& text);  // one of the three forms
  virtual ~RootKeySource() = default;

  virtual const std::string& name() const = 0;  // as in the setting
  struct Candidate {
    RootKey key;
    bool next = false;  // it was prepared, and finishNext() was not reached
  };
  virtual std::vector<Candidate> candidates() const = 0;  // one or two
  virtual RootKey prepareNext() = 0;
  virtual void finishNext() = 0;  // the old key is overwritten; does nothing when there is no next one
  virtual void dropNext() = 0;    // keys.db is still under the old one
};

// The passphrase from where it may come without anybody else seeing it: the descriptor that POSTERN_PASSPHRASE_FD
// numbers, the systemd credential "postern-passphrase", the terminal, systemd-ask-password; never from an argument or
// the environment itself. Error(Config) that names the ways when there is none.
Secret askPassphrase(const std::string& purpose);

}  // namespace postern::vault
