#include "core/base/Clock.h"
#include "gateway/signin/SignInDesk.h"

#include <thread>

using namespace postern;
using namespace postern::gateway;
using Kind = SignIns::Outcome::Kind;
using namespace std::chrono_literals;

namespace {

// listd in a thread: "right" is the password of everybody.
struct Listd {
  explicit Listd(SignInDesk& desk) : desk_(desk), thread([this](const std::stop_token& stop) { run(stop); }) {}
  ~Listd() { thread.request_stop(); }
  void run(const std::stop_token& stop) {
    std::vector<app::SignInAnswer> answers;
    while (!stop.stop_requested()) {
      const auto questions = desk_.exchange(answers, answers.empty() ? 20ms : 0ms);
      answers.clear();
      for (const auto& question : questions) {
        ++asked;
        const bool right = question.password.view() == "right";
        answers.push_back({question.id, right, right ? app::SignedIn{question.name, "a@x.example"} : app::SignedIn{}});
      }
    }
  }
  SignInDesk& desk_;
  std::atomic<int> asked{0};
  std::jthread thread;
};

struct Fixture {
  FakeClock clock{fromMicros(1'772'366'400'000'000)};
  SignInDesk desk{clock, 2s};
  Kind attempt(const char* password, const char* client = "192.0.2.7", const char* name = "Ann") {
    return desk.signIn(client, name, Secret(password)).kind;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_signin_SignInDesk, Fixture)

BOOST_AUTO_TEST_CASE(says_later_while_listd_is_away) {
  SignInDesk hasty(clock, 20ms);
  BOOST_TEST((hasty.signIn("192.0.2.7", "ann", Secret("right")).kind == Kind::Unavailable));
}

BOOST_AUTO_TEST_CASE(remembers_what_was_right_for_a_minute_and_never_what_was_wrong) {
  Listd listd(desk);
  BOOST_TEST((attempt("right") == Kind::Right));
  BOOST_TEST((attempt("right") == Kind::Right));
  BOOST_TEST(listd.asked == 1);
  BOOST_TEST((attempt("wrong") == Kind::Wrong));
  BOOST_TEST((attempt("wrong") == Kind::Wrong));
  BOOST_TEST(listd.asked == 3);
  clock.advance(61s);
  BOOST_TEST((attempt("right") == Kind::Right));
  BOOST_TEST(listd.asked == 4);
}

BOOST_AUTO_TEST_CASE(a_network_that_guesses_waits_longer_and_longer) {
  Listd listd(desk);
  for (int i = 0; i < 5; ++i) BOOST_TEST((attempt("wrong", "192.0.2.7") == Kind::Wrong));
  BOOST_TEST((attempt("right", "192.0.2.200") == Kind::TooMany));  // the same /24
  BOOST_TEST((attempt("right", "192.0.3.7") == Kind::Right));
  clock.advance(3s);
  BOOST_TEST((attempt("wrong") == Kind::Wrong));
  clock.advance(3s);
  BOOST_TEST((attempt("right") == Kind::TooMany));
  clock.advance(2s);
  BOOST_TEST((attempt("right") == Kind::Right));
}

BOOST_AUTO_TEST_CASE(nobody_can_lock_a_person_out) {
  Listd listd(desk);
  BOOST_TEST((attempt("right", "198.51.100.1") == Kind::Right));
  clock.advance(120s);
  for (int i = 0; i < 200; ++i) attempt("wrong", ("10.0." + std::to_string(i) + ".1").c_str());
  BOOST_TEST((attempt("right", "203.0.113.1") == Kind::TooMany));  // a stranger
  BOOST_TEST((attempt("right", "198.51.100.9") == Kind::Right));   // from where the person came before
  clock.advance(61s);
  BOOST_TEST((attempt("right", "203.0.113.1") == Kind::Right));
}

BOOST_AUTO_TEST_CASE(the_network_of_an_ipv6_client_is_its_64) {
  BOOST_TEST(networkOf("2001:db8:1:2::9") == networkOf("2001:db8:1:2:ffff::1"));
  BOOST_TEST(networkOf("2001:db8:1:3::9") != networkOf("2001:db8:1:2::9"));
  BOOST_TEST(networkOf("192.0.2.1") != networkOf("192.0.20.1"));
}

BOOST_AUTO_TEST_SUITE_END()
