#include "core/base/Error.h"
#include "core/pgp/Opening.h"
#include "core/pgp/SecretKey.h"
#include "core/pgp/Signer.h"
#include "tests/unit/core/pgp/PgpFixture.h"

using namespace postern;
using namespace postern::pgp;
using namespace postern::test;

namespace {

const std::string Inner =
    "Content-Type: text/plain; charset=utf-8; hp=\"clear\"\r\nSubject: budget\r\n\r\nGr\xc3\xb6\xc3\x9f"
    "er. \r\n- dash\r\nFrom here\r\n";

SecretKey makeKey(std::string_view name = "Board of Directors") {
  return SecretKey::create(name, "board@lists.example", now(), std::chrono::days(100));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_pgp_SecretKey)

BOOST_AUTO_TEST_CASE(a_list_key_is_what_other_programs_expect) {
  const auto key = makeKey();
  const auto report = key.publicKey().inspect(now());
  BOOST_TEST(report.valid(), report.detail);
  BOOST_TEST(report.algorithm == "EdDSA ed25519");
  BOOST_REQUIRE(report.chosen.has_value());
  BOOST_TEST(report.keys[*report.chosen].algorithm == "ECDH cv25519");
  BOOST_TEST(report.userIds.front().text == "Board of Directors <board@lists.example>");
  BOOST_REQUIRE(report.expires.has_value());
  BOOST_TEST((*report.expires - report.created == std::chrono::days(100)));
  GpgHome home;
  home.store("key.asc", key.publicKey().armored());
  const auto imported = home.gpg("--import " + quoted(home / "key.asc"));
  BOOST_TEST(imported.status == 0, imported.output);
  BOOST_TEST(imported.output.find("imported: 1") != std::string::npos, imported.output);
  const auto inspected = run("sq inspect " + quoted(home / "key.asc"));
  BOOST_TEST(inspected.output.find("board@lists.example") != std::string::npos, inspected.output);
  BOOST_TEST(inspected.output.find("nvalid") == std::string::npos, inspected.output);
  home.store("mail", Inner);
  const auto encrypted = home.gpg("--trust-model always -r board@lists.example --encrypt --output " +
                                  quoted(home / "out") + " " + quoted(home / "mail"));
  BOOST_TEST(encrypted.status == 0, encrypted.output);
}

BOOST_AUTO_TEST_CASE(is_stored_and_read_back) {
  const auto key = makeKey();
  const auto again = SecretKey::parse(key.serialized());
  BOOST_TEST(again.fingerprint() == key.fingerprint());
  BOOST_TEST(again.publicKey().bytes() == key.publicKey().bytes());
  BOOST_CHECK_NO_THROW(Signer(again).sign(Inner, now()));
  BOOST_CHECK_THROW(SecretKey::parse(Secret("")), Error);
  BOOST_CHECK_THROW(SecretKey::parse(Secret("nonsense")), Error);
  BOOST_CHECK_THROW(SecretKey::parse(Secret(key.publicKey().bytes())), Error);
}

BOOST_AUTO_TEST_CASE(a_name_cannot_bring_in_another_address) {
  for (const auto& name :
       std::vector<std::string>{"Evil <ceo@example.org>", "a\r\nb", "<x@y.z>", std::string("a\0b", 3)}) {
    const auto report = makeKey(name).publicKey().inspect(now());
    BOOST_REQUIRE(report.userIds.size() == 1u);
    BOOST_TEST(report.userIds.front().address == "board@lists.example");
  }
  BOOST_CHECK_THROW(SecretKey::create("x", "a>b@example.org", now(), std::chrono::days(1)), Error);
}

BOOST_AUTO_TEST_CASE(is_extended_and_stays_the_same_key) {
  const auto key = makeKey();
  const auto later = now() + std::chrono::days(150);
  BOOST_TEST(std::string(stateName(key.publicKey().inspect(later).state)) == "expired");
  BOOST_CHECK_THROW(Signer(key).sign(Inner, later), Error);
  const auto extended = key.extended(now(), now() + std::chrono::days(300));
  BOOST_TEST(extended.fingerprint() == key.fingerprint());
  BOOST_TEST(extended.publicKey().inspect(later).valid(), extended.publicKey().inspect(later).detail);
  BOOST_CHECK_NO_THROW(Signer(SecretKey::parse(extended.serialized())).sign(Inner, later));
  // Also one that has expired before.
  const auto revived = key.extended(later, later + std::chrono::days(10));
  BOOST_TEST(revived.publicKey().inspect(later).valid(), revived.publicKey().inspect(later).detail);
  GpgHome home;
  home.store("key.asc", extended.publicKey().armored());
  BOOST_TEST(home.gpg("--import " + quoted(home / "key.asc")).status == 0);
}

BOOST_AUTO_TEST_CASE(a_revoked_key_does_not_sign_and_gpg_sees_that_it_is_revoked) {
  const auto revoked = makeKey().revoked(now(), Revocation::Compromised, "stolen");
  BOOST_CHECK_THROW(Signer(revoked).sign(Inner, now()), Error);
  BOOST_CHECK_THROW(Signer(SecretKey::parse(revoked.serialized())).sign(Inner, now()), Error);
  GpgHome home;
  home.store("key.asc", revoked.publicKey().armored());
  home.gpg("--import " + quoted(home / "key.asc"));
  BOOST_TEST(home.quietGpg("--list-keys").find("revoked") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(gpg_sq_and_rnp_verify_the_signature) {
  const auto key = makeKey();
  const auto entity = Signer(key).sign(Inner, now());
  BOOST_TEST(
      entity.starts_with("Content-Type: multipart/signed; protocol=\"application/pgp-signature\";\r\n"
                         " micalg=pgp-sha512;"));
  const auto begin = entity.find("-----BEGIN PGP SIGNATURE-----");
  GpgHome home;
  home.store("key.asc", key.publicKey().armored());
  home.store("mail", Inner);
  home.store("mail.asc", entity.substr(begin, entity.find("\r\n--signed-", begin) - begin));
  home.gpg("--import " + quoted(home / "key.asc"));
  const auto verify = [&] { return home.gpg("--verify " + quoted(home / "mail.asc") + " " + quoted(home / "mail")); };
  const auto bySq = "sq verify --signer-cert " + quoted(home / "key.asc") + " --detached " + quoted(home / "mail.asc") +
                    " " + quoted(home / "mail");
  const auto byRnp = "rnp --keyfile " + quoted(home / "key.asc") + " --source " + quoted(home / "mail") + " --verify " +
                     quoted(home / "mail.asc");
  BOOST_TEST(verify().output.find("Good signature") != std::string::npos, verify().output);
  BOOST_TEST(
      home.gpg("--verbose --verify " + quoted(home / "mail.asc") + " " + quoted(home / "mail")).output.find("SHA512") !=
      std::string::npos);
  BOOST_TEST(run(bySq).status == 0, run(bySq).output);
  BOOST_TEST(run(byRnp).status == 0, run(byRnp).output);
  BOOST_TEST(std::string(stateName(verifySigned(entity, std::vector{key.publicKey()}, now()).state)) == "valid");
  home.store("mail", Inner + " ");
  BOOST_TEST(verify().output.find("Good signature") == std::string::npos);
  BOOST_TEST(run(bySq).status != 0);
  BOOST_TEST(run(byRnp).status != 0);
}

BOOST_AUTO_TEST_CASE(refuses_to_sign_bare_line_ends) {
  const Signer signer(makeKey());
  for (const auto* entity : {"a\nb", "a\rb", "\n", "\r", "a\r\n\nb", "a\r\r\n", "a\r\n\r"})
    BOOST_CHECK_THROW(signer.sign(entity, now()), Error);
  for (const auto* entity : {"", "a", "\r\n", "a\r\n\r\nb\r\n"}) BOOST_CHECK_NO_THROW(signer.sign(entity, now()));
}

BOOST_AUTO_TEST_SUITE_END()
