// Mail to a list as the openssl command makes it, and what attackers make of it.
#include "core/crypto/Encoding.h"
#include "core/seal/SmimeReader.h"
#include "tests/unit/core/seal/SealFixture.h"

using namespace postern;
using namespace postern::seal;
using namespace postern::test;

namespace {

TimePoint now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

const std::string Entity = "Content-Type: text/plain\r\nSubject: budget\r\n\r\nThe figures are larger.\r\n";

// A list, and a member with a signing identity, as files that the openssl command reads.
struct Correspondence {
  TempFolder folder;
  SigningIdentity list = SigningIdentity::create("board@lists.example", now(), std::chrono::days(10));
  SigningIdentity anna = SigningIdentity::create("anna@example.org", now(), std::chrono::days(10));
  SigningIdentity ben = SigningIdentity::create("ben@example.org", now(), std::chrono::days(10));

  Correspondence() {
    store("list", list);
    store("anna", anna);
    store("ben", ben);
    write("entity", Entity);
  }

  void write(const std::string& name, std::string_view content) const { files::replaceDurably(folder / name, content); }
  std::string path(const std::string& name) const { return "'" + (folder / name).string() + "'"; }

  // Runs openssl cms with its input and output as files; gives the message with CRLF.
  std::string cms(const std::string& arguments, const std::string& input) const {
    write("in", input);
    const auto outcome = run("openssl cms " + arguments + " -in " + path("in") + " -out " + path("out") + " -crlfeol");
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    std::string text;
    for (const char c : files::read(folder / "out")) {
      if (c == '\n' && !text.ends_with('\r')) text += '\r';
      text += c;
    }
    return text;
  }

