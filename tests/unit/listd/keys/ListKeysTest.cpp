// Keys of lists: certificates from a CA, change with an overlap, announcements, publication.
#include "core/crypto/Encoding.h"
#include "core/pgp/Opening.h"
#include "core/pgp/PublicKey.h"
#include "core/pgp/RecipientKey.h"
#include "core/seal/SmimeReader.h"
#include "core/seal/SmimeSigner.h"
#include "listd/keys/ListKeys.h"
#include "tests/unit/listd/orders/DeskFixture.h"

#include <fstream>

using namespace postern;
using namespace postern::test;

namespace {

const std::string Board = "board@lists.example";

struct Scene : Desk {
  std::filesystem::path ca = folder.path() / "ca";

  Scene() {
    board();
    std::filesystem::create_directories(ca);
  }

  std::string path(const std::string& name) const { return (ca / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(ca / name) << text; }
  std::string read(const std::string& name) const { return files::read(ca / name); }
  int openssl(const std::string& rest) const {
    return std::system(("cd " + ca.string() + " && openssl " + rest + " >>log 2>&1").c_str());
  }

  // A root, an intermediate below it, as a CA has them.
  void makeAuthority() const {
    write("root.cnf",
          "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
          "subjectKeyIdentifier=hash\n");
    BOOST_REQUIRE_EQUAL(openssl("req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 3000 -subj "
                                "/CN=Root -addext keyUsage=critical,keyCertSign"),
                        0);
    BOOST_REQUIRE_EQUAL(openssl("req -newkey rsa:2048 -nodes -keyout mid.key -out mid.csr -subj /CN=Middle"), 0);
    BOOST_REQUIRE_EQUAL(
        openssl("x509 -req -in mid.csr -CA root.pem -CAkey root.key -days 3000 -extfile root.cnf -out mid.pem"), 0);
  }
  // What the CA makes of the list's request.
  void issue(const std::string& csr, const std::string& named = Board) {
    write("list.csr", csr);
    write("list.cnf", "subjectAltName=email:" + named +
                          "\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=emailProtection\n"
                          "basicConstraints=CA:FALSE\n");
    BOOST_REQUIRE_EQUAL(
        openssl("x509 -req -in list.csr -CA mid.pem -CAkey mid.key -days 400 -extfile list.cnf -out list.pem"), 0);
    toPresent();  // making keys takes seconds
  }
  // Certificates that other programs make are valid from now on.
  void toPresent() {
    clock.advance(std::chrono::duration_cast<std::chrono::microseconds>(SystemClock().now() - clock.now()));
  }
  List list() {
    return context.site.read([](SiteTables& tables) { return tables.lists.find(Board).value(); });
  }
  std::string request() { return give("list.key-request", {{"address", Board}}).at("request"); }
  std::string importRefusal(const std::string& bytes) {
    return refusal("list.key-import", {{"address", Board}, {"certificate", bytes}});
  }
  std::vector<ListKey> rows() {
    const auto id = list().id;
    return context.site.read([&](SiteTables& tables) { return tables.keyRing.listKeys(id); });
  }
  // As listd does it while it runs. How many keys went.
  std::size_t sweepHours(int hours) {
    std::size_t swept = 0;
    for (; hours > 0; hours -= 2) swept += sweepListKeys(context, std::chrono::hours(std::min(hours, 2)));
    return swept;
  }
  void nameSmimeKey(const std::string& name) {
    auto changed = list();
    changed.smimeKeyName = name;
    context.site.write([&](SiteTables& tables) { tables.lists.setSmimeKey(changed); });
  }
  std::size_t posts() {
    const auto id = list().id;
    return context.site.read([&](SiteTables& tables) { return tables.posts.page(id, 0, 100).size(); });
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_keys_ListKeys)

BOOST_AUTO_TEST_CASE(a_request_is_well_formed_and_names_the_list) {
  Scene s;
  s.write("list.csr", s.request());
  BOOST_TEST(s.openssl("req -verify -noout -in list.csr") == 0);
  BOOST_TEST(s.openssl("req -noout -text -in list.csr -out text") == 0);
  BOOST_TEST(has(s.read("text"), "email:" + Board));
  BOOST_TEST(has(s.read("text"), "E-mail Protection"));
  BOOST_TEST(s.list().smimeKeyName == "smime");  // nothing changed yet
}

BOOST_AUTO_TEST_CASE(mail_signed_after_import_verifies_with_the_root_alone) {
  Scene s;
  s.toPresent();
  s.makeAuthority();
  s.issue(s.request());
  s.give("list.key-import", {{"address", Board}, {"certificate", s.read("list.pem") + s.read("mid.pem")}});
  const auto shown = s.give("list.key-show", {{"address", Board}});
  BOOST_TEST(shown.at("smime").at("selfSigned") == false);
  BOOST_TEST(shown.at("smime").at("chain").size() == 1U);
  BOOST_TEST(shown.at("requests").empty());
  const auto entity = seal::SmimeSigner(signingIdentity(s.context, s.list()))
                          .sign("Content-Type: text/plain\r\n\r\nHello.\r\n", s.clock.now());
  s.write("mail", "MIME-Version: 1.0\r\n" + entity);
  BOOST_TEST(s.openssl("cms -verify -in mail -CAfile root.pem -purpose smimesign -out text") == 0);
  s.write("other.cnf", "");
  BOOST_REQUIRE_EQUAL(
      s.openssl("req -x509 -newkey rsa:2048 -nodes -keyout o.key -out other.pem -days 30 -subj /CN=Other"), 0);
  BOOST_TEST(s.openssl("cms -verify -in mail -CAfile other.pem -purpose smimesign -out text") != 0);
}

BOOST_AUTO_TEST_CASE(gpgsm_verifies_mail_signed_after_import_with_the_root_alone) {
  Scene s;
  s.toPresent();
  s.makeAuthority();
  s.issue(s.request());
  s.give("list.key-import", {{"address", Board}, {"certificate", s.read("list.pem") + s.read("mid.pem")}});
  const std::string inner = "Content-Type: text/plain\r\n\r\nHello.\r\n";
  const auto entity = seal::SmimeSigner(signingIdentity(s.context, s.list())).sign(inner, s.clock.now());
  const auto start = entity.find("\r\n\r\n", entity.find("smime.p7s")) + 4;
  s.write("sig.der", crypto::fromBase64(entity.substr(start, entity.find("\r\n--signed-", start) - start)).value());
  s.write("inner", inner);
  std::filesystem::create_directory(s.ca / "home");
  std::filesystem::permissions(s.ca / "home", std::filesystem::perms::owner_all);
  s.write("home/gpgsm.conf", "disable-crl-checks\n");
  BOOST_REQUIRE_EQUAL(s.openssl("x509 -in root.pem -noout -fingerprint -sha1 -out print"), 0);
  auto print = s.read("print");
  print = print.substr(print.find('=') + 1);
  std::erase_if(print, [](char c) { return c == ':' || c == '\n'; });
  s.write("home/trustlist.txt", print + " S relax\n");
  const auto gpgsm = "cd " + s.ca.string() + " && gpgsm --homedir home --batch --no-tty ";
  BOOST_TEST(std::system((gpgsm + "--import root.pem >>log 2>&1").c_str()) == 0);
  BOOST_TEST(std::system((gpgsm + "--verify sig.der inner >verified 2>&1").c_str()) == 0);
  BOOST_TEST(has(s.read("verified"), "Good signature"), s.read("verified"));
  BOOST_TEST(std::system(("cd " + s.ca.string() + " && gpgconf --homedir home --kill all").c_str()) == 0);
}

BOOST_AUTO_TEST_CASE(takes_der_chains_and_p7b) {
  Scene s;
  s.toPresent();
  s.makeAuthority();
  for (const auto* form : {"PEM", "DER"}) {
    s.issue(s.request());
    BOOST_REQUIRE_EQUAL(s.openssl("crl2pkcs7 -nocrl -certfile list.pem -certfile mid.pem -certfile root.pem -outform " +
                                  std::string(form) + " -out list.p7b"),
                        0);
    const auto file = std::string(form) == "DER" ? crypto::base64(s.read("list.p7b")) : s.read("list.p7b");
    const auto shown = s.give("list.key-import", {{"address", Board}, {"certificate", file}});
    BOOST_TEST(shown.at("smime").at("chain").size() == 2U);
  }
}

BOOST_AUTO_TEST_CASE(refuses_what_is_not_the_answer_to_a_request) {
  Scene s;
  s.toPresent();
  s.makeAuthority();
  const auto request = s.request();
  const auto before = s.list().fingerprint;
  s.issue(request);
  BOOST_TEST(has(s.importRefusal(s.read("list.pem")), "chain ends at"));  // no CA certificate beside it
  BOOST_TEST(has(s.importRefusal(s.read("list.pem") + s.read("root.pem")), "chain ends at"));
  s.issue(request, "other@lists.example");
  BOOST_TEST(has(s.importRefusal(s.read("list.pem") + s.read("mid.pem")), "not for board@lists.example"));
  const auto stranger = crypto::SigningIdentity::create(Board, s.clock.now(), std::chrono::days(100));
  BOOST_TEST(has(s.importRefusal(stranger.certificate().pem()), "no certificate in the file is for a key"));
  BOOST_TEST(has(s.importRefusal("-----BEGIN CERTIFICATE-----\nAAAA\n"), "cut short"));
  BOOST_TEST(has(s.importRefusal("nonsense!"), "invalid"));
  BOOST_TEST(s.list().fingerprint == before);
}

BOOST_AUTO_TEST_CASE(refuses_private_keys_in_every_wrapping) {
  Scene s;
  s.toPresent();
  s.makeAuthority();
  BOOST_REQUIRE_EQUAL(s.openssl("pkcs12 -export -in root.pem -inkey root.key -passout pass:x -out root.p12"), 0);
  BOOST_TEST(has(s.importRefusal(s.read("root.pem") + s.read("root.key")), "private key"));
  BOOST_TEST(has(s.importRefusal(crypto::base64(s.read("root.p12"))), "private key"));
  BOOST_TEST(has(
      s.refusal("key.import", {{"address", "ann@example.org"}, {"certificate", crypto::base64(s.read("root.p12"))}}),
      "private key"));
}

BOOST_AUTO_TEST_CASE(at_most_five_requests_wait) {
  Scene s;
  for (int i = 0; i < 5; ++i) s.request();
  BOOST_TEST(has(s.refusal("list.key-request", {{"address", Board}}), "5 requests"));
}

BOOST_AUTO_TEST_CASE(the_former_keys_open_mail_until_their_end_and_are_destroyed_then) {
  Scene s;
  const auto before = s.list();
  const auto oldPgp = openPgpKey(s.context, before).fingerprint();
  s.give("list.key-rotate", {{"address", Board}, {"kind", "smime"}, {"overlapDays", 10}});
  s.give("list.key-rotate", {{"address", Board}, {"kind", "openpgp"}, {"overlapDays", 10}});
  BOOST_TEST(s.list().fingerprint != before.fingerprint);
  BOOST_TEST(signingIdentity(s.context, s.list()).certificate().fingerprint() == s.list().fingerprint);
  BOOST_TEST(openPgpKey(s.context, s.list()).fingerprint() != oldPgp);
  BOOST_REQUIRE_EQUAL(formerIdentities(s.context, s.list()).size(), 1U);
  BOOST_TEST(formerIdentities(s.context, s.list()).front().certificate().fingerprint() == before.fingerprint);
  BOOST_REQUIRE_EQUAL(formerOpenPgpKeys(s.context, s.list()).size(), 1U);
  BOOST_TEST(formerOpenPgpKeys(s.context, s.list()).front().fingerprint() == oldPgp);
  tendListKeys(s.context);
  BOOST_TEST(s.context.keys.signingKey(before.id, "smime").has_value());
  s.clock.advance(std::chrono::hours(24 * 11));
  BOOST_TEST(formerIdentities(s.context, s.list()).empty());
  tendListKeys(s.context);
  BOOST_TEST(!s.context.keys.signingKey(before.id, "smime").has_value());
  BOOST_TEST(!s.context.keys.signingKey(before.id, "openpgp").has_value());
  const auto items = s.give("list.key-history", {{"address", Board}}).at("items");
  BOOST_TEST(items.size() == 2U);
  for (const auto& item : items) BOOST_TEST(item.at("state") == "ended");
}

BOOST_AUTO_TEST_CASE(members_are_told_once_and_the_former_key_vouches) {
  Scene s;
  const auto former = s.list();
  s.give("member.add", {{"list", Board}, {"address", "ann@example.org"}});
  s.give("list.key-rotate", {{"address", Board}, {"kind", "smime"}});
  tendListKeys(s.context);
  tendListKeys(s.context);
  BOOST_REQUIRE_EQUAL(s.posts(), 1U);
  const auto post = s.context.site.read([&](SiteTables& tables) { return tables.posts.page(former.id, 0, 1).front(); });
  const auto content = s.context.vault.get(post.vaultObject).value();
  const auto verified = seal::verifySmime(content);
  BOOST_REQUIRE(verified);
  BOOST_TEST(verified->signer.fingerprint() == former.fingerprint);
  BOOST_TEST(has(verified->entity, s.list().fingerprint));
}

// The process dies after the new key is in keys.db and before the list names it, or before the members are told.
BOOST_AUTO_TEST_CASE(an_interrupted_change_leaves_the_old_key_or_is_finished) {
  Scene s;
  const auto before = s.list();
  s.context.keys.storeSigningKey(before.id, newKeyName("smime"), Secret("half a change"));
  BOOST_TEST(signingIdentity(s.context, s.list()).certificate().fingerprint() == before.fingerprint);
  s.context.site.write([&](SiteTables& tables) { retireSmime(tables, before, s.clock.now(), s.clock.now()); });
  BOOST_TEST(s.posts() == 0U);
  tendListKeys(s.context);
  BOOST_TEST(s.posts() == 1U);
}

BOOST_AUTO_TEST_CASE(a_former_openpgp_key_vouches_too) {
  Scene s;
  const auto former = s.list();
  s.give("list.key-rotate", {{"address", Board}, {"kind", "openpgp"}});
  const auto post = s.context.site.read([&](SiteTables& tables) { return tables.posts.page(former.id, 0, 1).front(); });
  const std::vector signers{pgp::PublicKey::parse(former.openPgpKey).value()};
  const auto content = s.context.vault.get(post.vaultObject).value();
  BOOST_TEST(pgp::verifySigned(content, signers, s.clock.now()).valid());
  BOOST_TEST(has(content, s.list().openPgpFingerprint));
  BOOST_TEST(has(content, "signed by the former key"));
}

// It ended, or its private half is gone: the text does not say that it signed.
BOOST_AUTO_TEST_CASE(a_former_key_that_cannot_sign_is_not_said_to_have_signed) {
  for (const auto* kind : {"smime", "openpgp"})
    for (const bool gone : {false, true}) {
      Scene s;
      const auto former = s.list();
      if (gone) s.context.keys.destroySigningKey(former.id, kind);
      if (!gone) s.clock.advance(std::chrono::days(4 * 365));
      s.give("list.key-rotate", {{"address", Board}, {"kind", kind}});
      const auto post =
          s.context.site.read([&](SiteTables& tables) { return tables.posts.page(former.id, 0, 1).front(); });
      const auto content = s.context.vault.get(post.vaultObject).value();
      BOOST_TEST(has(content, "could not sign this text"));
      BOOST_TEST(!has(content, "signed by the former key"));
      BOOST_TEST(!has(content, "multipart/signed"));
    }
}

BOOST_AUTO_TEST_CASE(private_keys_that_nothing_names_are_destroyed_and_no_others) {
  Scene s;
  s.request();
  s.give("list.key-rotate", {{"address", Board}, {"kind", "smime"}});
  s.give("list.key-rotate", {{"address", Board}, {"kind", "openpgp"}});
  const auto named = s.context.keys.signingKeys().size();
  BOOST_TEST(named == 5U);  // two in use, two former, one requested
  BOOST_TEST(sweepListKeys(s.context, {}) == 0U);
  s.context.keys.storeSigningKey(s.list().id, newKeyName("smime"), Secret("a change that was cut off"));
  s.context.keys.storeSigningKey(s.list().id + 1, ListSigningKey, Secret("a list that never came to be"));
  BOOST_TEST(s.sweepHours(1) == 0U);
  BOOST_TEST(s.sweepHours(24 * 30 - 1) == 0U);
  BOOST_TEST(s.context.keys.signingKeys().size() == named + 2);
  BOOST_TEST(s.sweepHours(1) == 2U);
  BOOST_TEST(s.context.keys.signingKeys().size() == named);
  BOOST_TEST(formerIdentities(s.context, s.list()).size() == 1U);
  BOOST_TEST(formerOpenPgpKeys(s.context, s.list()).size() == 1U);
  BOOST_TEST(signingIdentity(s.context, s.list()).certificate().fingerprint() == s.list().fingerprint);
}

// A clock that is set wrong, a site that is put back from an old copy, and one that was away for long.
BOOST_AUTO_TEST_CASE(a_key_that_nothing_names_is_kept_for_thirty_days_of_looking) {
  Scene s;
  s.toPresent();
  const auto stray = newKeyName("smime");
  const auto named = s.context.keys.signingKeys().size();
  s.context.keys.storeSigningKey(s.list().id, stray, Secret("not named by an old site.db"));
  BOOST_TEST(s.sweepHours(1) == 0U);
  s.clock.advance(std::chrono::hours(24 * 365 * 5));  // the clock jumps
  BOOST_TEST(sweepListKeys(s.context, std::chrono::seconds(1)) == 0U);
  BOOST_TEST(sweepListKeys(s.context, std::chrono::hours(24 * 365)) == 0U);  // a long sleep counts two hours
  BOOST_TEST(sweepListKeys(s.context, std::chrono::hours(-24)) == 0U);
  BOOST_TEST(s.sweepHours(24 * 29) == 0U);
  // The right site.db comes back, and with it the name: then again an old one.
  const auto list = s.list();
  s.nameSmimeKey(stray);
  BOOST_TEST(s.sweepHours(1) == 0U);
  s.nameSmimeKey(list.smimeKeyName);
  BOOST_TEST(s.sweepHours(24 * 29) == 0U);
  BOOST_TEST(s.context.keys.signingKeys().size() == named + 1);
  BOOST_TEST(s.sweepHours(26) == 1U);
  BOOST_TEST(s.context.keys.signingKeys().size() == named);
}

BOOST_AUTO_TEST_CASE(a_certificate_of_a_ca_is_not_replaced_by_a_self_signed_one_unsaid) {
  Scene s;
  s.toPresent();
  s.makeAuthority();
  s.issue(s.request());
  s.give("list.key-import", {{"address", Board}, {"certificate", s.read("list.pem") + s.read("mid.pem")}});
  BOOST_TEST(has(s.refusal("list.key-rotate", {{"address", Board}, {"kind", "smime"}}), "self-signed"));
  s.give("list.key-rotate", {{"address", Board}, {"kind", "smime"}, {"selfSigned", true}});
  BOOST_TEST(s.list().certificateChain.empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_said_changes_no_key) {
  Scene s;
  const auto before = s.list();
  for (const auto& args : {json{{"address", Board}}, json{{"address", Board}, {"kind", "both"}}})
    BOOST_TEST(has(s.refusal("list.key-rotate", args), "invalid"));
  BOOST_TEST(has(s.refusal("list.key-publish", {{"address", Board}, {"publish", "perhaps"}}), "invalid"));
  BOOST_TEST(s.list().openPgpFingerprint == before.openPgpFingerprint);
  BOOST_TEST(s.rows().empty());
}

BOOST_AUTO_TEST_CASE(keys_are_published_only_when_that_was_said) {
  Scene s;
  const auto hidden = s.refusal("list.key-public", {{"address", Board}});
  BOOST_TEST(has(hidden, "not-found"));
  BOOST_TEST(hidden == s.refusal("list.key-public", {{"address", "nobody@lists.example"}}));
  s.give("list.key-publish", {{"address", Board}, {"publish", "yes"}});
  const auto shown = s.give("list.key-public", {{"address", Board}});
  const auto key = pgp::PublicKey::parse(shown.at("openpgpKey").get<std::string>());
  BOOST_REQUIRE(key);
  BOOST_TEST(key->fingerprint() == s.list().openPgpFingerprint);
  BOOST_TEST(!has(shown.dump(), "PRIVATE"));
  s.give("list.key-publish", {{"address", Board}, {"publish", "no"}});
  BOOST_TEST(has(s.refusal("list.key-public", {{"address", Board}}), "not-found"));
}

BOOST_AUTO_TEST_SUITE_END()
