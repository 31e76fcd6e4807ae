// Text that gpg signed so that it can be read as it is.
#include "core/pgp/Cleartext.h"
#include "tests/unit/core/pgp/PgpFixture.h"

using namespace postern;
using namespace postern::pgp;
using namespace postern::test;

namespace {

struct Scene {
  GpgHome home;
  std::string ann = home.makeKey("Ann <ann@example.org>", "cv25519");
  std::string bob = home.makeKey("Bob <bob@example.org>", "");
  std::vector<PublicKey> anns{PublicKey::parse(home.exported(ann)).value()};

  std::string sign(const std::string& text, const std::string& options = {}) const {
    home.store("plain", text);
    const auto done =
        home.gpg("--trust-model always --output " + quoted(home / "out.asc") + " --digest-algo SHA512 --local-user " +
                 ann + " " + options + " --clear-sign " + quoted(home / "plain"));
    BOOST_TEST_REQUIRE(done.status == 0, done.output);
    return home.read("out.asc");
  }
  std::string judge(const std::string& text) const { return stateName(verifyClearSigned(text, anns, now()).state); }
};

std::string withCrlf(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return out;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_pgp_Cleartext)

BOOST_AUTO_TEST_CASE(what_gpg_signs_is_valid_with_either_line_end) {
  Scene s;
  for (const std::string text :
       {"One line\n", "no end of line", "\n\nblanks at the end  \t\n- dashes\n-----\nFrom me\n\n",
        "-----BEGIN PGP SIGNATURE-----\n",
        "Gr\xc3\xbc\xc3\x9f"
        "e\n",
        ""}) {
    const auto message = s.sign(text);
    BOOST_TEST(s.judge(message) == "valid", text);
    BOOST_TEST(s.judge(withCrlf(message)) == "valid", text);
    const auto verdict = verifyClearSigned("\r\n" + withCrlf(message) + "\r\n  \r\n", s.anns, now());
    BOOST_TEST(verdict.valid(), text);
    BOOST_TEST(verdict.signer == s.anns.front().fingerprint());
  }
}

BOOST_AUTO_TEST_CASE(what_was_changed_is_not) {
  Scene s;
  const auto message = s.sign("Pay 100 to Ann.\n- and not to Bob\n");
  BOOST_TEST(s.judge(replaced(message, "100", "900")) == "invalid");
  BOOST_TEST(s.judge(replaced(message, "- - and", "- and")) == "invalid");
  BOOST_TEST(s.judge(replaced(message, "Pay", "- Pay")) == "valid");     // an escape that was not needed (7.1)
  BOOST_TEST(s.judge(replaced(message, "Ann.", "Ann. \t")) == "valid");  // blanks at the end of a line (7.2)
  BOOST_TEST(s.judge(replaced(message, "- - and", "-and")) == "invalid");
  BOOST_TEST(s.judge(replaced(message, "Pay", "\nPay")) == "invalid");
}

BOOST_AUTO_TEST_CASE(what_stands_beside_the_signed_lines_is_told) {
  Scene s;
  const auto message = s.sign("Text\n");
  BOOST_TEST(s.judge("Believe this:\n" + message) == "partial");
  BOOST_TEST(s.judge(message + "\nPS: pay Bob\n") == "partial");
  BOOST_TEST(s.judge(message + message) == "partial");
  // Readers would see the comment as text of the author.
  BOOST_TEST(s.judge(replaced(message, "Hash: SHA512\n", "Hash: SHA512\nComment: pay Bob\n")) == "unsupported");
  BOOST_TEST(s.judge(replaced(message, "Hash: SHA512\n", "Pay Bob\n")) == "unsupported");
  BOOST_TEST(s.judge(replaced(message, "Hash: SHA512\n", "Hash: SHA512\nHash: and pay Bob\n")) == "unsupported");
  BOOST_TEST(s.judge(replaced(message, "Hash: SHA512\n", "Hash: PAY BOB\n")) == "unsupported");
  constexpr auto signature = "-----BEGIN PGP SIGNATURE-----\n";
  for (const std::string line : {"Comment: pay Bob", "Version: pay Bob"})
    BOOST_TEST(s.judge(replaced(message, signature, signature + line + "\n")) == "partial");
}

BOOST_AUTO_TEST_CASE(others_keys_several_signers_and_weak_digests_are_told_apart) {
  Scene s;
  BOOST_TEST(s.judge(s.sign("Text\n", "--local-user " + s.bob)) == "several");
  const auto weak = s.sign("Text\n", "--digest-algo SHA1 --allow-weak-digest-algos");
  BOOST_TEST(s.judge(weak) == "unsupported");
  const auto verdict = verifyClearSigned(s.sign("Text\n"), std::vector<PublicKey>(), now());
  BOOST_TEST(stateName(verdict.state) == "unknown-key");
  BOOST_TEST(s.anns.front().fingerprint().ends_with(verdict.keyId));
}

BOOST_AUTO_TEST_CASE(every_cut_is_no_valid_message) {
  Scene s;
  const auto message = s.sign("Text of some length\nin two lines\n");
  for (std::size_t length = 0; length + 2 < message.size(); ++length)
    BOOST_TEST(!verifyClearSigned(message.substr(0, length), s.anns, now()).valid());
  for (const std::string text :
       {"", "Text\n", "> -----BEGIN PGP SIGNED MESSAGE-----\n", "x-----BEGIN PGP SIGNED MESSAGE-----"})
    BOOST_TEST(s.judge(text) == "none");
}

BOOST_AUTO_TEST_SUITE_END()