  std::string signedBy(const std::string& who, const std::string& entity = Entity,
                       const std::string& options = {}) const {
    return cms(
        "-sign -binary -md sha256 -signer " + path(who + ".pem") + " -inkey " + path(who + ".key") + " " + options,
        entity);
  }
  std::string encrypted(const std::string& entity, const std::string& cipher = "-aes-256-cbc",
                        const std::string& recipient = "list") const {
    return cms("-encrypt -binary " + cipher + " -recip " + path(recipient + ".pem"), entity);
  }

private:
  void store(const std::string& name, const SigningIdentity& identity) const {
    write(name + ".pem", identity.certificate().pem());
    write(name + ".der", identity.exportPrivateKey().view());
    run("openssl pkey -inform DER -in " + path(name + ".der") + " -out " + path(name + ".key"));
  }
};

std::string fault(std::string_view message) {
  const auto result = verifySmime(message);
  return result ? "good" : faultName(result.error());
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_seal_SmimeReader)

BOOST_AUTO_TEST_CASE(opens_what_openssl_encrypted_to_the_list) {
  const Correspondence mail;
  for (const auto* cipher : {"-aes-256-cbc", "-aes-128-cbc", "-aes-256-gcm"}) {
    const auto opened = openSmime(mail.encrypted(Entity, cipher), mail.list);
    BOOST_REQUIRE_MESSAGE(opened, cipher);
    BOOST_TEST(*opened == Entity);
  }
}

BOOST_AUTO_TEST_CASE(verifies_both_forms_of_signature) {
  const Correspondence mail;
  const auto detached = verifySmime(mail.signedBy("anna"));
  BOOST_REQUIRE(detached.has_value());
  BOOST_TEST(detached->entity == Entity);
  BOOST_TEST(detached->signer.fingerprint() == mail.anna.certificate().fingerprint());
  BOOST_REQUIRE(detached->signedAt);
  BOOST_TEST((now() - *detached->signedAt < std::chrono::minutes(5)));

  const auto opaque = verifySmime(mail.signedBy("anna", Entity, "-nodetach"));
  BOOST_REQUIRE(opaque.has_value());
  BOOST_TEST(opaque->entity == Entity);
}

BOOST_AUTO_TEST_CASE(signed_then_encrypted_comes_out_whole) {
  const Correspondence mail;
  const auto opened = openSmime(mail.encrypted(mail.signedBy("anna")), mail.list);
  BOOST_REQUIRE(opened);
  BOOST_TEST(fault(*opened) == "good");
}

BOOST_AUTO_TEST_CASE(nothing_is_opened_that_is_not_wholly_for_the_list) {
  const Correspondence mail;
  const auto message = mail.encrypted(Entity);
  BOOST_TEST(!openSmime(mail.encrypted(Entity, "-aes-256-cbc", "ben"), mail.list).has_value());
  BOOST_TEST(!openSmime(mail.signedBy("anna"), mail.list).has_value());
  BOOST_TEST(!openSmime("Content-Type: text/plain\r\n\r\nhello\r\n", mail.list).has_value());
  BOOST_TEST(!openSmime("", mail.list).has_value());
  // Within a foreign multipart or message/rfc822 it is somebody else's text.
  BOOST_TEST(
      !openSmime("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + message + "\r\n--b--\r\n", mail.list)
           .has_value());
  BOOST_TEST(!openSmime("Content-Type: message/rfc822\r\n\r\n" + message, mail.list).has_value());
  BOOST_TEST(!openSmime("Content-Type: text/html\r\n" + message, mail.list).has_value());
}

BOOST_AUTO_TEST_CASE(changed_gcm_is_not_opened_and_changed_cbc_does_not_verify) {
  const Correspondence mail;
  const auto change = [](const std::string& message) {
    const auto body = message.find("\r\n\r\n") + 4;
    auto der = crypto::fromBase64(message.substr(body)).value();
    der[der.size() - 40] = static_cast<char>(der[der.size() - 40] ^ 1);
    return message.substr(0, body) + crypto::base64Lines(der);
  };
  const auto inner = mail.signedBy("anna");
  BOOST_TEST(!openSmime(change(mail.encrypted(inner, "-aes-256-gcm")), mail.list).has_value());
  const auto opened = openSmime(change(mail.encrypted(inner, "-aes-256-cbc")), mail.list);
  BOOST_TEST((!opened || fault(*opened) != "good"));
}

BOOST_AUTO_TEST_CASE(bytes_after_the_object_are_refused) {
  const Correspondence mail;
  const auto message = mail.encrypted(Entity);
  const auto body = message.find("\r\n\r\n") + 4;
  const auto der = crypto::fromBase64(message.substr(body)).value();
  BOOST_TEST(!openSmime(message.substr(0, body) + crypto::base64Lines(der + "x"), mail.list).has_value());
}

BOOST_AUTO_TEST_CASE(signatures_that_do_not_cover_the_whole_by_one_signer_do_not_count) {
  const Correspondence mail;
  const auto good = mail.signedBy("anna");
  BOOST_TEST(fault(replaced(good, "larger", "smaller")) == "invalid");
  BOOST_TEST(fault("Content-Type: text/plain\r\n\r\nx\r\n") == "not-signed");
  BOOST_TEST(fault("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + good + "\r\n--b--\r\n") ==
             "not-signed");
  BOOST_TEST(fault(good + "shown below the signed part\r\n") == "partial");
  const auto two = mail.signedBy("anna", Entity, "-signer " + mail.path("ben.pem") + " -inkey " + mail.path("ben.key"));
  BOOST_TEST(fault(two) == "several");
  const auto weak = replaced(
      mail.cms("-sign -binary -md sha1 -signer " + mail.path("anna.pem") + " -inkey " + mail.path("anna.key"), Entity),
      "MIME", "MIME");
  BOOST_TEST(fault(weak) == "unsupported");
  BOOST_TEST(fault(mail.signedBy("anna", Entity, "-nocerts")) != "good");
}

BOOST_AUTO_TEST_CASE(content_inside_the_signature_beside_signed_content_is_refused) {
  const Correspondence mail;
  const auto opaque = mail.signedBy("anna", Entity, "-nodetach");
  const auto der = opaque.substr(opaque.find("\r\n\r\n") + 4);
  const auto both =
      "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; "
      "boundary=b\r\n\r\n--b\r\n" +
      std::string("Content-Type: text/plain\r\n\r\nOther text.") +
      "\r\n--b\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n" + der +
      "\r\n--b--\r\n";
  BOOST_TEST(fault(both) == "partial");
}

BOOST_AUTO_TEST_SUITE_END()
