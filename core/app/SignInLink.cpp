#include "core/app/SignInLink.h"

#include "core/app/SocketServer.h"
#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/net/LocalSocket.h"

#include <algorithm>

namespace postern::app {

namespace {
constexpr std::chrono::milliseconds LongestWait{10'000};
}

std::string signInSocket(const std::filesystem::path& gatewaySocket) {
  return (gatewaySocket.parent_path() / "signin.sock").string();
}

void SignInQuestion::encode(Writer& writer) const {
  writer.u64(id).string(name).string(password.view());
}

SignInQuestion SignInQuestion::decode(Reader& reader) {
  SignInQuestion question;
  question.id = reader.u64();
  question.name = reader.string();
  question.password = Secret(reader.view());
  return question;
}

void SignInAnswer::encode(Writer& writer) const {
  writer.u64(id).boolean(right).string(person.account).string(person.address);
}

SignInAnswer SignInAnswer::decode(Reader& reader) {
  SignInAnswer answer;
  answer.id = reader.u64();
  answer.right = reader.boolean();
  answer.person.account = reader.string();
  answer.person.address = reader.string();
  return answer;
}

struct SignInLink::Connection {
  explicit Connection(const std::string& path) : socket(net::LocalSocket::connect(path)) {}
  net::LocalSocket socket;
};

SignInLink::SignInLink(const std::string& socketPath) : connection_(std::make_unique<Connection>(socketPath)) {}
SignInLink::~SignInLink() = default;

std::vector<SignInQuestion> SignInLink::exchange(const std::vector<SignInAnswer>& answers,
                                                 std::chrono::milliseconds wait) {
  Writer frame;
  frame.list(answers, [](Writer& writer, const SignInAnswer& answer) { answer.encode(writer); });
  frame.u32(static_cast<std::uint32_t>(wait.count()));
  connection_->socket.send(frame.bytes());
  const auto reply = connection_->socket.receive();
  if (!reply) throw Error(ErrorKind::Unavailable, "the gateway closed the connection for sign-ins");
  Reader reader(*reply);
  return reader.list<SignInQuestion>(SignInQuestion::decode);
}

void SignInLink::shutdown() {
  connection_->socket.shutdown();
}

struct SignInServer::Impl {
  Impl(const std::string& path, SignInService& target)
      : service(target),
        server(path, net::LocalListener::For::FolderGroup, [this](net::LocalSocket& socket) { run(socket); }) {}

  void run(net::LocalSocket& socket) {
    while (const auto frame = socket.receive()) {
      Reader reader(*frame);
      const auto answers = reader.list<SignInAnswer>(SignInAnswer::decode);
      const auto wait = std::min(LongestWait, std::chrono::milliseconds(reader.u32()));
      Writer reply;
      reply.list(service.exchange(answers, wait),
                 [](Writer& writer, const SignInQuestion& question) { question.encode(writer); });
      socket.send(reply.bytes());
    }
  }

  SignInService& service;
  SocketServer server;
};

SignInServer::SignInServer(const std::string& socketPath, SignInService& service)
    : impl_(std::make_unique<Impl>(socketPath, service)) {}
SignInServer::~SignInServer() = default;

}  // namespace postern::app
