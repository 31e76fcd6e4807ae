#include "core/audit/Export.h"
#include "core/audit/Verify.h"
#include "core/crypto/Encoding.h"
#include "listd/audit/AuditKeeper.h"
#include "listd/audit/Checkpoints.h"
#include "listd/audit/Sentence.h"
#include "tests/unit/listd/ListdFixture.h"

#include <sqlite3.h>
#include <sys/wait.h>

#include <fstream>

using namespace postern;
using namespace postern::test;
using audit::Field;
using audit::Finding;

namespace {

audit::Event eventNo(int number) {
  audit::Event event;
  event.actorKind = "user";
  event.actor = "ann@example.org";
  event.action = "member.add";
  event.objectType = "member";
  event.objectId = std::to_string(number + 1);
  event.number("row", static_cast<std::uint64_t>(number)).person("address", "bob@example.org");
  return event;
}

audit::Event named(const char* action) {
  audit::Event event;
  event.actor = "carol";
  event.action = action;
  return event;
}

// A site with a log whose checkpoints were kept elsewhere.
struct Site {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  // Real time: the other verifier has no clock to set.
  FakeClock clock{realNow()};
  SiteContext context{config, clock};
  std::filesystem::path anchors = folder / "elsewhere";
  std::filesystem::path publicKey = folder / "key.pub";

  Site() {
    std::filesystem::create_directories(anchors);
    keepKey();
  }
  void keepKey() { files::replaceDurably(publicKey, auditKey(context).verifier().text() + "\n"); }
  void add(int count) {
    context.site.write([&](SiteTables& tables) {
      for (int i = 0; i < count; ++i) tables.audit.append(eventNo(i));
    });
  }
  void anchor() {
    const auto made = makeCheckpoint(context, CheckpointIf::Always);
    files::replaceDurably(anchors / (std::to_string(made->size) + ".checkpoint"), made->note);
  }
  std::filesystem::path copy() {
    const auto file = folder / ("copy" + std::to_string(++copies_) + ".db");
    store::Database::openReader(context.site.file()).backupTo(file);
    return file;
  }

private:
  int copies_ = 0;
};

// What somebody with the file and without scruples can do.
class Vandal {
public:
  explicit Vandal(const std::filesystem::path& file) {
    BOOST_REQUIRE(sqlite3_open(file.c_str(), &handle_) == SQLITE_OK);
    for (const auto* table : {"entries", "checkpoints", "anchors"})
      for (const auto* what : {"change", "go"}) run("DROP TRIGGER audit_" + std::string(table) + "_never_" + what);
  }
  ~Vandal() { sqlite3_close(handle_); }
  Vandal(const Vandal&) = delete;
  Vandal& operator=(const Vandal&) = delete;

  Vandal& run(const std::string& sql) {
    char* error = nullptr;
    BOOST_REQUIRE_MESSAGE(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, &error) == SQLITE_OK,
                          sql + ": " + (error != nullptr ? error : ""));
    return *this;
  }

private:
  sqlite3* handle_ = nullptr;
};

// Makes every hash from an entry on right again, as an administrator with the program could.
void rechain(const std::filesystem::path& file, std::uint64_t from, const std::string& newReason) {
  auto database = store::Database::openWriter(file);
  std::vector<std::pair<std::uint64_t, std::string>> rows;
  std::string before;
  {
    auto select = database.prepare("SELECT seq, entry, leaf FROM audit_entries ORDER BY seq");
    select.bind();
    while (select.step()) {
      if (select.unsignedInteger(0) < from)
        before = select.blob(2);
      else
        rows.emplace_back(select.unsignedInteger(0), select.blob(1));
    }
  }
  store::Transaction transaction(database);
  for (const auto& [seq, bytes] : rows) {
    auto entry = audit::parseEntry(bytes).value();
    const auto previous = crypto::hex(before);
    entry[Field::PrevHash] = previous;
    if (seq == from) entry[Field::ReasonText] = newReason;
    const auto fresh = audit::canonicalBytes(entry);
    before = audit::leafHash(fresh);
    database.prepare("UPDATE audit_entries SET entry = ?, leaf = ? WHERE seq = ?")
        .bind(store::Blob{fresh}, store::Blob{before}, seq)
        .run();
  }
  transaction.commit();
}

