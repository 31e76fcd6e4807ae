// Key substitution (attack 13): whatever a mail carries, the confirmed key stays, and what is found is only proposed.
#include "core/crypto/SigningIdentity.h"
#include "core/pgp/SecretKey.h"
#include "core/seal/SmimeSigner.h"
#include "listd/expand/Intake.h"
#include "listd/keys/Proposals.h"
#include "tests/unit/listd/orders/DeskFixture.h"

#include <algorithm>

using namespace postern;
using namespace postern::test;

namespace {

const std::string Ann = "ann@example.org";

struct Scene : Desk {
  List list;
  Intake intake{context, [] {}};
  std::uint64_t taken = 0;

  Scene() : list(makeList(context, "board@lists.example", true)) { addMember(context, list, Ann); }

  crypto::SigningIdentity identity(const std::string& of) const {
    return crypto::SigningIdentity::create(of, clock.now(), std::chrono::days(100));
  }
  void confirm(const crypto::SigningIdentity& who, const std::string& of = Ann) {
    give("key.import", {{"address", of}, {"certificate", who.certificate().pem()}});
  }
  std::string signedBy(const crypto::SigningIdentity& who) const {
    return seal::SmimeSigner(who).sign("Content-Type: text/plain\r\n\r\nHello.\r\n", clock.now());
  }
  // As the gateway hands it on.
  void post(const std::string& entity, const std::string& fields = {}, const std::string& from = Ann) {
    auto submission = submissionTo({list.address}, from, "Hello", "");
    submission.content = "Received: from a by b; Sun, 01 Mar 2026 12:00:00 +0000\r\nFrom: Ann <" + from +
                         ">\r\nTo: board@lists.example\r\nSubject: Hello\r\nMessage-ID: <" + submission.queueId +
                         "@example.org>\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n" + fields +
                         entity;
    crypto::SealedBoxWriter box(context.keys.vaultKeyPair().publicKey);
    const app::AcceptedItem item{++taken, box.seal(submission.encode(), app::SubmissionContext)};
    intake.take({&item, 1});
  }
  std::vector<MemberKey> keys(const std::string& of = Ann) {
    return context.site.read([&](SiteTables& tables) { return tables.keys.page(of, 0, 100); });
  }
  std::string used(const std::string& of = Ann) {
    return context.site.read([&](SiteTables& tables) {
      const auto decision = decideFor(tables, onlySmime(), of, std::nullopt, clock.now());
      return decision.withheld() ? std::string() : decision.keyFingerprint;
    });
  }
  std::size_t audited(const std::string& action) {
    const auto all = entries();
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const auto& line) { return line.find(" " + action + " ") != std::string::npos; }));
  }
  static std::string folded(const std::string& text) {
    std::string lines;
    for (std::size_t at = 0; at < text.size(); at += 76) lines += (at ? "\r\n " : "") + text.substr(at, 76);
    return lines;
  }
};

const std::string Plain = "Content-Type: text/plain\r\n\r\nHello.\r\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_keys_Proposals)

BOOST_AUTO_TEST_CASE(a_new_certificate_in_signed_mail_is_proposed_and_the_confirmed_key_stays) {
  Scene s;
  const auto first = s.identity(Ann), second = s.identity(Ann);
  s.confirm(first);
  s.clock.advance(std::chrono::hours(1));  // a plan takes the newest of several usable keys
  s.post(s.signedBy(second));
  const auto keys = s.keys();
  BOOST_REQUIRE(keys.size() == 2u);
  BOOST_TEST((keys[0].facts.state == KeyState::Confirmed));
  BOOST_TEST((keys[1].facts.state == KeyState::Proposed));
  BOOST_TEST(keys[1].origin == "signed-mail");
  BOOST_TEST(s.used() == first.certificate().fingerprint());
  BOOST_TEST(s.audited("key.proposed") == 1u);
  s.post(s.signedBy(second));  // again: nothing more
  BOOST_TEST(s.keys().size() == 2u);
  BOOST_TEST(s.audited("key.proposed") == 1u);
}

BOOST_AUTO_TEST_CASE(a_key_in_mail_of_a_member_without_one_is_not_used_until_a_person_confirms_it) {
  Scene s;
  const auto key = s.identity(Ann);
  s.post(s.signedBy(key));
  BOOST_TEST(s.used().empty());
  const auto waiting = s.give("key.list", {{"state", "proposed"}}).at("items");
  BOOST_REQUIRE(waiting.size() == 1u);
  BOOST_TEST(waiting[0].at("standing") == "proposed");
  s.give("key.confirm", {{"fingerprint", key.certificate().fingerprint()}, {"address", Ann}});
  BOOST_TEST(s.used() == key.certificate().fingerprint());
}

