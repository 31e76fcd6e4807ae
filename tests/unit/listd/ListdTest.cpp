// The whole of listd in this process, against a gateway in memory: what leaves, what never leaves, and what stays.
#include "core/app/Orders.h"
#include "core/pgp/SecretKey.h"
#include "core/seal/SmimeSealer.h"
#include "core/seal/SmimeSigner.h"
#include "listd/Listd.h"
#include "tests/unit/listd/FakeGateway.h"
#include "tests/unit/listd/ListdFixture.h"

#include <nlohmann/json.hpp>
#include <thread>

using namespace postern;
using namespace postern::test;
using nlohmann::json;
using Outcome = app::DeliveryEvent::Outcome;

namespace {

constexpr auto Canary = "Kanarienvogel-51c7-singt";

// A site with a secure list board@ (ann, bob with certificates, cid without) and an open list social@ (the same).
struct Stage {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  SystemClock clock;
  FakeGateway gateway;
  std::unique_ptr<app::GatewayLinkServer> server;
  std::unique_ptr<Listd> listd;

  Stage() {
    SiteContext context(config, clock);
    const auto board = makeList(context, "board@lists.example", true);
    const auto social = makeList(context, "social@lists.example", false);
    for (const auto* name : {"ann", "bob", "cid"}) {
      const auto address = std::string(name) + "@example.org";
      if (address != "cid@example.org") addKey(context, memberCertificate(address, clock.now()));
      addMember(context, board, address);
      addMember(context, social, address);
    }
  }

  void start() {
    files::makePrivateFolder(config.gatewaySocket().parent_path());
    server = std::make_unique<app::GatewayLinkServer>(config.gatewaySocket().string(), gateway);
    listd = std::make_unique<Listd>(config);
    BOOST_REQUIRE(eventually([&] { return !gateway.routing().vaultPublicKey.empty(); }));
  }

  json order(const std::string& name, const json& args = json::object()) {
    return app::OrderClient(config.commandSocket().string())
        .give(name, {"cli", "test", files::read(config.commandKey())}, args);
  }

  std::vector<FakeGateway::Delivered> copiesOf(app::Copy::Kind kind) const {
    auto all = gateway.delivered();
    std::erase_if(all, [&](const auto& item) { return item.copy.kind != kind; });
    return all;
  }

