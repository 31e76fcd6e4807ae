#pragma once
#include "core/base/Clock.h"
#include "core/base/Files.h"
#include "core/pgp/PublicKey.h"
#include "core/pgp/RecipientKey.h"
#include "tests/support/TempFolder.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

namespace postern::test {

struct Run {
  int status = -1;
  std::string output;
};

// Runs a command by the shell, standard error included in the output.
inline Run run(const std::string& command) {
  Run result;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return result;
  std::array<char, 4096> buffer{};
  while (const auto count = fread(buffer.data(), 1, buffer.size(), pipe)) result.output.append(buffer.data(), count);
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

inline TimePoint now() {
  return SystemClock().now();
}

inline std::string quoted(const std::filesystem::path& path) {
  return "'" + path.string() + "'";
}

// A home of gpg with its own agent, which ends with the object.
class GpgHome {
public:
  GpgHome() {
    std::filesystem::create_directory(folder_ / "home");
    std::filesystem::permissions(folder_ / "home", std::filesystem::perms::owner_all);
  }
  ~GpgHome() { postern::test::run("gpgconf --homedir " + quoted(folder_ / "home") + " --kill all"); }
  GpgHome(const GpgHome&) = delete;
  GpgHome& operator=(const GpgHome&) = delete;

  Run gpg(const std::string& arguments) const {
    return postern::test::run("gpg --homedir " + quoted(folder_ / "home") +
                              " --batch --no-tty --yes --pinentry-mode loopback --passphrase '' " + arguments);
  }
  // The output without what gpg says beside it.
  std::string quietGpg(const std::string& arguments) const {
    return gpg("--quiet --no-greeting " + arguments + " 2>/dev/null").output;
  }

  // A primary key that signs, with one subkey for encryption: "cv25519" "nistp256" "rsa3072" … Gives the fingerprint.
  std::string makeKey(const std::string& userId, const std::string& subkey, const std::string& expires = "1y") const {
    const auto made = gpg("--quick-gen-key '" + userId + "' ed25519 sign " + expires);
    auto fingerprint = fingerprintOf(userId);
    if (!subkey.empty()) gpg("--quick-add-key " + fingerprint + " " + subkey + " encr " + expires);
    return fingerprint;
  }
  std::string fingerprintOf(const std::string& userId) const {
    const auto listing = quietGpg("--with-colons --list-keys '=" + userId + "'");
    const auto at = listing.find("\nfpr:");
    return at == std::string::npos ? "" : listing.substr(listing.find_first_not_of(':', at + 4), 40);
  }
  std::string exported(const std::string& id) const { return quietGpg("--armor --export " + id); }
  std::string exportedSecret(const std::string& id) const { return quietGpg("--armor --export-secret-keys " + id); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  void store(const std::string& name, std::string_view content) const {
    files::replaceDurably(folder_ / name, content);
  }
  std::string read(const std::string& name) const { return files::read(folder_ / name); }

private:
  TempFolder folder_;
};

// The armored message of a PGP/MIME copy.
inline std::string armoredPart(const std::string& message) {
  const auto begin = message.find("-----BEGIN PGP MESSAGE-----");
  const std::string end = "-----END PGP MESSAGE-----\r\n";
  const auto stop = message.find(end, begin);
  if (begin == std::string::npos || stop == std::string::npos) return "";
  return message.substr(begin, stop + end.size() - begin);
}

}  // namespace postern::test
