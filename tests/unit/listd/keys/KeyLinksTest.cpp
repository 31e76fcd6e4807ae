// Members bring keys themselves: only the mailbox's owner can confirm one, and no mail is answered that should not be.
#include "core/crypto/SigningIdentity.h"
#include "core/seal/SmimeSigner.h"
#include "listd/expand/Intake.h"
#include "listd/expand/RoutingView.h"
#include "listd/keys/KeyLinks.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

const std::string Ann = "ann@example.org";

struct Scene : Desk {
  List list;
  Intake intake{context, [] {}};
  std::uint64_t taken = 0;

  Scene() : list(makeList(context, "board@lists.example", true)) { addMember(context, list, Ann); }

  crypto::SigningIdentity identity(const std::string& of = Ann) const {
    return crypto::SigningIdentity::create(of, clock.now(), std::chrono::days(100));
  }
  static std::string attached(const std::string& pem) {
    return "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nMy key.\r\n--b\r\n"
           "Content-Type: application/pkix-cert\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
           crypto::base64Lines(pem) + "\r\n--b--\r\n";
  }
  // Mail to board-request@ as the gateway hands it on.
  void request(const std::string& entity, const std::string& from = Ann, const std::string& fields = {},
               const std::string& envelope = "ann@example.org") {
    auto submission = submissionTo({"board-request@lists.example"}, from, "Key", "");
    submission.mailFrom = envelope;
    submission.content = "Received: from a by b; Sun, 01 Mar 2026 12:00:00 +0000\r\nFrom: Ann <" + from +
                         ">\r\nTo: board-request@lists.example\r\nSubject: Key\r\nMessage-ID: <" + submission.queueId +
                         "@example.org>\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n" + fields +
                         entity;
    crypto::SealedBoxWriter box(context.keys.vaultKeyPair().publicKey);
    const app::AcceptedItem item{++taken, box.seal(submission.encode(), app::SubmissionContext)};
    intake.take({&item, 1});
  }
  std::vector<SiteMailRow> mails() {
    return context.site.read([](SiteTables& tables) { return tables.siteMail.newest(100); });
  }
  std::string token() {
    const auto link = mails().front().mail.link;
    return link.substr(link.find("token=") + 6);
  }
  std::string used() {
    return context.site.read([&](SiteTables& tables) {
      const auto decision = decideFor(tables, onlySmime(), Ann, std::nullopt, clock.now());
      return decision.withheld() ? std::string() : decision.keyFingerprint;
    });
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_keys_KeyLinks)

BOOST_AUTO_TEST_CASE(the_request_address_of_an_open_list_is_routed) {
  Scene s;
  const auto view = buildRoutingView(s.context);
  const auto decoded = app::RoutingView::decode(view.encode());
  int requests = 0;
  for (const auto& address : decoded.addresses)
    if (address.role == app::RoutedAddress::Role::Request) {
      BOOST_TEST(address.address == "board-request@lists.example");
      ++requests;
    }
  BOOST_TEST(requests == 1);
}

BOOST_AUTO_TEST_CASE(a_mailed_key_is_used_once_the_link_to_the_mailbox_was_used) {
  Scene s;
  const auto key = s.identity();
  s.request(Scene::attached(key.certificate().pem()));
  BOOST_TEST(s.used().empty());
  BOOST_REQUIRE(s.mails().size() == 1u);
  BOOST_TEST(s.mails()[0].mail.recipient == Ann);
  const auto token = s.token();
  const auto shown = s.give("key.link-show", {{"token", token}});
  BOOST_TEST(shown.at("candidate").at("fingerprint") == key.certificate().fingerprint());
  BOOST_TEST(s.used().empty());  // looking changes nothing
  BOOST_TEST(s.give("key.link-use", {{"token", token}}).at("state") == "confirmed");
  BOOST_TEST(s.used() == key.certificate().fingerprint());
  BOOST_TEST(s.refusal("key.link-use", {{"token", token}}).starts_with("not-found"));
}

BOOST_AUTO_TEST_CASE(guessed_changed_and_old_tokens_lead_nowhere) {
  Scene s;
  s.request(Scene::attached(s.identity().certificate().pem()));
  const auto token = s.token();
  auto changed = token;
  changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
  BOOST_TEST(s.refusal("key.link-show", {{"token", changed}}).starts_with("not-found"));
  BOOST_TEST(s.refusal("key.link-use", {{"token", "AAAA"}}).starts_with("not-found"));
  s.clock.advance(std::chrono::hours(73));
  BOOST_TEST(s.refusal("key.link-use", {{"token", token}}).starts_with("not-found"));
  BOOST_TEST(s.used().empty());
}

BOOST_AUTO_TEST_CASE(an_old_key_vouches_for_the_next_one_and_a_strangers_does_not) {
  Scene s;
  const auto first = s.identity(), next = s.identity(), strange = s.identity();
  s.give("key.import", {{"address", Ann}, {"certificate", first.certificate().pem()}});
  s.clock.advance(std::chrono::hours(1));
  s.request(seal::SmimeSigner(strange).sign(Scene::attached(strange.certificate().pem()), s.clock.now()));
  BOOST_TEST(s.used() == first.certificate().fingerprint());
  // Even when the mailbox confirms it: a person has to.
  BOOST_TEST(s.give("key.link-use", {{"token", s.token()}}).at("state") == "proposed");
  BOOST_TEST(s.used() == first.certificate().fingerprint());
  s.request(seal::SmimeSigner(first).sign(Scene::attached(next.certificate().pem()), s.clock.now()));
  const auto states = s.give("key.list", {{"address", Ann}, {"state", "confirmed"}}).at("items");
  BOOST_REQUIRE(states.size() == 2u);
  BOOST_TEST(states[1].at("fingerprint") == next.certificate().fingerprint());
}

BOOST_AUTO_TEST_CASE(strangers_and_automatic_mail_get_no_answer) {
  Scene s;
  const auto pem = s.identity().certificate().pem();
  s.request(Scene::attached(pem), "eve@example.org");
  s.request(Scene::attached(pem), Ann, "Auto-Submitted: auto-replied\r\n");
  s.request(Scene::attached(pem), Ann, {}, "");
  BOOST_TEST(s.mails().empty());
  const auto other = s.give("key.link-ask", {{"list", "board@lists.example"}, {"address", "eve@example.org"}});
  BOOST_TEST(other == s.give("key.link-ask", {{"list", "board@lists.example"}, {"address", Ann}}));
  BOOST_TEST(s.mails().size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_address_gets_three_mails_in_a_day_whoever_asks) {
  Scene s;
  for (int i = 0; i < 5; ++i) {
    s.request(Scene::attached(s.identity().certificate().pem()));
    s.give("key.link-ask", {{"list", "board@lists.example"}, {"address", Ann}});
  }
  BOOST_TEST(s.mails().size() == KeyMailsPerDay);
  s.clock.advance(std::chrono::hours(25));
  s.give("key.link-ask", {{"list", "board@lists.example"}, {"address", Ann}});
  BOOST_TEST(s.mails().size() == KeyMailsPerDay + 1);
}

BOOST_AUTO_TEST_CASE(what_is_not_a_public_key_of_the_address_is_answered_with_the_page_only) {
  Scene s;
  s.request(Scene::attached("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
  BOOST_TEST((s.mails()[0].mail.kind == SiteMail::Kind::KeyPage));
  const auto token = s.token();
  const auto refusal =
      s.refusal("key.link-use",
                {{"token", token}, {"certificate", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}});
  BOOST_TEST(refusal.find("private") != std::string::npos, refusal);
  BOOST_TEST(
      s.refusal("key.link-use", {{"token", token}, {"certificate", s.identity("bob@example.org").certificate().pem()}})
          .starts_with("invalid"));
  BOOST_TEST(
      s.give("key.link-use", {{"token", token}, {"certificate", s.identity().certificate().pem()}}).at("state") ==
      "confirmed");
}

BOOST_AUTO_TEST_SUITE_END()