  // Waits until the newest post is done.
  json lastPost() {
    json post;
    BOOST_REQUIRE(eventually([&] {
      const auto items = order("post.list").at("items");
      if (items.empty()) return false;
      post = items.front();
      const auto state = post.at("state");
      return state == "done" || state == "rejected" || state == "ignored";
    }));
    return post;
  }
};

std::string decrypt(const std::string& message, EVP_PKEY* key, const std::string& certificateDer) {
  const auto body = message.substr(message.find("\r\n\r\n") + 4);
  std::string base64;
  for (const char c : body)
    if (c != '\r' && c != '\n') base64.push_back(c);
  std::string der(base64.size(), '\0');
  const int size = EVP_DecodeBlock(bytesOf(der), bytesOf(base64), static_cast<int>(base64.size()));
  BOOST_REQUIRE(size > 0);
  der.resize(static_cast<std::size_t>(size));
  auto in = readOnlyBio(der);
  const CmsPtr cms(d2i_CMS_bio(in.get(), nullptr));
  BOOST_REQUIRE(cms);
  const auto* at = bytesOf(certificateDer);
  const X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(certificateDer.size())));
  const BioPtr out(BIO_new(BIO_s_mem()));
  BOOST_REQUIRE_EQUAL(CMS_decrypt(cms.get(), key, certificate.get(), nullptr, out.get(), 0), 1);
  return std::string(contentOf(out.get()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_Listd)

BOOST_AUTO_TEST_CASE(a_secure_post_leaves_as_one_encrypted_copy_per_member_and_a_notice_to_the_keyless) {
  Stage stage;
  stage.start();
  stage.gateway.accept(
      submissionTo({"board@lists.example"}, "ann@example.org", std::string("Secure: ") + Canary, Canary));
  const auto post = stage.lastPost();
  BOOST_TEST(post.at("recipients") == 3);
  BOOST_TEST(post.at("delivered") == 2);
  BOOST_TEST(post.at("withheld") == 1);
  const auto copies = stage.copiesOf(app::Copy::Kind::Content);
  BOOST_REQUIRE_EQUAL(copies.size(), 2u);
  for (const auto& [copy, message] : copies) {
    BOOST_TEST((copy.protection == app::Protection::Smime));
    BOOST_TEST((copy.floor == app::Protection::Smime));
    BOOST_TEST(copy.mailFrom.starts_with("board-bounces+"));
    BOOST_TEST(message.find(Canary) == std::string::npos);
    const auto read = decrypt(message, testKey("P-256"), memberCertificate(copy.recipient, stage.clock.now()).der());
    BOOST_TEST(read.find(Canary) != std::string::npos);
    BOOST_TEST(read.find("multipart/signed") != std::string::npos);
  }
  const auto deliveries = stage.order("status").at("deliveries");
  BOOST_TEST(deliveries.at("smime") == 2);
  BOOST_TEST(deliveries.at("withheld") == 1);
  BOOST_TEST(deliveries.at("none") == 0, "a notice is no copy");
  const auto notices = stage.copiesOf(app::Copy::Kind::Notice);
  BOOST_REQUIRE_EQUAL(notices.size(), 1u);
  BOOST_TEST(notices[0].copy.recipient == "cid@example.org");
  BOOST_TEST(notices[0].copy.mailFrom.empty());
  BOOST_TEST(notices[0].message.find(Canary) == std::string::npos);
  BOOST_REQUIRE(eventually([&] { return stage.copiesOf(app::Copy::Kind::Report).size() == 1; }));
  const auto report = stage.copiesOf(app::Copy::Kind::Report).front();
  BOOST_TEST(report.copy.recipient == "ann@example.org");
  BOOST_TEST(report.message.find(Canary) == std::string::npos);
  BOOST_TEST(report.message.find("cid@example.org") == std::string::npos);
  BOOST_TEST(eventually([&] { return stage.gateway.unfinished() == 0; }));
  BOOST_TEST(eventually([&] { return stage.gateway.unacknowledged() == 0; }));
}

BOOST_AUTO_TEST_CASE(each_member_of_a_mixed_list_gets_the_copy_that_the_ladder_says) {
  Stage stage;
  const auto day = std::chrono::days(1);
  const auto otto = pgp::SecretKey::create("Otto", "otto@pgp.example", stage.clock.now() - day, 300 * day);
  {
    SiteContext context(stage.config, stage.clock);
    ListProtection protection;
    protection.rungs = {app::Protection::Smime, app::Protection::OpenPgp, app::Protection::Tls};
    protection.mailPlan = true;
    const auto mixed = makeList(context, "mixed@lists.example", true, protection);
    const auto key = importKey(otto.publicKey().armored(), "otto@pgp.example", stage.clock.now(), nullptr);
    BOOST_REQUIRE(key.has_value());
    context.site.write([&](SiteTables& tables) {
      tables.keys.add(*key);
      tables.domainTls.note({"tls.example", app::TlsMeans::Dane, stage.clock.now(), ""});
    });
    for (const auto* address : {"ann@example.org", "otto@pgp.example", "tina@tls.example", "cid@example.org"})
      addMember(context, mixed, address);
  }
  stage.start();
  stage.gateway.accept(submissionTo({"mixed@lists.example"}, "ann@example.org", Canary, Canary));
  const auto post = stage.lastPost();
  BOOST_TEST(post.at("delivered") == 3);
  BOOST_TEST(post.at("withheld") == 1);
  std::map<std::string, FakeGateway::Delivered> copies;
  for (const auto& item : stage.copiesOf(app::Copy::Kind::Content)) copies.emplace(item.copy.recipient, item);
  BOOST_REQUIRE_EQUAL(copies.size(), 3u);
  const auto& sealed = copies.at("ann@example.org");
  BOOST_TEST((sealed.copy.protection == app::Protection::Smime));
  BOOST_TEST(sealed.message.find(Canary) == std::string::npos);
  const auto& pgpCopy = copies.at("otto@pgp.example");
  BOOST_TEST((pgpCopy.copy.protection == app::Protection::OpenPgp));
  BOOST_TEST((pgpCopy.copy.floor == app::Protection::OpenPgp));
  BOOST_TEST(pgpCopy.message.find(Canary) == std::string::npos);
  BOOST_TEST(pgpCopy.message.find("Subject: [...]\r\n") != std::string::npos);
  const auto fingerprint = stage.order("list.protection", {{"address", "mixed@lists.example"}}).at("openpgpKey");
  BOOST_TEST(fingerprint.get<std::string>().size() == 40u, "made at first need");
  BOOST_TEST(pgpCopy.message.find("multipart/encrypted") != std::string::npos);
  const auto& tls = copies.at("tina@tls.example");
  BOOST_TEST((tls.copy.protection == app::Protection::Tls));
  BOOST_TEST((tls.copy.floor == app::Protection::Tls), "the gateway lets it out over verified TLS only");
  BOOST_TEST(tls.message.find(std::string("Subject: ") + Canary) != std::string::npos);
  BOOST_TEST(tls.message.find("application/pkcs7-signature") != std::string::npos);
  BOOST_TEST(tls.message.find("hp=\"clear\"") != std::string::npos);
  BOOST_TEST(tls.message.find("\r\nReceived:") == std::string::npos);
  BOOST_REQUIRE(eventually([&] { return stage.copiesOf(app::Copy::Kind::Report).size() == 2; }));
  for (const auto& report : stage.copiesOf(app::Copy::Kind::Report)) {
    BOOST_TEST(report.copy.recipient == "ann@example.org");
    BOOST_TEST(report.message.find(Canary) == std::string::npos);
    for (const auto* member : {"otto@", "tina@", "cid@"}) BOOST_TEST(report.message.find(member) == std::string::npos);
  }
  BOOST_TEST(filesWith(stage.folder.path(), Canary).empty());
}

BOOST_AUTO_TEST_CASE(nothing_of_a_secure_post_is_readable_in_the_data_folder_during_and_after) {
  Stage stage;
  stage.start();
  bool scanned = false;
  stage.gateway.onStep = [&](const std::string& step) {
    if (step != "submit" || std::exchange(scanned, true)) return;
    BOOST_TEST(filesWith(stage.folder.path(), Canary).empty());
  };
  stage.gateway.accept(submissionTo({"board@lists.example"}, "ann@example.org", Canary, Canary));
  stage.lastPost();
  BOOST_TEST(scanned);
  BOOST_TEST(filesWith(stage.folder.path(), Canary).empty());
  stage.listd.reset();
  BOOST_TEST(filesWith(stage.folder.path(), Canary).empty());
  // The scan would find it: the list's address is stored in clear.
  BOOST_TEST(!filesWith(stage.folder.path(), "board@lists.example").empty());
}

BOOST_AUTO_TEST_CASE(a_post_encrypted_to_the_list_reaches_its_members_with_the_check_of_its_sender) {
  Stage stage;
  const auto ann = SigningIdentity::create("ann@example.org", stage.clock.now(), std::chrono::days(100));
  std::string captured;
  {
    SiteContext context(stage.config, stage.clock);
    auto key = importKey(ann.certificate().der(), "ann@example.org", stage.clock.now(), nullptr);
    context.site.write([&](SiteTables& tables) { tables.keys.add(key.value()); });
    const auto board = context.site.read([](SiteTables& tables) { return *tables.lists.find("board@lists.example"); });
    const auto entity = seal::SmimeSigner(ann).sign("Content-Type: text/plain\r\n\r\n" + std::string(Canary) + "\r\n",
                                                    stage.clock.now());
    const auto body = seal::SharedBody::encrypt(entity);
    captured =
        seal::SmimeSealer().head(body, RecipientKey::of(signingIdentity(context, board).certificate())) + body.tail();
  }
  stage.start();
  const auto encrypted = [&](const std::string& list, const std::string& from, const std::string& content) {
    auto submission = submissionTo({list}, from, "...", "");
    auto& text = submission.content;
    text = text.substr(0, text.find("MIME-Version")) + content;
    return submission;
  };
  stage.gateway.accept(encrypted("board@lists.example", "ann@example.org", captured));
  BOOST_TEST(stage.lastPost().at("delivered") == 2);
  const auto copies = stage.copiesOf(app::Copy::Kind::Content);
  BOOST_REQUIRE_EQUAL(copies.size(), 2u);
  const auto bobs = copies[0].copy.recipient == "bob@example.org" ? copies[0] : copies[1];
  const auto read =
      decrypt(bobs.message, testKey("P-256"), memberCertificate("bob@example.org", stage.clock.now()).der());
  BOOST_TEST(read.find(Canary) != std::string::npos);
  BOOST_TEST(read.find("Signature: good, S/MIME, certificate of ann@example.org") != std::string::npos);
  BOOST_TEST(read.find("Encrypted to the list: yes") != std::string::npos);
  BOOST_TEST(stage.order("trace", {{"id", stage.lastPost().at("id")}}).at("post").at("senderCheck").at("standing") ==
             "good");

  // The same ciphertext under another member's name, and changed: one answer for both, and nobody gets anything.
  auto changed = captured;
  changed[changed.size() - 100] = changed[changed.size() - 100] == 'A' ? 'B' : 'A';
  stage.gateway.accept(encrypted("board@lists.example", "bob@example.org", captured));
  stage.gateway.accept(encrypted("board@lists.example", "cid@example.org", changed));
  BOOST_REQUIRE(eventually([&] {
    const auto reports = stage.copiesOf(app::Copy::Kind::Report);
    return std::count_if(reports.begin(), reports.end(), [](const auto& report) {
             return report.message.find("under the encryption") != std::string::npos;
           }) == 2;
  }));
  BOOST_TEST(stage.copiesOf(app::Copy::Kind::Content).size() == 2u);
  BOOST_TEST(filesWith(stage.folder.path(), Canary).empty());
}

BOOST_AUTO_TEST_CASE(an_open_post_reaches_every_member_as_it_is) {
  Stage stage;
  stage.start();
  stage.gateway.accept(submissionTo({"social@lists.example"}, "cid@example.org", "Picnic", "Bring cake."));
  BOOST_TEST(stage.lastPost().at("delivered") == 3);
  const auto copies = stage.copiesOf(app::Copy::Kind::Content);
  BOOST_REQUIRE_EQUAL(copies.size(), 3u);
  for (const auto& [copy, message] : copies) {
    BOOST_TEST((copy.protection == app::Protection::None));
    BOOST_TEST(message.find("Bring cake.") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_post_that_asks_for_protection_never_passes_an_open_list) {
  Stage stage;
  stage.start();
  auto submission = submissionTo({"social@lists.example"}, "cid@example.org", "Secure: x", Canary);
  submission.notes.emplace_back("tagged", "yes");
  stage.gateway.accept(submission);
  const auto post = stage.lastPost();
  BOOST_TEST(post.at("state") == "rejected");
  BOOST_TEST(post.at("reason") == "secure-tag");
  BOOST_REQUIRE(eventually([&] { return stage.gateway.delivered().size() == 1; }));
  BOOST_TEST(stage.copiesOf(app::Copy::Kind::Report).size() == 1u);
  BOOST_TEST(stage.gateway.delivered().front().message.find(Canary) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_transaction_for_two_lists_makes_two_posts) {
  Stage stage;
  stage.start();
  stage.gateway.accept(
      submissionTo({"board@lists.example", "social@lists.example"}, "ann@example.org", "both", "Hello"));
  BOOST_REQUIRE(eventually([&] { return stage.copiesOf(app::Copy::Kind::Content).size() == 5; }));
  BOOST_TEST(stage.order("post.list").at("items").size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_stranger_gets_a_report_and_nobody_a_copy) {
  Stage stage;
  stage.start();
  stage.gateway.accept(submissionTo({"board@lists.example"}, "eve@evil.example", "x", Canary));
  BOOST_TEST(stage.lastPost().at("reason") == "not-a-member");
  BOOST_REQUIRE(eventually([&] { return stage.gateway.delivered().size() == 1; }));
  const auto report = stage.gateway.delivered().front();
  BOOST_TEST(report.copy.recipient == "eve@evil.example");
  BOOST_TEST(report.message.find(Canary) == std::string::npos);
  // A second one on the same day is not answered again: the sender's address is not proven.
  stage.gateway.accept(submissionTo({"board@lists.example"}, "eve@evil.example", "x", Canary));
  BOOST_REQUIRE(eventually([&] { return stage.order("post.list").at("items").size() == 2; }));
  BOOST_TEST(eventually([&] { return stage.gateway.unfinished() == 0; }));
  BOOST_TEST(stage.gateway.delivered().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_notice_goes_once_a_day_however_many_posts_there_are) {
  Stage stage;
  stage.start();
  for (int i = 0; i < 3; ++i) stage.gateway.accept(submissionTo({"board@lists.example"}, "ann@example.org", "x", "y"));
  BOOST_REQUIRE(eventually([&] { return stage.copiesOf(app::Copy::Kind::Content).size() == 6; }));
  BOOST_TEST(eventually([&] { return stage.copiesOf(app::Copy::Kind::Report).size() == 3; }));
  BOOST_TEST(stage.copiesOf(app::Copy::Kind::Notice).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_message_that_cannot_be_opened_waits_and_the_others_go_on) {
  Stage stage;
  stage.start();
  stage.gateway.acceptBroken("these bytes are no sealed box");
  stage.gateway.accept(submissionTo({"social@lists.example"}, "ann@example.org", "x", "y"));
  BOOST_TEST(stage.lastPost().at("delivered") == 3);
  BOOST_TEST(stage.gateway.unfinished() == 1u);
  const auto problems = stage.order("status").at("problems").dump();
  BOOST_TEST(problems.find("accepted message 1") != std::string::npos, problems);
}

BOOST_AUTO_TEST_CASE(a_member_whose_key_fails_at_wrapping_is_withheld_and_the_rest_go) {
  Stage stage;
  {
    // A stored key whose numbers are no key: damage on disk, since import would refuse it.
    SiteContext context(stage.config, stage.clock);
    const auto board = context.site.read([](SiteTables& tables) { return tables.lists.find("board@lists.example"); });
    auto key = addKey(context, memberCertificate("dora@example.org", stage.clock.now()));
    auto broken = crypto::RecipientKey::decode(key.recipientKey);
    broken.point.assign(broken.point.size(), '\x04');
    key.recipientKey = broken.encode();
    context.site.write([&](SiteTables& tables) { tables.keys.replaceVerdict(key); });
    addMember(context, *board, "dora@example.org");
  }
  stage.start();
  stage.gateway.accept(submissionTo({"board@lists.example"}, "ann@example.org", "x", "y"));
  const auto post = stage.lastPost();
  BOOST_TEST(post.at("delivered") == 2);
  BOOST_TEST(post.at("withheld") == 2);
  BOOST_TEST(stage.copiesOf(app::Copy::Kind::Notice).size() == 2u);
  const auto trace = stage.order("trace", {{"id", post.at("id")}});
  for (const auto& row : trace.at("recipients"))
    if (row.at("address") == "dora@example.org") BOOST_TEST(row.at("reason") == "sealing-failed");
}

BOOST_AUTO_TEST_CASE(failed_copies_make_one_report_with_counts_and_no_names) {
  Stage stage;
  stage.gateway.outcome = [](const app::Copy& copy) {
    return copy.recipient == "bob@example.org" ? Outcome::Failed : Outcome::Delivered;
  };
  stage.start();
  stage.gateway.accept(submissionTo({"social@lists.example"}, "ann@example.org", "x", "y"));
  const auto post = stage.lastPost();
  BOOST_TEST(post.at("failed") == 1);
  BOOST_REQUIRE(eventually([&] { return stage.copiesOf(app::Copy::Kind::Report).size() == 1; }));
  const auto report = stage.copiesOf(app::Copy::Kind::Report).front();
  BOOST_TEST(report.copy.mailFrom.empty());
  BOOST_TEST(report.message.find("bob@example.org") == std::string::npos);
  BOOST_TEST(report.message.find("social@lists.example") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_bounce_with_a_true_tag_is_noted_and_one_with_a_false_tag_is_not) {
  Stage stage;
  stage.start();
  stage.gateway.accept(submissionTo({"social@lists.example"}, "ann@example.org", "x", "y"));
  const auto post = stage.lastPost();
  std::string tagged;
  for (const auto& item : stage.copiesOf(app::Copy::Kind::Content))
    if (item.copy.recipient == "bob@example.org") tagged = item.copy.mailFrom;
  const auto before = stage.gateway.delivered().size();
  const auto bounceTo = [&](const std::string& recipient) {
    auto bounce = submissionTo({recipient}, "mailer-daemon@example.org", "Undelivered", "x");
    bounce.mailFrom.clear();
    bounce.content =
        "From: MAILER-DAEMON@example.org\r\nTo: " + recipient +
        "\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
        "report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nno\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: "
        "rfc822; bob@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n";
    stage.gateway.accept(bounce);
  };
  auto forged = tagged;
  forged[forged.find('+') + 1] = forged[forged.find('+') + 1] == 'a' ? 'b' : 'a';
  bounceTo(forged);
  BOOST_REQUIRE(eventually([&] { return stage.gateway.unfinished() == 0; }));
  BOOST_TEST(stage.order("post.list").at("items").front().at("failed") == 0);
  bounceTo(tagged);
  bounceTo(tagged);
  BOOST_REQUIRE(eventually([&] { return stage.gateway.unfinished() == 0; }));
  const auto after = stage.order("post.list").at("items").front();
  BOOST_TEST(after.at("failed") == 1);
  BOOST_TEST(after.at("delivered") == 2);
  BOOST_TEST(stage.gateway.delivered().size() == before);
}

BOOST_AUTO_TEST_CASE(a_revoked_key_is_not_used_for_a_post_that_was_planned_before) {
  Stage stage;
  {
    SiteContext context(stage.config, stage.clock);
    const auto board = context.site.read([](SiteTables& tables) { return *tables.lists.find("board@lists.example"); });
    const auto submission = submissionTo({board.address}, "ann@example.org", "x", "y");
    Post post;
    post.acceptedId = 1;
    post.queueId = submission.queueId;
    post.outMessageId = "<1@lists.example>";
    post.mailFrom = "ann@example.org";
    post.vaultObject = 7;
    post.client = "{}";
    post.sensitivity = "high";
    context.vault.put(7, board.id, submission.content);
    context.site.write([&](SiteTables& tables) {
      writePlan(tables, post, board, {PostingRuling::Verdict::Accept, "", std::nullopt, false}, context.clock.now());
      tables.keys.setState(tables.keys.factsOf("bob@example.org").front().fingerprint, KeyState::Revoked);
    });
  }
  stage.start();
  const auto post = stage.lastPost();
  BOOST_TEST(post.at("delivered") == 1);
  BOOST_TEST(post.at("withheld") == 2);
}

BOOST_AUTO_TEST_CASE(the_gateway_gets_no_roster_and_a_closed_list_is_not_routed) {
  Stage stage;
  stage.start();
  BOOST_TEST(stage.gateway.queueKey().size() == 32u);
  BOOST_TEST(stage.gateway.routing().encode().find("example.org") == std::string::npos);
  stage.order("list.close", {{"address", "social@lists.example"}});
  // In force before the order was answered.
  bool routed = false;
  for (const auto& address : stage.gateway.routing().addresses)
    routed = routed || (address.address == "social@lists.example");
  BOOST_TEST(!routed);
}

BOOST_AUTO_TEST_CASE(an_order_stands_while_the_gateway_is_away_and_the_view_is_sent_when_it_is_back) {
  Stage stage;
  stage.start();
  stage.server.reset();
  BOOST_TEST(stage.order("domain.add", {{"name", "other.example"}}).at("name") == "other.example");
  BOOST_TEST(stage.order("status").at("gateway").at("connected") == false);
  stage.server = std::make_unique<app::GatewayLinkServer>(stage.config.gatewaySocket().string(), stage.gateway);
  BOOST_TEST(eventually([&] { return stage.gateway.routing().listDomains.size() == 2; }));
}

BOOST_AUTO_TEST_CASE(a_gateway_that_comes_back_is_found_however_often_status_is_asked_meanwhile) {
  Stage stage;
  stage.start();
  // Asked on and on from before the loss: a question on the broken link must not keep the link from being made anew.
  std::atomic<bool> stop{false};
  std::thread asker([&] {
    while (!stop) stage.order("status");
  });
  stage.server.reset();
  stage.server = std::make_unique<app::GatewayLinkServer>(stage.config.gatewaySocket().string(), stage.gateway);
  BOOST_TEST(eventually([&] { return stage.order("status").at("gateway").at("connected") == true; }));
  stop = true;
  asker.join();
}

BOOST_AUTO_TEST_CASE(a_view_that_the_gateway_could_not_store_is_sent_again) {
  Stage stage;
  stage.start();
  std::atomic<int> failures = 1;
  stage.gateway.onStep = [&](const std::string& step) {
    if (step == "route" && failures-- > 0) throw Error(ErrorKind::DiskFull, "no room");
  };
  try {
    stage.order("list.close", {{"address", "social@lists.example"}});
  } catch (const app::OrderRefused&) {  // it says that something is broken, yet the list is closed
  }
  BOOST_TEST(stage.order("list.show", {{"address", "social@lists.example"}}).at("state") == "closed");
  BOOST_TEST(eventually([&] {
    const auto routing = stage.gateway.routing();
    return std::none_of(routing.addresses.begin(), routing.addresses.end(),
                        [](const auto& one) { return one.address == "social@lists.example"; });
  }));
}

BOOST_AUTO_TEST_CASE(refusals_at_the_door_are_counted_by_reason) {
  Stage stage;
  stage.start();
  stage.gateway.addRefusal("secure-tag");
  BOOST_REQUIRE(eventually([&] { return stage.order("status").at("today").at("refused") == 1; }));
  const auto flow = stage.order("flow", {{"minutes", 5}});
  BOOST_TEST(flow.at("items").size() == 5u);
  BOOST_TEST(flow.at("refusals").front().at("reason") == "secure-tag");
}

BOOST_AUTO_TEST_SUITE_END()
