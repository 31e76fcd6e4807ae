// The nightly look at keys, with a real authority, list and responder of the openssl command: what its issuer revoked
// is not used, and who said nothing is treated as the site wants it.
#include "listd/Housekeeping.h"
#include "listd/keys/KeyHealth.h"
#include "listd/keys/KeyLinks.h"
#include "listd/keys/KeyWork.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

const std::string Ann = "ann@example.org";
const std::string ListUrl = "http://ca.example/list.crl";
const std::string ResponderUrl = "http://ocsp.example/";

void run(const std::string& command) {
  BOOST_REQUIRE_MESSAGE(std::system((command + " >/dev/null 2>&1").c_str()) == 0, command);
}

// An authority as the openssl command runs it, with its index of issued certificates.
struct Authority {
  TempFolder folder;
  std::string at = folder.path().string();
  int days = 2;  // that what it says holds, by the real clock

  Authority() {
    files::replaceDurably(
        folder.path() / "ca.cnf",
        "[ca]\ndefault_ca=d\n[d]\ndir=" + at +
            "\ndatabase=$dir/index.txt\nnew_certs_dir=$dir\nserial=$dir/serial\ncrlnumber=$dir/number\n"
            "certificate=$dir/ca.pem\nprivate_key=$dir/ca.key\ndefault_md=sha256\ndefault_days=100\n"
            "default_crl_days=2\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n");
    files::replaceDurably(folder.path() / "index.txt", "");
    files::replaceDurably(folder.path() / "serial", "1000\n");
    files::replaceDurably(folder.path() / "number", "1000\n");
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + at + "/ca.key -out " + at +
        "/ca.pem -days 300 -subj /CN=Example-CA -addext keyUsage=critical,keyCertSign,cRLSign");
  }
  // `sources`: "crl", "ocsp" or nothing.
  std::string issue(const std::string& address, const std::string& sources) const {
    const std::string place = sources == "crl"    ? " -addext crlDistributionPoints=URI:" + ListUrl
                              : sources == "ocsp" ? " -addext authorityInfoAccess=OCSP\\;URI:" + ResponderUrl
                                                  : "";
    run("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + at + "/m.key -out " + at +
        "/m.csr -subj /CN=" + address + " -addext subjectAltName=email:" + address + place);
    run("openssl ca -batch -config " + at + "/ca.cnf -in " + at + "/m.csr -out " + at + "/" + address + ".pem -notext");
    return files::read(folder.path() / (address + ".pem"));
  }
  void revoke(const std::string& address) const {
    run("openssl ca -config " + at + "/ca.cnf -revoke " + at + "/" + address + ".pem");
  }
  std::string list() const {
    run("openssl ca -config " + at + "/ca.cnf -gencrl -crldays " + std::to_string(days) + " -out " + at + "/list.pem");
    return files::read(folder.path() / "list.pem");
  }
  std::string answer(const std::string& question) const {
    files::replaceDurably(folder.path() / "question", question);
    run("openssl ocsp -index " + at + "/index.txt -CA " + at + "/ca.pem -rsigner " + at + "/ca.pem -rkey " + at +
        "/ca.key -reqin " + at + "/question -respout " + at + "/answer -ndays " + std::to_string(days));
    return files::read(folder.path() / "answer");
  }
};

struct NoJob : JobContext {
  Job row;
  json kept;
  std::uint64_t told = 0;
  const Job& job() const override { return row; }
  void progress(std::uint64_t done, std::uint64_t, std::string_view) override { told = done; }
  json checkpoint() const override { return kept; }
  void saveCheckpoint(const json& checkpoint) override { kept = checkpoint; }
  bool stopRequested() const override { return false; }
};

struct Scene {
  Authority authority;
  TempFolder folder;
  config::SiteConfig config;
  FakeClock clock{realNow()};
  std::optional<SiteContext> context;
  std::map<std::string, int> asked;
  bool away = false;
  std::string forged;  // given in place of the list