BOOST_AUTO_TEST_CASE(look_alike_and_common_name_only_certificates_are_not_even_proposed) {
  Scene s;
  s.confirm(s.identity(Ann));
  s.post(s.signedBy(s.identity("ann@examp1e.org")));
  s.post(s.signedBy(s.identity("ann@example.org.evil.example")));
  BOOST_TEST(s.keys().size() == 1u);
  BOOST_TEST(s.keys("ann@examp1e.org").empty());
  BOOST_TEST(s.audited("key.found-unfit") == 2u);
  auto named = memberCertificate(Ann, s.clock.now());
  named.addresses.clear();  // the address stands in the common name alone
  const auto finding = judgeFinding(s.context, named.der(), Ann, "signed-mail");
  BOOST_TEST(!finding.key);
  s.context.site.write([&](SiteTables& tables) { propose(tables, finding, s.clock.now()); });
  BOOST_TEST(s.keys().size() == 1u);
  BOOST_TEST(s.audited("key.found-unfit") == 3u);
}

// What a person, or a parser of another kind, would take for the author.
BOOST_AUTO_TEST_CASE(names_that_only_look_like_the_author_make_no_proposal) {
  Scene s;
  const auto found = [&](std::string_view bytes) { return judgeFinding(s.context, bytes, Ann, "mail"); };
  for (const std::string name : {"\"ann@example.org\"@evil.example", "ann+x@example.org", "ann@sub.example.org",
                                 "ann@example.org.", "a.nn@example.org", "ann%example.org@evil.example",
                                 "<ann@example.org>", "ann@example.org,eve@evil.example", "xn--nn-8kc@example.org"}) {
    auto certificate = memberCertificate(Ann, s.clock.now());
    certificate.addresses = {name};
    const auto finding = found(certificate.der());
    BOOST_TEST(!finding.key, name);
    BOOST_TEST(!finding.reason.empty(), name);
  }
  auto subjectOnly = memberCertificate(Ann, s.clock.now());
  subjectOnly.addresses = {"eve@evil.example"};
  subjectOnly.subjectEmail = Ann;
  BOOST_TEST(!found(subjectOnly.der()).key);
  for (const auto& [name, address] :
       std::vector<std::pair<std::string, std::string>>{{"ann@example.org", "eve@evil.example"},
                                                        {"Ann <ann@example.org>", "eve@evil.example"},
                                                        {"Ann (ann@example.org)", "eve@evil.example"},
                                                        {"Ann", "ann@example.org.evil.example"}}) {
    const auto key = pgp::SecretKey::create(name, address, s.clock.now(), std::chrono::days(100));
    BOOST_TEST(!found(key.publicKey().bytes()).key, name);
  }
  auto upper = memberCertificate(Ann, s.clock.now());
  upper.addresses = {"Ann@EXAMPLE.org"};  // and this is the author
  BOOST_TEST(found(upper.der()).key.has_value());
}

BOOST_AUTO_TEST_CASE(keys_of_others_that_mail_carries_along_are_not_looked_at) {
  Scene s;
  addMember(s.context, s.list, "bob@example.org");
  const auto bobs = pgp::SecretKey::create("Bob", "bob@example.org", s.clock.now(), std::chrono::days(100)).publicKey();
  const auto coded = Scene::folded(crypto::base64(bobs.bytes()));
  s.post(Plain, "Autocrypt-Gossip: addr=bob@example.org; keydata=\r\n " + coded + "\r\n");
  s.post(Plain, "Autocrypt-Setup-Message: v1\r\n");
  s.post("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-keys\r\n\r\n" +
         bobs.armored() + "\r\n--b--\r\n");
  BOOST_TEST(s.keys("bob@example.org").empty());
  BOOST_TEST(s.keys().empty());
}

BOOST_AUTO_TEST_CASE(an_autocrypt_field_proposes_a_key_of_its_author_only) {
  Scene s;
  const auto key = pgp::SecretKey::create("Ann", Ann, s.clock.now(), std::chrono::days(100)).publicKey();
  const auto bobs = pgp::SecretKey::create("Bob", "bob@example.org", s.clock.now(), std::chrono::days(100)).publicKey();
  const auto field = [](const std::string& address, const pgp::PublicKey& of, const std::string& more = {}) {
    return "Autocrypt: addr=" + address + "; " + more + "keydata=\r\n " + Scene::folded(crypto::base64(of.bytes())) +
           "\r\n";
  };
  s.post(Plain, field("bob@example.org", bobs));                   // another's address
  s.post(Plain, field(Ann, bobs));                                 // the author's address, another's key
  s.post(Plain, field(Ann, key) + field(Ann, bobs));               // two fields
  s.post(Plain, field(Ann, key, "critical=yes; "));                // an attribute that must be understood
  s.post(Plain, "Autocrypt: addr=" + Ann + "; keydata=AAAA\r\n");  // no key
  s.post(Plain, field(Ann, key), "stranger@example.org");          // not the author
  BOOST_TEST(s.keys().empty());
  BOOST_TEST(s.keys("bob@example.org").empty());
  s.post(Plain, field(Ann, key, "prefer-encrypt=mutual; "));
  BOOST_REQUIRE(s.keys().size() == 1u);
  BOOST_TEST(s.keys()[0].origin == "autocrypt");
  BOOST_TEST((s.keys()[0].facts.state == KeyState::Proposed));
}

