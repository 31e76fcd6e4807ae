// Copies judged by other programs: gpg, sq and rnp.
#include "core/crypto/Random.h"
#include "core/pgp/Sealer.h"
#include "core/pgp/SecretKey.h"
#include "core/pgp/Signer.h"
#include "tests/unit/core/pgp/PgpFixture.h"

using namespace postern;
using namespace postern::pgp;
using namespace postern::test;

namespace {

const std::string Inner =
    "Content-Type: multipart/mixed; boundary=b; hp=\"cipher\"\r\nSubject: =?utf-8?q?Pr=C3=BCfung?=\r\n\r\n--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xb6\xc3\x9f"
    "er\r\n.\r\nFrom here on\r\n--b\r\nContent-Type: application/octet-stream; name=a.bin\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nAAECAwQF\r\n--b--\r\n";

std::string messageOf(const std::string& head, const SharedBody& body) {
  return "From: board@lists.example\r\nTo: board@lists.example\r\nSubject: [...]\r\n" + head + body.tail();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_pgp_Oracle)

BOOST_AUTO_TEST_CASE(gpg_sq_and_rnp_open_the_copy_of_each_key_kind) {
  GpgHome home;
  const Sealer sealer;
  const auto list = SecretKey::create("Board", "board@lists.example", now(), std::chrono::days(100));
  const auto signedEntity = Signer(list).sign(Inner, now());
  std::vector<std::pair<std::string, SharedBody>> bodies;
  for (const std::size_t size : {std::size_t(20), std::size_t(20'000), std::size_t(1'000'000)}) {
    auto plain = crypto::randomBytes(size);
    auto body = SharedBody::encrypt(plain);
    bodies.emplace_back(std::move(plain), std::move(body));
  }
  bodies.emplace_back(signedEntity, SharedBody::encrypt(signedEntity));
  for (const std::string kind : {"rsa2048", "rsa3072", "rsa4096", "cv25519", "nistp256", "nistp384", "nistp521"}) {
    const auto fingerprint = home.makeKey("Anna " + kind + " <anna@example.org>", kind);
    const auto key = PublicKey::parse(home.exported(fingerprint));
    BOOST_REQUIRE_MESSAGE(key.has_value(), kind);
    BOOST_TEST(check(*key, "ANNA@example.org", now()).detail == "");
    const auto recipient = RecipientKey::of(*key, now());
    BOOST_REQUIRE_MESSAGE(recipient.has_value(), kind);
    home.store("secret.asc", home.exportedSecret(fingerprint));
    for (const auto& [plain, body] : bodies) {
      home.store("copy.asc", armoredPart(messageOf(sealer.head(body, *recipient), body)));
      const auto byGpg = home.gpg("--output " + quoted(home / "plain") + " --decrypt " + quoted(home / "copy.asc"));
      BOOST_TEST(byGpg.status == 0, kind << ": " << byGpg.output);
      BOOST_TEST(byGpg.output.find("WARNING") == std::string::npos, byGpg.output);
      BOOST_TEST((home.read("plain") == plain), kind);
      const auto bySq = run("sq --force decrypt --recipient-key " + quoted(home / "secret.asc") + " --output " +
                            quoted(home / "plain-sq") + " " + quoted(home / "copy.asc"));
      BOOST_TEST(bySq.status == 0, kind << ": " << bySq.output);
      BOOST_TEST((home.read("plain-sq") == plain), kind);
      const auto byRnp = run("rnp --keyfile " + quoted(home / "secret.asc") + " --password '' --overwrite --output " +
                             quoted(home / "plain-rnp") + " --decrypt " + quoted(home / "copy.asc"));
      BOOST_TEST(byRnp.status == 0, kind << ": " << byRnp.output);
      BOOST_TEST((home.read("plain-rnp") == plain), kind);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