  explicit Scene(const std::string& mode = "soft") : config(siteConfig(folder.path())) {
    config.certificateAuthorities = authority.at + "/ca.pem";
    config.revocation = mode;
    context.emplace(config, clock);
    context->site.write(
        [&](SiteTables& tables) { tables.counters.set(CounterStore::RevocationStrict, mode == "strict" ? 1 : 0); });
    addMember(*context, makeList(*context, "board@lists.example", true), Ann);
  }
  std::string add(const std::string& sources) {
    const auto certificate = authority.issue(Ann, sources);
    clock.advance(std::chrono::minutes(1));  // the authority goes by the real time
    const auto key = importKey(certificate, Ann, clock.now(), context->trustStore().get());
    BOOST_REQUIRE_MESSAGE(key.has_value(), (key ? std::string() : key.error().message));
    context->site.write([&](SiteTables& tables) {
      tables.keys.add(*key);
      refreshStanding(tables, Ann, clock.now());
    });
    return key->facts.fingerprint;
  }
  json look() {
    NoJob job;
    job.row.args = {{"list", ""}};
    return checkAllKeys(job, *context, [this](const app::DocumentRequest& request) -> app::FetchedDocument {
      ++asked[request.url];
      if (away) return {{}, "nobody is there"};
      if (request.url == ListUrl) return {forged.empty() ? authority.list() : forged, {}};
      if (request.url == ResponderUrl) return {authority.answer(request.question), {}};
      return {{}, "unknown place"};
    });
  }
  std::string reason() {
    return context->site.read([&](SiteTables& tables) {
      return std::string(reasonWord(decideFor(tables, onlySmime(), Ann, std::nullopt, clock.now()).reason));
    });
  }
  std::string said(const std::string& fingerprint) {
    return context->site.read([&](SiteTables& tables) {
      const auto note = tables.keyRing.revocation(fingerprint);
      return note ? note->state : std::string();
    });
  }
  std::vector<SiteMailRow> mails() {
    return context->site.read([](SiteTables& tables) { return tables.siteMail.newest(100); });
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_certificate_on_a_revocation_list_is_not_used_any_more) {
  Scene a;
  const auto fingerprint = a.add("crl");
  a.look();
  BOOST_TEST(a.said(fingerprint) == "good");
  BOOST_TEST(a.reason() == "valid-certificate");
  a.look();
  BOOST_TEST(a.asked[ListUrl] == 1);  // the answer holds until the list ends
  a.authority.revoke(Ann);
  a.authority.days = 4;
  a.clock.advance(std::chrono::hours(49));
  const auto result = a.look();
  BOOST_TEST(result.at("revoked") == 1);
  BOOST_TEST(a.reason() == "revoked");
  // Neither silence nor another import brings it back.
  a.away = true;
  a.clock.advance(std::chrono::hours(49));
  a.look();
  BOOST_TEST(a.reason() == "revoked");
  a.context->site.write([&](SiteTables& tables) {
    auto key = tables.keys.find(Ann, fingerprint).value();
    key.facts.verdict = Reason::ValidCertificate;
    tables.keys.replaceVerdict(key);
  });
  BOOST_TEST(a.reason() == "revoked");
}

BOOST_AUTO_TEST_CASE(a_responder_is_believed_that_the_issuer_vouches_for) {
  Scene a;
  const auto fingerprint = a.add("ocsp");
  a.look();
  BOOST_TEST(a.said(fingerprint) == "good");
  a.authority.revoke(Ann);
  a.authority.days = 4;
  a.clock.advance(std::chrono::hours(49));
  a.look();
  BOOST_TEST(a.said(fingerprint) == "revoked");
  BOOST_TEST(a.reason() == "revoked");
}

BOOST_AUTO_TEST_CASE(without_an_answer_mail_goes_on_or_not_as_the_site_says) {
  for (const std::string mode : {"soft", "strict"}) {
    Scene a(mode);
    const auto fingerprint = a.add("crl");
    BOOST_TEST(a.reason() == (mode == "soft" ? "valid-certificate" : "revocation-unknown"));
    a.away = true;
    BOOST_TEST(a.look().at("unknown") == 1);
    BOOST_TEST(a.said(fingerprint) == "unknown");
    BOOST_TEST(a.reason() == (mode == "soft" ? "valid-certificate" : "revocation-unknown"));
    a.away = false;
    a.look();
    BOOST_TEST(a.reason() == "valid-certificate");
  }
}

BOOST_AUTO_TEST_CASE(lists_of_others_and_damaged_or_huge_ones_say_nothing) {
  Scene a;
  const auto fingerprint = a.add("crl");
  const Authority stranger;  // the same name, another key
  for (const auto& forged : {stranger.list(), std::string("nonsense"), std::string(9u << 20, 'x')}) {
    a.forged = forged;
    a.look();
    BOOST_TEST(a.said(fingerprint) == "unknown");
    BOOST_TEST(a.context->site.read([](SiteTables& tables) { return !tables.keyRing.revocationList(ListUrl); }));
  }
}

BOOST_AUTO_TEST_CASE(a_list_with_too_many_entries_or_for_another_place_is_refused) {
  const Authority authority;
  const auto ca = crypto::Certificate::parse(files::read(authority.folder.path() / "ca.pem")).value();
  const auto good = authority.list();
  BOOST_TEST(crypto::RevocationList::parse(good, ca, ListUrl, realNow()).has_value());
  BOOST_TEST(!crypto::RevocationList::parse(good, ca, ListUrl, realNow() + std::chrono::days(3)).has_value());
  std::string index;
  for (int i = 0; i <= crypto::RevocationList::MaxEntries; ++i) {
    char serial[16];
    std::snprintf(serial, sizeof serial, "%06X", 0x100000 + i);
    index += std::string("R\t300101000000Z\t260101000000Z\t") + serial + "\tunknown\t/CN=x\n";
  }
  files::replaceDurably(authority.folder.path() / "index.txt", index);
  const auto huge = crypto::RevocationList::parse(authority.list(), ca, ListUrl, realNow());
  BOOST_REQUIRE(!huge.has_value());
  BOOST_TEST(huge.error().find("too") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_answer_about_another_certificate_or_by_another_issuer_says_nothing) {
  const Authority authority, stranger;
  const auto parse = [](const std::string& pem) { return crypto::Certificate::parse(pem).value(); };
  const auto ca = parse(files::read(authority.folder.path() / "ca.pem"));
  const auto one = parse(authority.issue(Ann, "ocsp")), other = parse(authority.issue("bob@example.org", "ocsp"));
  const crypto::OcspQuestion question(one, ca);
  using State = crypto::RevocationState;
  BOOST_TEST((question.read(authority.answer(question.der()), realNow()).state == State::Good));
  const crypto::OcspQuestion second(other, ca);
  BOOST_TEST((question.read(authority.answer(second.der()), realNow()).state == State::Unknown));
  BOOST_TEST((question.read(stranger.answer(question.der()), realNow()).state == State::Unknown));
  BOOST_TEST(
      (question.read(authority.answer(question.der()), realNow() + std::chrono::days(3)).state == State::Unknown));
  BOOST_TEST((question.read(std::string(70'000, 'x'), realNow()).state == State::Unknown));
}

BOOST_AUTO_TEST_CASE(members_are_reminded_30_14_and_3_days_ahead_once_each) {
  Scene a;
  a.add("");  // ends in 100 days
  a.clock.advance(std::chrono::minutes(10));
  std::size_t sent = 0;
  for (int day = 0; day < 100; ++day) {
    a.look();
    a.look();
    const auto now = a.mails().size();
    if (now != sent) BOOST_TEST((day == 70 || day == 86 || day == 97), "a reminder on day " << day);
    sent = now;
    a.clock.advance(std::chrono::hours(24));
  }
  BOOST_TEST(sent == 3u);
  for (const auto& row : a.mails()) {
    BOOST_TEST((row.mail.kind == SiteMail::Kind::KeyEnding));
    BOOST_TEST(row.mail.recipient == Ann);
    BOOST_TEST(composeSiteMail(row.mail, "mail.lists.example", "<a@b.example>", realNow()).find("board") ==
               std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(who_has_a_newer_key_is_not_reminded) {
  Scene a;
  a.add("");
  a.clock.advance(std::chrono::days(60));
  const auto until = a.clock.now() + std::chrono::days(200);
  auto newer = memberCertificate(Ann, a.clock.now());
  newer.notAfter = until;
  auto key = importKey(newer.der(), Ann, a.clock.now(), nullptr).value();
  a.context->site.write([&](SiteTables& tables) { tables.keys.add(key); });
  a.clock.advance(std::chrono::days(12));
  BOOST_TEST(remindOfEnds(*a.context) == 0u);
}

BOOST_AUTO_TEST_CASE(a_certificate_for_the_same_key_renews_at_once_and_one_for_another_key_waits) {
  Desk a;
  addMember(a.context, makeList(a.context, "board@lists.example", true), Ann);
  const auto take = [&](const TestCertificate& certificate) {
    const auto key = importKey(certificate.der(), Ann, a.clock.now(), nullptr).value();
    return a.context.site.write(
        [&](SiteTables& tables) { return takeProven(tables, key, KeyProof::Mailbox, a.clock.now()); });
  };
  auto certificate = memberCertificate(Ann, TestNow, testKey("P-256", 1));
  BOOST_TEST((take(certificate) == KeyTaken::Confirmed));
  certificate.notAfter += std::chrono::days(300);
  BOOST_TEST((take(certificate) == KeyTaken::Confirmed));
  certificate.key = testKey("P-256", 2);
  BOOST_TEST((take(certificate) == KeyTaken::WaitsForOwner));
  // A revoked key does not vouch for itself.
  a.context.site.write([&](SiteTables& tables) {
    for (const auto& facts : tables.keys.factsOf(Ann))
      if (facts.state == KeyState::Confirmed) tables.keys.setState(facts.fingerprint, KeyState::Revoked);
  });
  certificate.key = testKey("P-256", 1);
  certificate.notAfter += std::chrono::days(1);
  BOOST_TEST((take(certificate) == KeyTaken::WaitsForOwner));
}

BOOST_AUTO_TEST_CASE(a_look_never_undoes_what_a_person_decided_meanwhile) {
  Scene a;
  const auto fingerprint = a.add("");
  a.context->site.write([&](SiteTables& tables) {
    auto key = tables.keys.find(Ann, fingerprint).value();
    tables.keys.setState(fingerprint, KeyState::Revoked);
    BOOST_TEST(tables.keys.rejudge(key));
    BOOST_TEST((tables.keys.find(Ann, fingerprint)->facts.state == KeyState::Revoked));
    key.certificate += "x";
    BOOST_TEST(!tables.keys.rejudge(key));
  });
}

BOOST_AUTO_TEST_CASE(housekeeping_sweeps_links_that_ended) {
  Scene a;
  a.context->site.write([&](SiteTables& tables) { BOOST_TEST(mailKeyLink(*a.context, tables, Ann, {})); });
  const auto there = [&] {
    return a.context->site.read(
        [&](SiteTables& tables) { return tables.keyRing.linksSince(Ann, a.clock.now() - std::chrono::days(30)); });
  };
  Housekeeping keeper(*a.context);
  BOOST_TEST(there() == 1u);
  a.clock.advance(std::chrono::hours(72));
  keeper.runOnce();
  BOOST_TEST(there() == 1u);  // the mails of a day are still counted
  a.clock.advance(std::chrono::hours(25));
  keeper.runOnce();
  BOOST_TEST(there() == 0u);
}

namespace {

// Two secure lists, of which Otto owns one.
struct Owned : Desk {
  const List board = makeList(context, "board@lists.example", true);
  const List other = makeList(context, "other@lists.example", true);
  const app::Actor otto{"web", "otto", {}, "s1"};

  Owned() {
    context.site.write([&](SiteTables& tables) {
      Account account;
      account.name = "otto";
      account.mail = "otto@example.net";
      account.roles = app::Role::Owner;
      account.passwordHash = "x";
      account.userHandle = "otto";
      account.createdAt = clock.now();
      tables.accounts.add(account);
      tables.accounts.setLists("otto", {board.id});
    });
    addMember(context, board, Ann);
  }
  std::string propose(const std::string& member) {
    auto key = importKey(memberCertificate(member, clock.now(), testKey("P-256", ++number)).der(), member, clock.now(),
                         nullptr)
                   .value();
    key.facts.state = KeyState::Proposed;
    context.site.write([&](SiteTables& tables) { tables.keys.add(key); });
    return key.facts.fingerprint;
  }
  json decision(const std::string& fingerprint, const std::string& list = "board@lists.example") {
    return {{"fingerprint", fingerprint}, {"address", Ann}, {"list", list}};
  }
  int number = 10;
};

}  // namespace

BOOST_AUTO_TEST_CASE(owners_see_and_decide_about_their_lists_alone) {
  Owned a;
  addMember(a.context, a.other, "bob@example.org");
  const auto key = a.propose(Ann);
  const auto foreign = a.propose("bob@example.org");
  const auto work = a.giveAs(a.otto, "key.work");
  BOOST_TEST(work.at("proposals").size() == 1u);
  BOOST_TEST(work.at("proposals")[0].at("decidable") == true);
  BOOST_TEST(work.dump().find("bob@") == std::string::npos);
  BOOST_TEST(work.at("counts").at("withheld") == 1);
  BOOST_TEST(a.give("key.work").at("proposals").size() == 2u);
  auto others = a.decision(foreign);
  others["address"] = "bob@example.org";
  BOOST_TEST(a.refusalAs(a.otto, "key.confirm", others).starts_with("not-found"));
  BOOST_TEST(a.refusalAs(a.otto, "key.confirm", a.decision(key, "other@lists.example")).starts_with("denied"));
  BOOST_TEST(a.refusalAs(a.otto, "key.confirm", {{"fingerprint", key}}).starts_with("denied"));
  // The key would be used on the other list, too.
  addMember(a.context, a.other, Ann);
  BOOST_TEST(a.giveAs(a.otto, "key.work").at("proposals")[0].at("decidable") == false);
  BOOST_TEST(a.refusalAs(a.otto, "key.confirm", a.decision(key)).starts_with("denied"));
  BOOST_TEST(a.refusalAs(a.otto, "key.refuse", a.decision(key)).starts_with("denied"));
  a.context.site.write([&](SiteTables& tables) { tables.members.remove(a.other.id, Ann); });
  a.giveAs(a.otto, "key.confirm", a.decision(key));
  BOOST_TEST(a.giveAs(a.otto, "key.work").at("counts").at("withheld") == 0);
}

BOOST_AUTO_TEST_CASE(owners_are_told_once_a_week_when_something_needs_a_hand) {
  Owned a;
  a.propose(Ann);
  BOOST_TEST(remindOwners(a.context) == 1u);
  BOOST_TEST(remindOwners(a.context) == 0u);
  a.clock.advance(std::chrono::days(7));
  BOOST_TEST(remindOwners(a.context) == 1u);
  const auto mail = a.context.site.read([](SiteTables& tables) { return tables.siteMail.newest(1).front().mail; });
  BOOST_TEST(mail.recipient == "otto@example.net");
  BOOST_TEST(mail.lines == (std::vector<std::string>{"1", "1", "0"}));
}
