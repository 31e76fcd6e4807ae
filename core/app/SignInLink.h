#pragma once
#include "core/base/Secret.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace postern {
class Reader;
class Writer;
}  // namespace postern

// How the gateway learns whether a person may hand over mail, on a local socket of its own (run/signin.sock). listd
// asks "who wants to sign in?" and brings the answers to what it got before, so the gateway still orders nothing. Only
// yes or no comes back: no hash, no role.
namespace postern::app {

struct SignInQuestion {
  std::uint64_t id = 0;
  std::string name;
  Secret password;

  void encode(Writer& writer) const;
  static SignInQuestion decode(Reader& reader);
};

// A person who has signed in at the gateway.
struct SignedIn {
  std::string account;
  std::string address;  // the only one that this person may write as
};

struct SignInAnswer {
  std::uint64_t id = 0;
  bool right = false;
  SignedIn person;  // empty when it was wrong

  void encode(Writer& writer) const;
  static SignInAnswer decode(Reader& reader);
};

// Beside the gateway's own socket.
std::string signInSocket(const std::filesystem::path& gatewaySocket);

// listd's side. Threads: one at a time; shutdown() from any. Errors: Error(Unavailable) when the connection breaks.
class SignInLink {
public:
  explicit SignInLink(const std::string& socketPath);
  ~SignInLink();

  std::vector<SignInQuestion> exchange(const std::vector<SignInAnswer>& answers, std::chrono::milliseconds wait);
  void shutdown();

private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

// The gateway's side. `exchange` takes the answers and returns the questions that wait, at once or when one comes
// within `wait`. Threads: called from one thread per connection.
class SignInService {
public:
  virtual ~SignInService() = default;
  virtual std::vector<SignInQuestion> exchange(const std::vector<SignInAnswer>& answers,
                                               std::chrono::milliseconds wait) = 0;
};

class SignInServer {
public:
  SignInServer(const std::string& socketPath, SignInService& service);
  ~SignInServer();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::app