int ownVerdict(const Site& site, const std::filesystem::path& file) {
  auto database = store::Database::openReader(file);
  audit::VerifyOptions options;
  options.keys = audit::parseKeys(files::read(site.publicKey)).value();
  options.anchors = audit::readAnchors(site.anchors);
  options.now = site.clock.now();
  const auto verdict = audit::verifyLog(audit::LogFile(database), options);
  BOOST_TEST_MESSAGE(verdict.text);
  return static_cast<int>(verdict.finding);
}

// tools/audit-verify on an export of the file.
int otherVerdict(const Site& site, const std::filesystem::path& file, const std::string& more = {},
                 std::uint64_t from = 0, std::uint64_t to = UINT64_MAX) {
  const auto exported = file.string() + ".jsonl";
  {
    auto database = store::Database::openReader(file);
    std::ofstream out(exported, std::ios::binary);
    audit::exportLog(audit::LogFile(database), from, to, [&](std::string_view line) { out << line; });
  }
  const auto command = "python3 " POSTERN_SOURCE_DIR "/tools/audit-verify '" + exported + "' --pub '" +
                       site.publicKey.string() + "' --anchors '" + site.anchors.string() + "' " + more + " >/dev/null";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void bothSay(const Site& site, const std::filesystem::path& file, Finding finding) {
  BOOST_TEST(ownVerdict(site, file) == static_cast<int>(finding));
  BOOST_TEST(otherVerdict(site, file) == static_cast<int>(finding));
}

// 700 entries: more than two blocks of stored nodes, with anchors at 300 and 700.
struct Anchored : Site {
  Anchored() {
    add(300);
    anchor();
    add(400);
    anchor();
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_audit_AuditLog)

BOOST_AUTO_TEST_CASE(an_untouched_log_is_intact_for_both_verifiers) {
  Anchored site;
  bothSay(site, site.copy(), Finding::Intact);
}

BOOST_AUTO_TEST_CASE(a_series_of_entries_is_a_log_like_any_other_for_both_verifiers) {
  Site site;
  site.add(3);
  site.context.site.write([](SiteTables& tables) {
    AuditLog::Series series(tables.audit);
    for (int i = 0; i < 600; ++i) BOOST_TEST(tables.audit.append(eventNo(i)) == static_cast<std::uint64_t>(3 + i));
    tables.audit.setPolicyVersion("2");
    tables.audit.append(eventNo(600));
    BOOST_TEST(tables.audit.size() == 604u);
    series.finish();
    BOOST_CHECK_THROW(AuditLog::Series(tables.audit), Error);
  });
  site.add(2);
  site.context.site.read([](SiteTables& tables) {
    BOOST_TEST(tables.audit.size() == 606u);
    const auto file = tables.audit.file();
    const auto last = file.entry(603).value();
    BOOST_TEST(audit::parseEntry(last).value()[Field::PolicyVersion] == "2");
    BOOST_TEST(crypto::hex(audit::leafHash(last)) ==
               std::string(audit::parseEntry(file.entry(604).value()).value()[Field::PrevHash]));
  });
  site.anchor();
  bothSay(site, site.copy(), Finding::Intact);
}

BOOST_AUTO_TEST_CASE(a_series_that_is_not_finished_lets_nothing_follow_and_nothing_stay) {
  Site site;
  site.add(3);
  BOOST_CHECK_THROW(site.context.site.write([](SiteTables& tables) {
    {
      const AuditLog::Series series(tables.audit);
      tables.audit.append(eventNo(0));
    }
    tables.audit.append(eventNo(1));
  }),
                    Error);
  site.add(1);
  site.anchor();
  bothSay(site, site.copy(), Finding::Intact);
  BOOST_TEST(site.context.site.read([](SiteTables& tables) { return tables.audit.size(); }) == 4u);
}

BOOST_AUTO_TEST_CASE(every_flipped_byte_of_an_entry_is_found) {
  Anchored site;
  for (const int seq : {0, 299, 300, 699}) {
    const auto file = site.copy();
    Vandal(file).run(
        "UPDATE audit_entries SET entry = CAST(replace(CAST(entry AS TEXT), 'member.add', 'member.adq') AS BLOB) "
        "WHERE seq = " +
        std::to_string(seq));
    bothSay(site, file, Finding::Altered);
  }
  const auto file = site.copy();
  Vandal(file).run("UPDATE audit_entries SET action = 'nothing.seen' WHERE seq = 5");
  BOOST_TEST(ownVerdict(site, file) == 1, "a column that pages search by");
}

BOOST_AUTO_TEST_CASE(swapped_inserted_and_dropped_entries_are_found) {
  Anchored site;
  const auto swapped = site.copy();
  Vandal(swapped).run(
      "UPDATE audit_entries SET seq = -1 WHERE seq = 7; UPDATE audit_entries SET seq = 7 WHERE seq = 8;"
      "UPDATE audit_entries SET seq = 8 WHERE seq = -1");
  bothSay(site, swapped, Finding::Broken);
  const auto inserted = site.copy();
  Vandal(inserted).run(
      "UPDATE audit_entries SET seq = -seq - 2 WHERE seq >= 50; UPDATE audit_entries SET seq = -seq - 1 WHERE seq < 0;"
      "INSERT INTO audit_entries SELECT 50, at, actor, action, object_type, object_id, matter_id, outcome, entry, leaf "
      "FROM audit_entries WHERE seq = 49");
  bothSay(site, inserted, Finding::Broken);
  const auto middle = site.copy();
  Vandal(middle).run("DELETE FROM audit_entries WHERE seq BETWEEN 400 AND 410");
  bothSay(site, middle, Finding::Broken);
}

BOOST_AUTO_TEST_CASE(a_dropped_tail_and_a_dropped_log_are_found_by_the_anchors) {
  Anchored site;
  for (const int rest : {699, 512, 256, 1, 0}) {
    const auto file = site.copy();
    Vandal(file).run("DELETE FROM audit_entries WHERE seq >= " + std::to_string(rest));
    bothSay(site, file, Finding::Truncated);
  }
  const auto tidy = site.copy();
  Vandal(tidy).run(
      "DELETE FROM audit_entries WHERE seq >= 300; DELETE FROM audit_checkpoints WHERE size > 300;"
      "DELETE FROM audit_nodes WHERE idx > 0; UPDATE audit_state SET size = 300");
  bothSay(site, tidy, Finding::Truncated);
}

BOOST_AUTO_TEST_CASE(a_log_that_was_chained_anew_has_another_root_also_at_the_same_length) {
  Anchored site;
  for (const int from : {0, 1, 600, 699}) {
    const auto file = site.copy();
    Vandal(file).run("DELETE FROM audit_nodes");
    rechain(file, static_cast<std::uint64_t>(from), "nothing happened");
    bothSay(site, file, Finding::Rewritten);
  }
}

BOOST_AUTO_TEST_CASE(checkpoints_of_another_key_and_damaged_ones_are_bad_signatures) {
  Anchored site;
  const auto file = site.copy();
  const audit::SignerKey other = audit::SignerKey::generate(auditKey(site.context).verifier().name());
  const auto stored = audit::parseCheckpoint(files::read(site.anchors / "700.checkpoint")).value();
  auto forged = other.sign(stored.checkpoint);
  Vandal(file).run("UPDATE audit_checkpoints SET note = '" + forged + "' WHERE size = 700");
  bothSay(site, file, Finding::BadSignature);
  const auto damaged = site.copy();
  Vandal(damaged).run("UPDATE audit_checkpoints SET note = 'x' WHERE size = 700");
  bothSay(site, damaged, Finding::BadSignature);
}

BOOST_AUTO_TEST_CASE(no_anchor_or_an_old_one_is_no_proof) {
  Anchored site;
  site.clock.advance(std::chrono::hours(-30));
  site.add(1);
  site.clock.advance(std::chrono::hours(30));
  bothSay(site, site.copy(), Finding::Unanchored);
  site.anchor();
  bothSay(site, site.copy(), Finding::Intact);
  std::filesystem::remove_all(site.anchors);
  std::filesystem::create_directories(site.anchors);
  bothSay(site, site.copy(), Finding::Unanchored);
}

BOOST_AUTO_TEST_CASE(the_key_changes_by_two_entries_and_both_keys_verify_the_whole) {
  Anchored site;
  changeAuditKey(site.context, "ann@example.org");
  site.add(10);
  site.anchor();
  bothSay(site, site.copy(), Finding::Intact);
  site.keepKey();  // the new key alone
  bothSay(site, site.copy(), Finding::Intact);
  const auto stranger = audit::SignerKey::generate(auditKey(site.context).verifier().name());
  files::replaceDurably(site.publicKey, stranger.verifier().text() + "\n");
  bothSay(site, site.copy(), Finding::BadSignature);
}

BOOST_AUTO_TEST_CASE(a_restore_that_is_declared_is_a_declared_gap_and_one_that_is_not_is_a_truncation) {
  Anchored site;
  const auto known = audit::parseCheckpoint(files::read(site.anchors / "700.checkpoint")).value().checkpoint;
  // The backup of the time when the log had 300 entries.
  const auto backup = site.copy();
  Vandal(backup).run(
      "DELETE FROM audit_entries WHERE seq >= 300; DELETE FROM audit_checkpoints WHERE size > 300;"
      "DELETE FROM audit_nodes WHERE level > 8 OR idx > 0");
  {
    auto database = store::Database::openWriter(backup);
    audit::CompactRange range = audit::CompactRange::of(300, audit::LogFile(database).nodes());
    const auto last = audit::leafHash(audit::LogFile(database).entry(299).value());
    database.prepare("UPDATE audit_state SET size = 300, last_hash = ?, peaks = ?")
        .bind(store::Blob{last}, store::Blob{range.peaks()})
        .run();
  }
  bothSay(site, backup, Finding::Truncated);
  const TempFolder restored;
  std::filesystem::create_directories(restored / "listd");
  std::filesystem::copy_file(backup, restored / "listd/site.db");
  SiteStore store(restored / "listd/site.db", site.clock);
  store.write([&](SiteTables& tables) {
    tables.audit.declareRollback({known.size, known.root, "the disk died", "ann", "carol"});
    for (int i = 0; i < 500; ++i) tables.audit.append(eventNo(i));
  });
  bothSay(site, store.file(), Finding::DeclaredGap);
}

BOOST_AUTO_TEST_CASE(part_of_the_log_verifies_by_its_proofs) {
  Anchored site;
  const auto file = site.copy();
  BOOST_TEST(otherVerdict(site, file, "--part", 200, 400) == 0);
  BOOST_TEST(otherVerdict(site, file, "--part", 0, 100) == 0);
  BOOST_TEST(otherVerdict(site, file, "", 0, 100) == 3, "a part is not passed off as the whole");
  BOOST_TEST(otherVerdict(site, file, "", 650, 700) == 0);
  Vandal(file).run(
      "UPDATE audit_entries SET entry = CAST(replace(CAST(entry AS TEXT), 'member.add', 'member.adq') AS BLOB) "
      "WHERE seq = 250");
  BOOST_TEST(otherVerdict(site, file, "--part", 200, 400) == 1);
}

BOOST_AUTO_TEST_CASE(an_erased_person_is_nobody_any_more_and_the_log_stays_whole) {
  Anchored site;
  BOOST_TEST(filesWith(site.folder / "listd", "ann@example.org").size() > 0u);
  const auto sentences = [&] {
    return site.context.site.read([](SiteTables& tables) {
      AuditFilter one;
      one.limit = 1;
      const auto rows = tables.audit.list(one);
      return sentenceOf(tables, audit::parseEntry(rows.front().entry).value());
    });
  };
  BOOST_TEST(sentences().find("ann@example.org added") == 0u);
  site.context.site.write([](SiteTables& tables) { BOOST_TEST(tables.audit.erasePerson("ann@example.org")); });
  BOOST_TEST(sentences().find("an erased person added") == 0u);
  bothSay(site, site.copy(), Finding::Intact);
  BOOST_TEST(files::read(site.copy()).find("ann@example.org") == std::string::npos);
  // The same person later is another one.
  site.add(1);
  site.anchor();
  bothSay(site, site.copy(), Finding::Intact);
}

BOOST_AUTO_TEST_CASE(a_failing_append_undoes_the_change) {
  Site site;
  site.context.site.write([](SiteTables& tables) { tables.domains.add({"one.example", "list", TestNow, 0}); });
  site.add(3);
  // Somebody put an entry where the next one belongs: it cannot be written.
  Vandal(site.context.site.file()).run("INSERT INTO audit_entries VALUES (3, 0, '', '', '', '', 0, '', x'', x'')");
  BOOST_CHECK_THROW(site.context.site.write([](SiteTables& tables) {
    tables.domains.add({"two.example", "list", TestNow, 0});
    tables.audit.append(eventNo(1));
  }),
                    Error);
  BOOST_TEST(
      !site.context.site.read([](SiteTables& tables) { return tables.domains.find("two.example").has_value(); }));
  BOOST_TEST(site.context.site.read([](SiteTables& tables) { return tables.domains.find("one.example").has_value(); }));
}

BOOST_AUTO_TEST_CASE(proofs_come_from_stored_nodes_and_verify) {
  Site site;
  site.add(1500);
  site.context.site.read([](SiteTables& tables) {
    const auto log = tables.audit.file();
    const auto root = tables.audit.root();
    BOOST_TEST(audit::rootOf(1500, log.nodes()) == root);
    for (const std::uint64_t seq : {0, 255, 256, 1000, 1499}) {
      const auto leaf = audit::leafHash(log.entry(seq).value());
      BOOST_TEST(audit::checkInclusion(seq, 1500, leaf, audit::inclusionProof(seq, 1500, log.nodes()), root));
    }
    for (const std::uint64_t size : {1, 256, 300, 1024, 1499})
      BOOST_TEST(audit::checkConsistency(size, 1500, audit::rootOf(size, log.nodes()), root,
                                         audit::consistencyProof(size, 1500, log.nodes())));
  });
}

BOOST_AUTO_TEST_CASE(the_log_is_searched_by_actor_action_object_outcome_and_time) {
  Site site;
  site.add(5);
  site.clock.advance(std::chrono::hours(1));
  const auto later = site.clock.now();
  site.context.site.write([](SiteTables& tables) {
    auto placed = named("hold.place");
    placed.objectType = "hold";
    placed.objectId = "3";
    placed.matterId = 9;
    tables.audit.append(placed);
    auto refused = named("hold.release");
    refused.outcome = audit::Outcome::Denied;
    tables.audit.append(refused);
  });
  const auto count = [&](AuditFilter filter) {
    return site.context.site.read([&](SiteTables& tables) { return tables.audit.list(filter).size(); });
  };
  BOOST_TEST(count({}) == 7u);
  BOOST_TEST(count({.actor = "carol"}) == 2u);
  BOOST_TEST(count({.actor = "nobody"}) == 0u);
  BOOST_TEST(count({.action = "member.add"}) == 5u);
  BOOST_TEST(count({.objectType = "hold", .objectId = "3"}) == 1u);
  BOOST_TEST(count({.matterId = 9}) == 1u);
  BOOST_TEST(count({.outcome = "denied"}) == 1u);
  BOOST_TEST(count({.outcome = "ok"}) == 6u);
  BOOST_TEST(count({.from = later}) == 2u);
  BOOST_TEST(count({.until = later}) == 5u);
  BOOST_TEST(count({.before = 3, .limit = 2}) == 2u);
}

BOOST_AUTO_TEST_CASE(start_and_stop_are_recorded_a_checkpoint_is_made_and_the_auditor_gets_it_once_a_day) {
  Site site;
  site.config.auditMail = "auditor@example.org";
  std::vector<SiteMail> sent;
  {
    AuditKeeper keeper(site.context, [&](SiteTables& tables, const SiteMail& mail, TimePoint now) {
      sendSiteMail(tables, mail, now);
      sent.push_back(mail);
    });
    const auto outbox = [&] {
      return site.context.site.read([](SiteTables& tables) { return tables.siteMail.newest(1); });
    };
    const auto isAnchored = [&] {
      return site.context.site.read([](SiteTables& tables) { return tables.audit.newestAnchor("mail").has_value(); });
    };
    BOOST_TEST(eventually([&] { return !outbox().empty(); }));
    keeper.runOnce();
    BOOST_TEST(!isAnchored(), "in the outbox is not with the auditor");
    app::DeliveryEvent event;
    event.copyKey = outbox()[0].copyKey;
    event.outcome = app::DeliveryEvent::Outcome::Delivered;
    event.at = site.clock.now();
    site.context.site.write([&](SiteTables& tables) { tables.siteMail.record(event); });
    keeper.runOnce();
    BOOST_TEST(isAnchored());
    keeper.runOnce();
  }
  BOOST_REQUIRE_EQUAL(sent.size(), 1u);
  BOOST_TEST(sent[0].recipient == "auditor@example.org");
  const auto newest = site.context.site.read([](SiteTables& tables) { return tables.audit.file().newestCheckpoint(); });
  BOOST_REQUIRE(newest.has_value());
  BOOST_TEST(newest->size == 3u, "start, anchor, stop");
  BOOST_TEST(audit::parseCheckpoint(newest->note)->isSignedBy(auditKey(site.context).verifier()));
  // Nothing but the carrying away happened: no new checkpoint.
  site.context.site.write([](SiteTables& tables) { tables.audit.append(named("audit.anchored")); });
  BOOST_TEST(makeCheckpoint(site.context, CheckpointIf::Changed)->size == 3u);
  BOOST_TEST(filesWith(site.folder.path(), std::string(auditKey(site.context).seed().view())).empty());
}

BOOST_AUTO_TEST_SUITE_END()