BOOST_AUTO_TEST_CASE(mail_of_strangers_proposes_nothing) {
  Scene s;
  s.post(s.signedBy(s.identity("eve@example.org")), {}, "eve@example.org");
  BOOST_TEST(s.keys("eve@example.org").empty());
  BOOST_TEST(s.audited("key.proposed") + s.audited("key.found-unfit") == 0u);
}

BOOST_AUTO_TEST_CASE(a_refused_or_revoked_key_is_not_proposed_again) {
  Scene s;
  const auto refused = s.identity(Ann), revoked = s.identity(Ann);
  s.post(s.signedBy(refused));
  s.give("key.refuse", {{"fingerprint", refused.certificate().fingerprint()}});
  BOOST_TEST(s.keys().empty());
  s.post(s.signedBy(refused));
  BOOST_TEST(s.keys().empty());
  s.confirm(revoked);
  s.give("key.revoke", {{"fingerprint", revoked.certificate().fingerprint()}});
  s.post(s.signedBy(revoked));
  BOOST_REQUIRE(s.keys().size() == 1u);
  BOOST_TEST((s.keys()[0].facts.state == KeyState::Revoked));
  BOOST_TEST(s.refusal("key.refuse", {{"fingerprint", revoked.certificate().fingerprint()}}).starts_with("refused"));
}

BOOST_AUTO_TEST_CASE(a_flood_of_keys_is_bounded_for_each_address) {
  Scene s;
  auto* const key = testKey("P-256");
  for (int i = 0; i < 60; ++i) {
    auto good = memberCertificate(Ann, s.clock.now(), key);
    auto bad = memberCertificate("other@example.org", s.clock.now(), key);
    good.notAfter = bad.notAfter = s.clock.now() + std::chrono::days(50 + i);
    for (const auto& certificate : {good, bad}) {
      const auto finding = judgeFinding(s.context, certificate.der(), Ann, "signed-mail");
      s.context.site.write([&](SiteTables& tables) { propose(tables, finding, s.clock.now()); });
    }
  }
  BOOST_TEST(s.keys().size() == MaxProposals);
  BOOST_TEST(s.audited("key.proposed") == MaxProposals);
  BOOST_TEST(s.audited("key.found-unfit") == MaxRefusals);
}

BOOST_AUTO_TEST_CASE(a_key_of_two_addresses_is_confirmed_for_each_by_itself) {
  Scene s;
  auto both = memberCertificate(Ann, s.clock.now());
  both.addresses.push_back("bob@example.org");
  const auto der = both.der();  // each call makes another one
  for (const auto* address : {"ann@example.org", "bob@example.org"}) {
    const auto finding = judgeFinding(s.context, der, address, "signed-mail");
    s.context.site.write([&](SiteTables& tables) { propose(tables, finding, s.clock.now()); });
  }
  const auto fingerprint = s.keys()[0].facts.fingerprint;
  BOOST_TEST(s.refusal("key.confirm", {{"fingerprint", fingerprint}}).starts_with("invalid"));
  s.give("key.confirm", {{"fingerprint", fingerprint}, {"address", Ann}});
  BOOST_TEST(s.used() == fingerprint);
  BOOST_TEST(s.used("bob@example.org").empty());
}

BOOST_AUTO_TEST_CASE(a_mailbox_alone_does_not_replace_a_confirmed_key) {
  Scene s;
  const auto take = [&](const crypto::SigningIdentity& who, KeyProof proof) {
    const auto finding = judgeFinding(s.context, who.certificate().der(), Ann, "mail");
    return s.context.site.write(
        [&](SiteTables& tables) { return takeProven(tables, finding.key.value(), proof, s.clock.now()); });
  };
  const auto first = s.identity(Ann), second = s.identity(Ann), third = s.identity(Ann);
  BOOST_TEST((take(first, KeyProof::Mailbox) == KeyTaken::Confirmed));
  BOOST_TEST(s.used() == first.certificate().fingerprint());
  s.clock.advance(std::chrono::hours(1));
  BOOST_TEST((take(second, KeyProof::Mailbox) == KeyTaken::WaitsForOwner));
  BOOST_TEST(s.used() == first.certificate().fingerprint());
  BOOST_TEST((take(third, KeyProof::OldKey) == KeyTaken::Confirmed));
  s.give("key.revoke", {{"fingerprint", first.certificate().fingerprint()}});
  BOOST_TEST((take(first, KeyProof::OldKey) == KeyTaken::Revoked));
}

BOOST_AUTO_TEST_SUITE_END()
