#include "cli/AuditAnchors.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Encoding.h"
#include "tests/support/TempFolder.h"

#include <Poco/Net/DatagramSocket.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <thread>

using namespace postern;
using namespace postern::test;

namespace {

constexpr auto Note = "mail.example/audit/01\n5\nAAAA\n\n\xE2\x80\x94 mail.example/audit/01 BBBB\n";

void shell(const std::string& command) {
  BOOST_REQUIRE_MESSAGE(std::system((command + " >/dev/null 2>&1").c_str()) == 0, command);
}

// A real time-stamp authority: openssl ts -reply behind a socket on this machine. Answers one request, and must get it.
class Authority {
public:
  explicit Authority(std::string name) : dir_((folder_.path()).string()) {
    const auto config = "[tsa]\ndefault_tsa = one\n[one]\nserial = " + dir_ + "/serial\ndefault_policy = 1.2.3.4\n" +
                        "digests = sha256\nsigner_digest = sha256\naccuracy = secs:1\ness_cert_id_alg = sha256\n" +
                        "[ext]\nextendedKeyUsage = critical,timeStamping\nbasicConstraints = CA:FALSE\n" +
                        "[req]\ndistinguished_name = dn\n[dn]\n";
    files::replaceDurably(folder_ / "tsa.cnf", config);
    files::replaceDurably(folder_ / "serial", "01\n");
    shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=" + name +
          " CA' -keyout " + dir_ + "/ca.key -out " + dir_ + "/ca.pem");
    shell("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=" + name + "' -keyout " + dir_ +
          "/tsa.key -out " + dir_ + "/tsa.csr");
    shell("openssl x509 -req -in " + dir_ + "/tsa.csr -CA " + dir_ + "/ca.pem -CAkey " + dir_ +
          "/ca.key -CAcreateserial -days 30 -extfile " + dir_ + "/tsa.cnf -extensions ext -out " + dir_ + "/tsa.pem");
    thread_ = std::jthread([this] { serve(); });
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  std::string authorities() const { return dir_ + "/ca.pem"; }
  bool tamper = false;  // answers with the time stamp of another text

private:
  void serve() {
    try {
      auto client = socket_.acceptConnection();
      std::string request;
      char buffer[4096];
      std::size_t body = std::string::npos;
      std::size_t length = 0;
      while (body == std::string::npos || request.size() < body + length) {
        const int got = client.receiveBytes(buffer, sizeof buffer);
        if (got <= 0) return;
        request.append(buffer, static_cast<std::size_t>(got));
        if (body != std::string::npos || request.find("\r\n\r\n") == std::string::npos) continue;
        body = request.find("\r\n\r\n") + 4;
        length = std::stoul(request.substr(request.find("Content-Length: ") + 16));
      }
      files::replaceDurably(folder_ / "query", request.substr(body));
      if (tamper)
        shell(("echo other >" + dir_ + "/other; openssl ts -query -data " + dir_ + "/other -sha256 -cert -out " + dir_ +
               "/query 2>/dev/null"));
      shell(("openssl ts -reply -config " + dir_ + "/tsa.cnf -queryfile " + dir_ + "/query -signer " + dir_ +
             "/tsa.pem -inkey " + dir_ + "/tsa.key -out " + dir_ + "/reply "));
      const auto reply = files::read(folder_ / "reply");
      const auto answer = "HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nConnection: close\r\n" +
                          ("Content-Length: " + std::to_string(reply.size())) + "\r\n\r\n" + reply;
      client.sendBytes(answer.data(), static_cast<int>(answer.size()));
      client.shutdownSend();
    } catch (const std::exception&) {
      // The test ended.
    }
  }

