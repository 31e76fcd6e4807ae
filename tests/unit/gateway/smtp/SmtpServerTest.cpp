#include "core/base/Files.h"
#include "gateway/smtp/SmtpServer.h"
#include "tests/unit/gateway/smtp/Dialogue.h"
#include "tests/unit/gateway/smtp/ServerFixture.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <thread>

using namespace postern;
using namespace postern::gateway;
using namespace postern::gateway::fakes;
using namespace std::chrono_literals;

namespace {

const std::string Message = "Subject: x\r\n\r\ntext\r\n.\r\n";

std::string deliver(RawClient& client) {
  client.ask("MAIL FROM:<a@client.example>");
  client.ask("RCPT TO:<board@lists.example>");
  client.ask("DATA");
  client.send(Message);
  return client.reply();
}

template <class Condition>
bool soon(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return false;
}

// Holds everybody in accept until it is opened: the disk of a slow day.
class GateAcceptor : public Acceptor {
public:
  void accept(app::Submission) override {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.wait(lock, [this] { return open_; });
    ++accepted_;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  int waiting() {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }
  int accepted() {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
  int accepted_ = 0;
};

// Plays a dialogue against the real server; checks of what was accepted are the session test's.
void playOverTheWire(const dialogue::Dialogue& script, ServerFixture& fixture) {
  auto client = fixture.plain();
  for (const auto& step : script.steps) {
    const auto where = script.name + ":" + std::to_string(step.line);
    switch (step.kind) {
      case 'C':
      case 'R':
        for (const auto& bytes : step.feeds) client.send(bytes);
        break;
      case 'S': {
        const auto line = client.line();
        BOOST_TEST(dialogue::matches(step.text, line),
                   where << ": expected '" << step.text << "', got '" << line << "'");
        break;
      }
      case 'T':
        BOOST_TEST(client.startTls(), where);
        break;
      case 'E':
        BOOST_TEST(client.line() == "<end>", where);
        break;
      default:
        break;
    }
  }
}

int run(const std::string& command, std::string& output) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((command + " 2>&1").c_str(), "r"), [](FILE*) { return 0; });
  char bytes[4096];
  for (std::size_t got; (got = std::fread(bytes, 1, sizeof bytes, pipe.get())) > 0;) output.append(bytes, got);
  const int status = ::pclose(pipe.get());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_smtp_SmtpServer, ServerFixture)

BOOST_AUTO_TEST_CASE(plays_the_dialogues_over_the_wire) {
  for (const auto& script : dialogue::readAll(POSTERN_SOURCE_DIR "/tests/smtp")) {
    if (!script.options.empty()) continue;
    start();
    playOverTheWire(script, *this);
    server.reset();
  }
}

BOOST_AUTO_TEST_CASE(accepts_over_starttls_and_over_implicit_tls) {
  start();
  auto first = plain();
  BOOST_TEST(first.reply() == "220 mx.lists.example ESMTP Postern");
  first.ask("EHLO client.example");
  BOOST_TEST(first.ask("STARTTLS") == "220 2.0.0 ready for TLS");
  BOOST_REQUIRE(first.startTls());
  BOOST_TEST(first.ask("EHLO client.example") == "250 REQUIRETLS");
  BOOST_TEST(deliver(first).substr(0, 9) == "250 2.0.0");
  BOOST_TEST(first.ask("QUIT").substr(0, 3) == "221");
  BOOST_TEST(first.line() == "<end>");
  auto second = tlsClient();
  BOOST_REQUIRE(second.startTls());
  BOOST_TEST(second.reply() == "220 mx.lists.example ESMTP Postern");
  second.ask("EHLO client.example");
  BOOST_TEST(deliver(second).substr(0, 9) == "250 2.0.0");
  BOOST_TEST(site.acceptor.count() == 2u);
  BOOST_TEST(site.acceptor.accepted[0].tls.version == "TLSv1.3");
  BOOST_TEST(site.acceptor.accepted[0].tls.bits == 256);
  BOOST_TEST(site.acceptor.accepted[0].content.find(
                 "using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(greets_the_next_client_at_once_behind_a_thousand_idle_ones) {
  settings.maxConnectionsPerClient = 2000;
  settings.workers = 4;
  start();
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(std::make_unique<RawClient>(server->port(i % 2 == 0 ? 0 : 1)));
    BOOST_REQUIRE(idle.back()->connected());
  }
  for (std::size_t i = 0; i < idle.size(); i += 2) BOOST_REQUIRE(idle[i]->reply().substr(0, 3) == "220");
  for (std::size_t i = 1; i < idle.size(); i += 10) BOOST_REQUIRE(idle[i]->startTls());
  const auto before = std::chrono::steady_clock::now();
  auto next = plain();
  BOOST_TEST(next.reply().substr(0, 3) == "220");
  next.ask("EHLO client.example");
  BOOST_TEST(deliver(next).substr(0, 3) == "250");
  BOOST_TEST((std::chrono::steady_clock::now() - before < 1s));
  BOOST_TEST(server->connections() == 1001u);
  BOOST_TEST(server->workers() == 4u);
}

BOOST_AUTO_TEST_CASE(tells_clients_over_a_limit_421_also_on_the_tls_port) {
  settings.maxConnectionsPerClient = 2;
  start();
  auto one = plain();
  auto two = tlsClient();
  BOOST_TEST(one.reply().substr(0, 3) == "220");
  BOOST_REQUIRE(two.startTls());
  BOOST_TEST(two.reply().substr(0, 3) == "220");
  auto three = plain();
  BOOST_TEST(three.line() == "421 4.7.0 mx.lists.example has too many connections from your address, close some first");
  BOOST_TEST(three.line() == "<end>");
  auto four = tlsClient();
  BOOST_REQUIRE(four.startTls());
  BOOST_TEST(four.line().substr(0, 9) == "421 4.7.0");
  one.ask("QUIT");
  BOOST_TEST(soon([&] { return plain().reply().substr(0, 3) == "220"; }));
}

BOOST_AUTO_TEST_CASE(keeps_the_total_limit_too) {
  settings.maxConnections = 1;
  start();
  auto one = plain();
  BOOST_TEST(one.reply().substr(0, 3) == "220");
  BOOST_TEST(plain().line() == "421 4.7.0 mx.lists.example has too many connections, try again later");
}

BOOST_AUTO_TEST_CASE(refuses_old_tls) {
  start();
  auto old = tlsClient();
  BOOST_TEST(!old.startTls(TLS1_1_VERSION));
  auto fine = tlsClient();
  BOOST_TEST(fine.startTls(TLS1_2_VERSION));
  BOOST_TEST(fine.reply().substr(0, 3) == "220");
}

BOOST_AUTO_TEST_CASE(reads_a_changed_certificate_again_and_keeps_the_old_one_if_the_new_is_broken) {
  start();
  auto running = tlsClient();
  BOOST_REQUIRE(running.startTls());
  BOOST_TEST(running.certificateName() == "first.example");
  running.reply();
  writeCertificate(folder, "second.example", true);
  BOOST_TEST(soon([&] {
    auto client = tlsClient();
    return client.startTls() && client.certificateName() == "second.example";
  }));
  BOOST_TEST(running.ask("NOOP") == "250 2.0.0 ok");
  std::ofstream(folder / "cert.pem") << "this is no certificate";
  BOOST_TEST(!tls->reload().empty());
  auto client = tlsClient();
  BOOST_REQUIRE(client.startTls());
  BOOST_TEST(client.certificateName() == "second.example");
}

BOOST_AUTO_TEST_CASE(resumes_tls_sessions_over_a_reload) {
  start();
  auto first = tlsClient();
  BOOST_REQUIRE(first.startTls(TLS1_2_VERSION));
  first.reply();
  const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(SSL_get1_session(first.ssl()),
                                                                          SSL_SESSION_free);
  BOOST_TEST(tls->reload().empty());
  auto second = tlsClient();
  BOOST_REQUIRE(second.startTls(TLS1_2_VERSION, session.get()));
  BOOST_TEST(SSL_session_reused(second.ssl()) == 1);
}

BOOST_AUTO_TEST_CASE(drops_what_came_in_clear_behind_starttls) {
  start();
  auto client = plain();
  client.reply();
  client.ask("EHLO client.example");
  client.send("STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@client.example>\r\n");
  BOOST_TEST(client.line() == "220 2.0.0 ready for TLS");
  BOOST_REQUIRE(client.startTls());
  BOOST_TEST(client.ask("RCPT TO:<board@lists.example>").substr(0, 3) == "503");
  BOOST_TEST(client.ask("NOOP") == "250 2.0.0 ok");
}

BOOST_AUTO_TEST_CASE(says_421_to_idle_clients_and_to_drip_feeders) {
  settings.limits.idle = 400ms;
  start();
  auto idle = plain();
  idle.reply();
  auto drip = plain();
  drip.reply();
  auto silent = tlsClient();
  const auto begun = std::chrono::steady_clock::now();
  std::string last;
  for (int i = 0; i < 60 && drip.send("x"); ++i) {  // a byte each 50 ms is no command
    std::this_thread::sleep_for(50ms);
    pollfd wait{drip.descriptor(), POLLIN, 0};
    if (::poll(&wait, 1, 0) == 1) break;
  }
  BOOST_TEST(drip.line() == "421 4.4.2 mx.lists.example waited too long for you, closing the connection");
  BOOST_TEST(idle.line().substr(0, 9) == "421 4.4.2");
  BOOST_TEST((std::chrono::steady_clock::now() - begun < 5s));
}

BOOST_AUTO_TEST_CASE(ends_a_transaction_that_takes_too_long_though_bytes_keep_coming) {
  settings.limits.transaction = 500ms;
  start();
  auto client = plain();
  client.reply();
  client.ask("HELO client.example");
  client.ask("MAIL FROM:<a@client.example>");
  client.ask("RCPT TO:<board@lists.example>");
  client.ask("DATA");
  for (int i = 0; i < 100 && client.send("a line\r\n"); ++i) {
    std::this_thread::sleep_for(50ms);
    pollfd wait{client.descriptor(), POLLIN, 0};
    if (::poll(&wait, 1, 0) == 1) break;
  }
  BOOST_TEST(client.line() == "421 4.4.2 mx.lists.example the transaction took too long, closing the connection");
  BOOST_TEST(site.acceptor.count() == 0u);
}

BOOST_AUTO_TEST_CASE(gives_up_on_a_client_that_never_handshakes) {
  settings.limits.handshake = 300ms;
  start();
  auto client = tlsClient();
  BOOST_TEST(client.line() == "<end>");
}

BOOST_AUTO_TEST_CASE(drops_a_message_whose_client_goes_away) {
  start();
  {
    auto client = plain();
    client.reply();
    client.ask("HELO client.example");
    client.ask("MAIL FROM:<a@client.example>");
    client.ask("RCPT TO:<board@lists.example>");
    client.ask("DATA");
    client.send("Subject: half\r\n\r\ntext\r\n.\r");
  }
  BOOST_TEST(soon([&] { return server->connections() == 0; }));
  BOOST_TEST(site.acceptor.count() == 0u);
}

BOOST_AUTO_TEST_CASE(starts_more_workers_while_all_wait_for_the_disk_and_serves_others_meanwhile) {
  settings.workers = 2;
  settings.maxWorkers = 40;
  GateAcceptor gate;
  start(&gate);
  std::vector<RawClient> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(plain());
    clients.back().reply();
    clients.back().ask("HELO client.example");
    clients.back().ask("MAIL FROM:<a@client.example>");
    clients.back().ask("RCPT TO:<board@lists.example>");
    clients.back().ask("DATA");
    clients.back().send(Message);
  }
  BOOST_TEST(soon([&] { return gate.waiting() == 30; }));
  auto other = plain();
  other.reply();
  BOOST_TEST(other.ask("EHLO client.example") == "250 STARTTLS");
  gate.open();
  for (auto& client : clients) BOOST_TEST(client.reply().substr(0, 3) == "250");
  BOOST_TEST(server->workers() <= 40u);
}

BOOST_AUTO_TEST_CASE(stops_with_421_for_those_who_wait_and_250_for_those_in_accept) {
  GateAcceptor gate;
  start(&gate);
  auto waiting = plain();
  waiting.reply();
  auto accepting = plain();
  accepting.reply();
  accepting.ask("HELO client.example");
  accepting.ask("MAIL FROM:<a@client.example>");
  accepting.ask("RCPT TO:<board@lists.example>");
  accepting.ask("DATA");
  accepting.send(Message);
  BOOST_REQUIRE(soon([&] { return gate.waiting() == 1; }));
  const auto port = server->port(0);
  std::thread stopper([&] { server->stop(10s); });
  BOOST_TEST(waiting.line() == "421 4.3.2 mx.lists.example is shutting down, try again later");
  gate.open();
  BOOST_TEST(accepting.reply().substr(0, 3) == "250");
  BOOST_TEST(accepting.line().substr(0, 9) == "421 4.3.2");
  stopper.join();
  BOOST_TEST(gate.accepted() == 1);
  BOOST_TEST(!RawClient(port).connected());
}

BOOST_AUTO_TEST_CASE(a_stop_lets_a_transaction_end_and_cuts_one_that_does_not) {
  start();
  auto quick = plain(), slow = plain();
  for (auto* client : {&quick, &slow}) {
    client->reply();
    client->ask("HELO client.example");
    client->ask("MAIL FROM:<a@client.example>");
    client->ask("RCPT TO:<board@lists.example>");
    BOOST_TEST(client->ask("DATA").substr(0, 3) == "354");
    client->send("Subject: x\r\n");
  }
  const auto began = std::chrono::steady_clock::now();
  std::thread stopper([&] { server->stop(2s); });
  std::this_thread::sleep_for(200ms);
  quick.send("\r\ntext\r\n.\r\n");
  BOOST_TEST(quick.reply().substr(0, 3) == "250");
  BOOST_TEST(quick.line().substr(0, 9) == "421 4.3.2");
  BOOST_TEST(slow.line().substr(0, 9) == "421 4.3.2");
  BOOST_TEST((std::chrono::steady_clock::now() - began >= 1400ms));
  stopper.join();
  BOOST_TEST((std::chrono::steady_clock::now() - began < 4s));
}

BOOST_AUTO_TEST_CASE(a_reload_changes_limits_of_new_sessions_and_leaves_those_that_are_open) {
  start();
  auto before = plain();
  before.reply();
  auto fresh = ServerSettings();
  fresh.session.maxMessageSize = 4321;
  server->reload(fresh);
  auto after = plain();
  after.reply();
  const auto size = [](RawClient& client) {
    client.send("EHLO client.example\r\n");
    for (auto line = client.line();; line = client.line()) {
      if (line.find("SIZE") != std::string::npos) return line.substr(4);
      if (line.substr(3, 1) == " ") return std::string();
    }
  };
  BOOST_TEST(size(after) == "SIZE 4321");
  BOOST_TEST(size(before) != "SIZE 4321");
}

BOOST_AUTO_TEST_CASE(holds_back_a_client_that_sends_commands_and_never_reads) {
  start();
  auto greedy = plain();
  greedy.reply();
  timeval limit{0, 500'000};
  ::setsockopt(greedy.descriptor(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  std::string commands;
  for (int i = 0; i < 20'000; ++i) commands += "EHLO client.example\r\n";
  for (int i = 0; i < 50 && greedy.send(commands); ++i) {
  }
  auto other = plain();
  BOOST_TEST(other.reply().substr(0, 3) == "220");
}

BOOST_AUTO_TEST_CASE(answers_421_when_there_are_no_descriptors_left) {
  start();
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  std::vector<RawClient> clients;
  clients.reserve(4);
  clients.push_back(plain());
  clients[0].reply();
  // The client and the server share the table: make the client's socket first, then leave no room.
  FileDescriptor probe(::dup(0));
  RawClient* late = nullptr;
  const rlimit tight{static_cast<rlim_t>(probe.get() + 1), old.rlim_max};
  probe.reset();
  ::setrlimit(RLIMIT_NOFILE, &tight);
  clients.push_back(plain());
  late = &clients.back();
  const auto answer = late->line();
  ::setrlimit(RLIMIT_NOFILE, &old);
  BOOST_TEST(answer.substr(0, 9) == "421 4.7.0");
  BOOST_TEST(plain().reply().substr(0, 3) == "220");
}

BOOST_AUTO_TEST_CASE(speaks_with_openssl_and_swaks) {
  start();
  const auto port = std::to_string(server->port(0));
  std::string output;
  run("printf 'QUIT\\n' | timeout 20 openssl s_client -starttls smtp -quiet -crlf -connect 127.0.0.1:" + port, output);
  BOOST_TEST(output.find("221 2.0.0") != std::string::npos, output);
  output.clear();
  run("timeout 20 openssl s_client -tls1_1 -cipher ALL:@SECLEVEL=0 -starttls smtp -connect 127.0.0.1:" + port +
          " </dev/null",
      output);
  BOOST_TEST(output.find("Cipher is (NONE)") != std::string::npos, output);
  output.clear();
  if (std::system("command -v swaks >/dev/null") != 0) return;
  const int status =
      run("swaks --tls --server 127.0.0.1:" + port +
              " --from a@client.example --to board@lists.example --header 'Subject: hi' --body text --pipeline",
          output);
  BOOST_TEST(status == 0, output);
  BOOST_TEST(site.acceptor.count() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
