// Members bring keys themselves: only the mailbox's owner can confirm one, and no mail is answered that should not be.
#include "core/crypto/SigningIdentity.h"
#include "core/seal/SmimeSigner.h"
#include "listd/expand/Intake.h"
#include "listd/expand/RoutingView.h"
#include "listd/keys/KeyLinks.h"
#include "listd/keys/ListKeyMail.h"
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
               const std::string& envelope = "ann@example.org", const std::string& subject = "Key") {
    auto submission = submissionTo({"board-request@lists.example"}, from, "Key", "");
    submission.mailFrom = envelope;
    submission.content =
        "Received: from a by b; Sun, 01 Mar 2026 12:00:00 +0000\r\nFrom: Ann <" + from +
        ">\r\nTo: board-request@lists.example\r\nSubject: " + subject + "\r\nMessage-ID: <" + submission.queueId +
        "@example.org>\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n" + fields + entity;
    crypto::SealedBoxWriter box(context.keys.vaultKeyPair().publicKey);
    const app::AcceptedItem item{++taken, box.seal(submission.encode(), app::SubmissionContext)};
    intake.take({&item, 1});
  }
  void ask(const std::string& subject, const std::string& from = Ann, const std::string& fields = {},
           const std::string& envelope = "ann@example.org") {
    request("Content-Type: text/plain\r\n\r\nPlease.\r\n", from, fields, envelope, subject);
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
  std::set<std::string> requests;
  for (const auto& address : decoded.addresses)
    if (address.role == app::RoutedAddress::Role::Request) requests.insert(address.address);
  const std::set<std::string> expected{"board-join@lists.example",    "board-leave@lists.example",
                                       "board-request@lists.example", "board-subscribe@lists.example",
                                       "tlsrpt@lists.example",        "board-unsubscribe@lists.example"};
  BOOST_TEST(requests == expected, boost::test_tools::per_element());
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

BOOST_AUTO_TEST_CASE(another_members_key_and_a_part_that_is_signed_vouch_for_nothing) {
  Scene s;
  const std::string bob = "bob@example.org";
  const auto anns = s.identity(), bobs = s.identity(bob), next = s.identity();
  addMember(s.context, s.list, bob);
  s.give("key.import", {{"address", Ann}, {"certificate", anns.certificate().pem()}});
  s.give("key.import", {{"address", bob}, {"certificate", bobs.certificate().pem()}});
  const auto confirmed = [&] {
    return s.give("key.list", {{"address", Ann}, {"state", "confirmed"}}).at("items").size();
  };
  s.request(seal::SmimeSigner(bobs).sign(Scene::attached(next.certificate().pem()), s.clock.now()));
  BOOST_TEST(confirmed() == 1u);
  // What Ann signed once, with a key beside it that she did not.
  const auto old = seal::SmimeSigner(anns).sign("Content-Type: text/plain\r\n\r\nHello.\r\n", s.clock.now());
  s.request("Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n" + old +
            "\r\n--m\r\nContent-Type: application/pkix-cert\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
            crypto::base64Lines(next.certificate().pem()) + "\r\n--m--\r\n");
  BOOST_TEST(confirmed() == 1u);
  auto changed = seal::SmimeSigner(anns).sign(Scene::attached(next.certificate().pem()), s.clock.now());
  changed.replace(changed.find("My key."), 7, "Mi key.");
  s.request(changed);
  BOOST_TEST(confirmed() == 1u);
  BOOST_TEST(s.used() == anns.certificate().fingerprint());
}

BOOST_AUTO_TEST_CASE(a_key_that_its_issuer_revoked_vouches_for_nothing) {
  Scene s;
  const auto first = s.identity(), next = s.identity();
  s.give("key.import", {{"address", Ann}, {"certificate", first.certificate().pem()}});
  s.context.site.write([&](SiteTables& tables) {
    tables.keyRing.noteRevocation(first.certificate().fingerprint(),
                                  {"revoked", "", s.clock.now(), s.clock.now() + std::chrono::hours(24)});
    auto key = tables.keys.find(Ann, first.certificate().fingerprint()).value();
    tables.keys.rejudge(key);
  });
  s.request(seal::SmimeSigner(first).sign(Scene::attached(next.certificate().pem()), s.clock.now()));
  BOOST_TEST(s.give("key.list", {{"address", Ann}, {"state", "confirmed"}}).at("items").size() == 1u);
  BOOST_TEST(s.used().empty());
}

BOOST_AUTO_TEST_CASE(mail_with_the_subject_key_is_answered_with_the_keys_of_the_list) {
  Scene s;
  s.ask("Key");
  s.ask(" KEYS ");
  BOOST_REQUIRE_EQUAL(s.mails().size(), 2u);
  const auto mail = s.mails()[0].mail;
  BOOST_TEST((mail.kind == SiteMail::Kind::ListKeys));
  BOOST_TEST(mail.recipient == Ann);
  BOOST_TEST(mail.lines.at(0) == s.list.address);
  BOOST_TEST(crypto::Certificate::parse(mail.lines.at(1)).value().fingerprint() == s.list.fingerprint);
  const auto list = s.context.site.read([&](SiteTables& tables) { return tables.lists.find(s.list.id).value(); });
  BOOST_TEST(pgp::PublicKey::parse(mail.lines.at(2)).value().fingerprint() == list.openPgpFingerprint);
  const auto text = composeSiteMail(mail, "mail.lists.example", "<a@b.example>", realNow());
  const auto body = crypto::fromBase64(text.substr(text.find("\r\n\r\n") + 4)).value();
  BOOST_TEST(body.find("PRIVATE") == std::string::npos);
  BOOST_TEST(body.find("\r\r") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(strangers_get_the_keys_of_a_list_only_when_it_publishes_them) {
  Scene s;
  s.ask("key", "eve@example.org");
  BOOST_TEST(s.mails().empty());
  s.give("list.key-publish", {{"address", s.list.address}, {"publish", "yes"}});
  s.ask("key", "eve@example.org", "Auto-Submitted: auto-replied\r\n");
  s.ask("key", "eve@example.org", {}, "");
  s.ask("monkey", "eve@example.org");
  s.ask("key", "eve@example.org, ann@example.org");
  BOOST_TEST(s.mails().empty());
  s.ask("key", "eve@example.org", {}, "mallory@example.org");  // who sends it in another's name gets no answer for them
  BOOST_TEST(s.mails().empty());
  for (int i = 0; i < 5; ++i) s.ask("key", "eve@example.org", {}, "Eve@example.org");
  BOOST_TEST(s.mails().size() == KeyMailsPerDay);
  BOOST_TEST(s.mails()[0].mail.recipient == "eve@example.org");
}

BOOST_AUTO_TEST_CASE(forged_requests_make_no_more_mail_to_strangers_than_a_day_has) {
  Scene s;
  s.give("list.key-publish", {{"address", s.list.address}, {"publish", "yes"}});
  const auto answers = [&] {
    const auto dayAgo = s.clock.now() - std::chrono::hours(24);
    return s.context.site.read([&](SiteTables& tables) { return tables.keyRing.answersSince(dayAgo); });
  };
  for (std::uint64_t i = 0; i < StrangersPerDay + 5; ++i) {
    const auto victim = "victim" + std::to_string(i) + "@elsewhere.example";
    s.ask("key", victim, {}, victim);
  }
  BOOST_TEST(answers() == StrangersPerDay);
  s.ask("key");  // members are not kept from theirs
  BOOST_TEST(answers() == StrangersPerDay + 1);
  s.clock.advance(std::chrono::hours(25));
  s.ask("key", "eve@example.org", {}, "eve@example.org");
  BOOST_TEST(answers() == 1u);
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
  BOOST_TEST((s.mails()[0].mail.kind == SiteMail::Kind::KeyUnfit));
  const auto token = s.token();
  BOOST_TEST(has(s.give("key.link-show", {{"token", token}}).at("unfit"), "private key"));
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