  TempFolder folder_;
  std::string dir_;
  Poco::Net::ServerSocket socket_{Poco::Net::SocketAddress("127.0.0.1", 0)};
  std::uint16_t port_ = socket_.address().port();
  std::jthread thread_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_AuditAnchors)

BOOST_AUTO_TEST_CASE(a_checkpoint_goes_to_the_folder_once_and_never_over_another_of_its_size) {
  const TempFolder folder;
  config::SiteConfig site;
  site.dataFolder = folder.path();
  const auto first = cli::carryCheckpoint(site, {5, Note, "key-one"});
  BOOST_REQUIRE_EQUAL(first.size(), 1u);
  BOOST_TEST((first[0].good && first[0].fresh));
  BOOST_TEST(files::read(folder / "anchors/5.checkpoint") == Note);
  const auto again = cli::carryCheckpoint(site, {5, Note, "key-two"});
  BOOST_TEST((again[0].good && !again[0].fresh));
  BOOST_TEST(files::read(folder / "anchors/public-key") == "key-one\nkey-two\n");
  const auto other = cli::carryCheckpoint(site, {5, "another", "key-two"});
  BOOST_TEST(!other[0].good);
  BOOST_TEST(files::read(folder / "anchors/5.checkpoint") == Note);
}

BOOST_AUTO_TEST_CASE(syslog_gets_one_framed_message_over_tcp_and_one_over_udp) {
  Poco::Net::ServerSocket server(Poco::Net::SocketAddress("127.0.0.1", 0));
  std::string received;
  std::jthread reader([&] {
    auto client = server.acceptConnection();
    char buffer[4096];
    for (int got = client.receiveBytes(buffer, sizeof buffer); got > 0;
         got = client.receiveBytes(buffer, sizeof buffer))
      received.append(buffer, static_cast<std::size_t>(got));
  });
  cli::sendSyslog("tcp://127.0.0.1:" + std::to_string(server.address().port()), "mail.example", Note);
  reader.join();
  const auto space = received.find(' ');
  BOOST_TEST(received.substr(0, space) == std::to_string(received.size() - space - 1));
  BOOST_TEST(received.find("<109>1 ") == space + 1);
  BOOST_TEST(received.find("note=\"" + crypto::base64(Note) + "\"") != std::string::npos);
  BOOST_TEST(received.find('\n') == std::string::npos);

  Poco::Net::DatagramSocket datagrams(Poco::Net::SocketAddress("127.0.0.1", 0));
  cli::sendSyslog("udp://127.0.0.1:" + std::to_string(datagrams.address().port()), "mail.example", Note);
  char buffer[4096];
  const auto got = datagrams.receiveBytes(buffer, sizeof buffer);
  BOOST_TEST(std::string(buffer, static_cast<std::size_t>(got)).find("<109>1 ") == 0u);
  BOOST_CHECK_THROW(cli::sendSyslog("http://127.0.0.1:1", "mail.example", Note), Error);
  BOOST_CHECK_THROW(cli::sendSyslog("tcp://127.0.0.1:1", "mail.example", Note), Error);
}

BOOST_AUTO_TEST_CASE(a_time_stamp_of_a_real_authority_is_checked_and_kept) {
  Authority authority("stamps");
  const TempFolder folder;
  config::SiteConfig site;
  site.dataFolder = folder.path();
  site.timestampUrl = authority.url();
  site.timestampAuthorities = authority.authorities();
  const auto results = cli::carryCheckpoint(site, {5, Note, "key"});
  BOOST_REQUIRE_EQUAL(results.size(), 2u);
  BOOST_TEST((results[1].good && results[1].fresh), results[1].text);
  files::replaceDurably(folder / "note", Note);
  shell("openssl ts -verify -data " + (folder / "note").string() + " -in " + (folder / "anchors/5.tsr").string() +
        " -CAfile " + authority.authorities());
}

BOOST_AUTO_TEST_CASE(a_time_stamp_of_another_text_or_by_a_stranger_is_not_believed) {
  Authority liar("liar");
  liar.tamper = true;
  BOOST_CHECK_THROW(cli::fetchTimestamp(liar.url(), Note, liar.authorities()), Error);
  Authority one("one");
  Authority other("other");
  BOOST_CHECK_THROW(cli::fetchTimestamp(one.url(), Note, other.authorities()), Error);
  // So that the thread of the one that was never asked ends.
  BOOST_CHECK_NO_THROW(cli::fetchTimestamp(other.url(), Note, other.authorities()));
  BOOST_CHECK_THROW(cli::fetchTimestamp("http://127.0.0.1:1/", Note, other.authorities()), Error);
}

BOOST_AUTO_TEST_SUITE_END()
