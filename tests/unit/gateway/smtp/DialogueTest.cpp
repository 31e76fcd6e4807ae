#include "gateway/smtp/PendingWork.h"
#include "gateway/smtp/SmtpSession.h"
#include "tests/unit/gateway/smtp/Dialogue.h"
#include "tests/unit/gateway/smtp/Fakes.h"

using namespace postern;
using namespace postern::gateway;
using dialogue::Dialogue;
using dialogue::Step;

namespace {

SessionSettings settingsOf(const Dialogue& script) {
  SessionSettings settings;
  settings.hostName = "mx.lists.example";
  settings.offerTls = !script.has("no-tls");
  settings.maxMessageSize = script.number("max-size", 1'000'000);
  settings.maxRecipients = script.number("max-recipients", 100);
  settings.maxHops = script.number("max-hops", 50);
  settings.maxErrors = script.number("max-errors", 20);
  settings.maxContentLine = script.number("max-line", 998);
  settings.maxRefusedRecipients = script.number("max-refused", 100);
  settings.submission = script.has("submission");
  settings.maxIdleCommands = script.number("max-idle", 100);
  if (script.has("xclient")) settings.xclientHosts = {*net::IpRange::parse("192.0.2.0/28")};
  if (script.has("sender-tls")) settings.senderTls = {{"strict.example", "1.3"}, {"partner.example", "1.2"}};
  return settings;
}

Door doorOf(const Dialogue& script) {
  const auto name = script.options.find("name");
  return {script.has("tls-required"), script.has("certificate-required"),
          name == script.options.end() ? "192.0.2.25" : name->second};
}

const app::TlsFacts SomeTls{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "none", {}};

const app::TlsFacts OlderTls{"TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", 256, "none", {}};

// Runs one dialogue against a session, the client's bytes whole or one at a time.
class Player {
public:
  Player(const Dialogue& script, bool byteByByte)
      : script_(script),
        byteByByte_(byteByByte),
        settings_(settingsOf(script)),
        session_(settings_, site_.ports, {"192.0.2.7", "", {}, !script.has("unsaid")},
                 script.has("implicit-tls") ? SomeTls : app::TlsFacts{}, doorOf(script)) {
    site_.directory.isReady = !script.has("not-ready");
    if (script.has("hooks"))
      for (const auto hook : {policy::Hook::Connect, policy::Hook::Ehlo, policy::Hook::Auth, policy::Hook::Mail})
        site_.inspector.hooks.add(hook);
    if (script.has("connect")) site_.inspector.refusedConnect = script.options.at("connect");
    site_.inspector.refusesSignIn = script.has("auth-refused");
  }

  void play() {
    session_.greet();
    for (const Step& step : script_.steps) {
      where_ = script_.name + ":" + std::to_string(step.line) + (byteByByte_ ? " (byte by byte)" : "");
      run(step);
    }
    take();
    BOOST_TEST(output_.empty(), where_ << ": output left over: " << output_);
  }

private:
  void take() {
    answerPending(session_, site_.ports);
    while (session_.hasOutput()) {
      output_ += session_.takeOutput();
      session_.resume();
      answerPending(session_, site_.ports);
    }
  }

  void feed(const std::string& bytes) {
    if (!byteByByte_) {
      session_.feed(bytes);
      return take();
    }
    for (const char byte : bytes) {
      session_.feed({&byte, 1});
      take();
    }
  }

  void expectLine(const std::string& pattern) {
    take();
    const auto end = output_.find("\r\n");
    const auto line = output_.substr(0, end);
    BOOST_TEST(end != std::string::npos, where_ << ": no output, expected: " << pattern);
    BOOST_TEST(dialogue::matches(pattern, line), where_ << ": expected '" << pattern << "', got '" << line << "'");
    output_.erase(0, end == std::string::npos ? output_.size() : end + 2);
  }

  void run(const Step& step) {
    switch (step.kind) {
      case 'C':
      case 'R':
        if (step.kind == 'C') BOOST_TEST(output_.empty(), where_ << ": unexpected output: " << output_);
        for (const auto& bytes : step.feeds) feed(bytes);
        return;
      case 'S':
        return expectLine(step.text);
      case 'T':
        take();
        BOOST_TEST(output_.empty(), where_ << ": output before TLS: " << output_);
        BOOST_TEST(session_.wantsTls(), where_ << ": no TLS wanted");
        return session_.tlsStarted(script_.has("tls12") ? OlderTls : SomeTls);
      case 'E':
        BOOST_TEST(session_.closed(), where_ << ": still open");
        return;
      case 'A':
        return check(step.text);
      default:
        BOOST_ERROR(where_ << ": unknown step");
    }
  }

  void check(const std::string& text) {
    const auto blank = text.find(' ');
    const auto what = text.substr(0, blank);
    const auto value = blank == std::string::npos ? "" : text.substr(blank + 1);
    const auto& accepted = site_.acceptor.accepted;
    if (what == "accepted") {
      BOOST_TEST(std::to_string(accepted.size()) == value, where_ << ": accepted " << accepted.size());
      return;
    }
    if (what == "refused") {
      BOOST_TEST((!site_.observer.refusals.empty() && site_.observer.refusals.back().reason == value), where_);
      return;
    }
    BOOST_REQUIRE_MESSAGE(!accepted.empty(), where_ << ": nothing accepted");
    const auto& last = accepted.back();
    const auto wanted = dialogue::unescape(value).front();
    if (what == "content")
      BOOST_TEST(last.content.find(wanted) != std::string::npos, where_ << "\n" << last.content);
    else if (what == "no-content")
      BOOST_TEST(last.content.find(wanted) == std::string::npos, where_);
    else if (what == "from")
      BOOST_TEST(last.mailFrom == value, where_);
    else if (what == "to") {
      std::string all;
      for (const auto& recipient : last.recipients) all += (all.empty() ? "" : ",") + recipient;
      BOOST_TEST(all == value, where_ << ": " << all);
    } else if (what == "notes") {
      std::string all;
      for (const auto& [name, note] : last.notes) all += (all.empty() ? "" : ",") + name + "=" + note;
      BOOST_TEST(all == value, where_ << ": " << all);
    } else
      BOOST_ERROR(where_ << ": unknown check");
  }

  const Dialogue& script_;
  const bool byteByByte_;
  const SessionSettings settings_;
  fakes::FakeSite site_;
  SmtpSession session_;
  std::string output_;
  std::string where_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_smtp_Dialogue)

BOOST_AUTO_TEST_CASE(all_dialogues_go_as_written) {
  const auto scripts = dialogue::readAll(POSTERN_SOURCE_DIR "/tests/smtp");
  BOOST_TEST(scripts.size() >= 20u);
  for (const auto& script : scripts) Player(script, false).play();
}

BOOST_AUTO_TEST_CASE(all_dialogues_go_the_same_when_each_byte_comes_alone) {
  for (const auto& script : dialogue::readAll(POSTERN_SOURCE_DIR "/tests/smtp"))
    if (!script.has("whole-only")) Player(script, true).play();
}

BOOST_AUTO_TEST_SUITE_END()
