#include "core/audit/LogEntry.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "listd/export/Exporter.h"
#include "listd/export/ExportFormats.h"
#include "listd/orders/OrderDesk.h"
#include "listd/search/IndexWorker.h"
#include "listd/search/SearchOrders.h"
#include "tests/support/FullDisk.h"
#include "tests/unit/listd/Browsers.h"
#include "tests/unit/listd/ListdFixture.h"

#include <cstdio>
#include <thread>

using namespace postern;
using namespace postern::listd;
using namespace postern::test;
using nlohmann::json;

namespace {

const TimePoint Start = fromMicros(1'767'225'600'000'000);
constexpr const char* Passphrase = "correct horse battery";

std::string mailOf(const std::string& subject, const std::string& body) {
  return "From: Ann <ann@x.example>\r\nTo: board@lists.example\r\nBcc: canarybcc@x.example\r\nSubject: " + subject +
         "\r\nMessage-ID: <" + subject + "@x.example>\r\n\r\n" + body + "\r\n";
}

// Runs a shell command and gives what it printed; its failure is one of the test.
std::string run(const std::string& command) {
  auto* pipe = ::popen((command + " 2>&1").c_str(), "r");
  BOOST_REQUIRE(pipe != nullptr);
  std::string out;
  char buffer[4096];
  for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, count);
  BOOST_TEST_CONTEXT(command << ": " << out) BOOST_TEST(::pclose(pipe) == 0);
  return out;
}

bool siteHolds(const std::filesystem::path& folder, std::string_view word) {
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder))
    if (file.is_regular_file() && files::read(file.path()).find(word) != std::string::npos) return true;
  return false;
}

// A run of a job that is stopped when it asked `questions` times.
class OneRun : public JobContext {
public:
  OneRun(std::uint64_t exportId, int questions) : questions_(questions) { job_.args = {{"export", exportId}}; }
  const Job& job() const override { return job_; }
  void progress(std::uint64_t, std::uint64_t, std::string_view) override {}
  json checkpoint() const override { return nullptr; }
  void saveCheckpoint(const json&) override {}
  bool stopRequested() const override { return questions_-- <= 0; }

private:
  Job job_;
  mutable int questions_;
};

struct Site {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{Start};
  SiteContext context{config, clock};
  List board = makeList(context, "board@lists.example", false);
  SearchIndex index{folder.path() / "index", context.root, clock};
  IndexWorker worker{context, index};
  JobRunner jobs{context};
  const GatewayAddress address{config.gatewaySocket().string(), Secret()};
  GatewayControl gateway{context, address};
  Troubles troubles;
  crypto::PasswordHasher passwords;
  OrderTools tools{context, gateway, troubles, passwords, Start, &jobs, &index, &worker};
  OrderDesk desk{tools};
  Browsers browsers;

  Site() {
    context.site.write([&](SiteTables& tables) {
      Account officer;
      officer.name = "officer";
      officer.roles = app::Role::Officer;
      officer.createdAt = Start;
      tables.accounts.add(officer);
      for (const std::uint64_t id : {1, 7}) {
        Matter matter;
        matter.id = id;
        matter.name = "matter " + std::to_string(id);
        matter.createdAt = Start;
        matter.createdBy = "officer";
        tables.matters.add(matter);
      }
    });
    addSearchJobs(jobs, context, index);
    jobs.run();
  }

  void store(std::uint64_t id, const std::string& content) {
    context.vault.put(id, board.id, content);
    context.site.write([&](SiteTables& tables) {
      StoredObject object;
      object.id = id;
      object.receivedAt = clock.now();
      object.size = content.size();
      object.sensitivity = "moderate";
      object.digest = crypto::hex(crypto::sha256(content));
      tables.archive.add(object, board.id, id);
    });
    clock.advance(std::chrono::hours(1));
    worker.runOnce();
  }

  json give(const std::string& order, const json& args) {
    return desk.handle(order, browsers.signedIn(context, {"web", "officer"}, clock.now()), args);
  }
  std::string refusal(const std::string& order, const json& args) {
    try {
      give(order, args);
    } catch (const app::OrderRefused& refused) {
      return refused.error().message;
    }
    return {};
  }

  // Waits for the job of an export; its view then.
  json finished(const json& made) {
    for (int i = 0; i < 1000; ++i) {
      const auto view = give("export.show", {{"id", made.at("id")}});
      if (view.at("state") != "waiting") return view;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    BOOST_FAIL("the export does not end");
    return {};
  }

  json exported(const std::string& format, bool redact = false) {
    return finished(give("export.create", {{"matter", 1},
                                           {"query", "list:board@lists.example"},
                                           {"format", format},
                                           {"redactBcc", redact},
                                           {"passphrase", Passphrase}}));
  }

  std::filesystem::path unpacked(const json& view) {
    const auto target = folder.path() / ("out" + view.at("id").dump());
    run("7z x -y -p'" + std::string(Passphrase) + "' -o" + target.string() + " " +
        exportFile(context, view.at("id").get<std::uint64_t>()).string());
    return target;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_export_Export)

BOOST_AUTO_TEST_CASE(search_finds_by_words_and_facts_and_shows_rows_from_the_vault) {
  Site t;
  t.store(1, mailOf("budget", "about dialysis"));
  t.store(2, mailOf("plan", "about dialysis and more"));
  auto result = t.give("search", {{"query", "dialysis"}});
  BOOST_TEST(result.at("hits") == 2);
  BOOST_TEST(result.at("items")[0].at("subject") == "plan");
  BOOST_TEST(result.at("items")[0].at("lists")[0] == "board@lists.example");
  BOOST_TEST(t.give("search", {{"query", "dialysis -list:board@lists.example"}}).at("hits") == 0);
  BOOST_TEST(t.give("search", {{"query", "after:2026-01-01 subject:budget"}}).at("hits") == 1);
  BOOST_TEST(t.give("search", {{"query", "before:2026-01-01"}}).at("hits") == 0);
  result = t.give("search", {{"query", "dialysis"}, {"limit", 1}, {"sort", "oldest"}});
  BOOST_TEST(result.at("items").size() == 1u);
  BOOST_TEST(result.at("items")[0].at("subject") == "budget");
  BOOST_TEST(t.give("search", {{"query", "dialysis"}, {"limit", 1}, {"after", result.at("next")}, {"sort", "oldest"}})
                 .at("items")[0]
                 .at("subject") == "plan");
  BOOST_TEST(t.refusal("search", {{"query", "a OR"}}).starts_with("at character 5"));
  const auto check = t.give("search.check", {{"query", "(a"}});
  BOOST_TEST(check.at("ok") == false);
  BOOST_TEST(check.at("position") == 0);
  t.give("search.save", {{"matter", 1}, {"name", "first"}, {"query", "canaryquery"}});
  BOOST_TEST(t.give("search.list", {{"matter", 1}}).at("items")[0].at("query") == "canaryquery");
  BOOST_TEST(!t.refusal("search.save", {{"matter", 1}, {"name", "first"}, {"query", "x"}}).empty());
  const auto status = t.give("index.status", json::object());
  BOOST_TEST(status.at("indexed") == 2);
  BOOST_TEST(status.at("pending") == 0);
}

// Beyond 10,000 hits they are not counted, and a page comes from a look at what was received next.
BOOST_AUTO_TEST_CASE(search_of_very_many_hits_says_more_than_and_its_pages_join_without_gap_or_repeat) {
  Site t;
  constexpr std::uint64_t Many = 10'300;
  std::vector<SearchIndex::NewObject> batch;
  std::vector<std::uint64_t> newest;  // hits, newest first; others stand between them, and many before the oldest
  t.context.site.write([&](SiteTables& tables) {
    for (std::uint64_t id = 1; id <= Many + Many / 5; ++id) {
      const bool hit = id > 2 && id % 6 != 0;
      StoredObject object;
      object.id = id;
      object.receivedAt = Start + std::chrono::seconds(id / 4);  // equal times too
      object.size = 100;
      object.sensitivity = "low";
      tables.archive.add(object, t.board.id, 0);
      batch.push_back({id, mailOf("m", hit ? "canarymany" : "other"), {}});
      if (hit) newest.insert(newest.begin(), id);
    }
  });
  t.index.addAll(batch);
  BOOST_TEST(newest.size() > 10'000u);
  auto result = t.give("search", {{"query", "canarymany"}, {"count", true}});
  BOOST_TEST(result.at("hits") == 10'000);
  BOOST_TEST(result.at("moreThan") == true);
  BOOST_TEST(result.at("items").empty());
  BOOST_TEST(t.give("search", {{"query", "other"}, {"count", true}}).at("moreThan") == false);

  const auto walk = [&](const char* sort, const std::vector<std::uint64_t>& expected) {
    std::string after;
    std::vector<std::uint64_t> seen;
    for (int page = 0; page < 60; ++page) {  // past the first look at 1,024
      json args{{"query", "canarymany"}, {"limit", 40}, {"sort", sort}};
      if (!after.empty()) args["after"] = after;
      const auto found = t.give("search", args);
      BOOST_TEST(found.at("moreThan") == true);
      BOOST_TEST(found.at("items").size() == 40u);
      for (const auto& item : found.at("items")) seen.push_back(std::stoull(item.at("object").get<std::string>()));
      after = found.at("next").get<std::string>();
      BOOST_TEST(after == std::to_string(seen.back()));
    }
    BOOST_TEST(seen == std::vector(expected.begin(), expected.begin() + 2400), boost::test_tools::per_element());
  };
  walk("newest", newest);
  walk("oldest", {newest.rbegin(), newest.rend()});
  // The last page of all says that it is the last.
  result = t.give("search", {{"query", "canarymany"}, {"limit", 40}, {"after", std::to_string(newest.end()[-11])}});
  BOOST_TEST(result.at("items").size() == 10u);
  BOOST_TEST(result.at("next") == "");
}

BOOST_AUTO_TEST_CASE(no_file_of_the_site_tells_a_word_of_mail_or_search) {
  Site t;
  t.store(1, mailOf("canarysubject", "canarybody"));
  t.give("search", {{"query", "canarybody canaryasked"}});
  t.exported("load-file");
  for (const auto* word : {"canarysubject", "canarybody", "canarybcc", "canaryasked", "correct horse"})
    BOOST_TEST_CONTEXT(word) BOOST_TEST(!siteHolds(t.folder.path(), word));
}

BOOST_AUTO_TEST_CASE(an_eml_export_holds_the_bytes_as_received_and_a_manifest_that_openssl_verifies) {
  Site t;
  t.store(1, mailOf("first", "text"));
  t.store(2, mailOf("second", "text"));
  const auto view = t.exported("eml");
  BOOST_TEST(view.at("state") == "done");
  BOOST_TEST(crypto::hex(crypto::sha256(files::read(exportFile(t.context, 1)))) ==
             view.at("sha256").get<std::string>());
  const auto out = t.unpacked(view);
  BOOST_TEST(files::read(out / "messages/000001.eml") == mailOf("second", "text"));
  const auto manifestText = files::read(out / "manifest.json");
  BOOST_TEST(crypto::hex(crypto::sha256(manifestText)) == view.at("manifest").get<std::string>());
  const auto manifest = json::parse(manifestText);
  for (const auto& file : manifest.at("files"))
    BOOST_TEST(crypto::hex(crypto::sha256(files::read(out / file.at("name").get<std::string>()))) ==
               file.at("sha256").get<std::string>());
  BOOST_TEST(manifest.at("messages")[0].at("asReceived") == true);
  const auto verify = "cd " + out.string() +
                      " && openssl pkeyutl -verify -pubin -inkey manifest-key.pem -rawin -in manifest.json "
                      "-sigfile manifest.sig";
  BOOST_TEST(run(verify).find("Successfully") != std::string::npos);
  files::replaceDurably(out / "manifest.json", manifestText + " ");
  BOOST_TEST(run("! (" + verify + ")").find("Fail") != std::string::npos);
  const auto custody = json::parse(files::read(out / "custody.json"));
  BOOST_TEST(custody.at("selection") == "list:board@lists.example");
  BOOST_TEST(custody.at("messagesExported") == 2);
  run("! 7z t -pwrong " + exportFile(t.context, 1).string());
  run("bsdtar --passphrase '" + std::string(Passphrase) + "' -tvf " + exportFile(t.context, 1).string());
}

BOOST_AUTO_TEST_CASE(an_mbox_export_opens_in_python_with_from_lines_quoted) {
  Site t;
  t.store(1, mailOf("first", "From here on\r\n>From there\r\nend"));
  t.store(2, mailOf("second", "text"));
  const auto out = t.unpacked(t.exported("mbox"));
  const auto read = run("python3 -c \"import mailbox;m=mailbox.mbox('" + (out / "mail.mbox").string() +
                        "');print(len(m),[x['subject'] for x in m],'>From here' in m[1].get_payload())\"");
  BOOST_TEST(read == "2 ['second', 'first'] True\n");
}

BOOST_AUTO_TEST_CASE(a_load_file_names_natives_and_texts_and_leaves_bcc_out_when_asked) {
  Site t;
  t.store(1, mailOf("first", "the text"));
  const auto out = t.unpacked(t.exported("load-file", true));
  const auto dat = files::read(out / "loadfile.dat");
  BOOST_TEST(dat.find("\xC3\xBE\x14\xC3\xBE"
                      "first\xC3\xBE") != std::string::npos);
  BOOST_TEST(dat.find("messages/000001.eml") != std::string::npos);
  BOOST_TEST(files::read(out / "text/000001.txt").find("the text") != std::string::npos);
  run("python3 -c \"import xml.dom.minidom;xml.dom.minidom.parse('" + (out / "loadfile.xml").string() + "')\"");
  BOOST_TEST(!siteHolds(out, "canarybcc"));
}

BOOST_AUTO_TEST_CASE(what_was_destroyed_is_listed_as_missing) {
  Site t;
  t.store(1, mailOf("first", "text"));
  t.store(2, mailOf("second", "text"));
  t.context.vault.destroy(2);
  t.context.site.write([&](SiteTables& tables) { tables.archive.setState(2, ObjectState::Destroyed, t.clock.now()); });
  t.worker.runOnce();
  BOOST_TEST(t.give("search", {{"query", "text"}}).at("hits") == 1);
  const auto view =
      t.finished(t.give("export.create", {{"matter", 1}, {"objects", {"1", "2", "99"}}, {"passphrase", Passphrase}}));
  BOOST_TEST(view.at("missing") == 2);
  const auto manifest = json::parse(files::read(t.unpacked(view) / "manifest.json"));
  BOOST_TEST(manifest.at("missing")[0].at("reason").get<std::string>().starts_with("destroyed under the retention"));
  BOOST_TEST(manifest.at("messages").size() == 1u);
}

BOOST_AUTO_TEST_CASE(passphrases_are_long_made_once_and_gone_when_the_archive_is_written) {
  Site t;
  t.store(1, mailOf("first", "text"));
  BOOST_TEST(!t.refusal("export.create", {{"matter", 1}, {"query", "text"}, {"passphrase", "short"}}).empty());
  const auto made = t.give("export.create", {{"matter", 1}, {"query", "text"}});
  BOOST_TEST(made.at("passphrase").get<std::string>().size() >= 26u);
  t.finished(made);
  t.context.site.read([](SiteTables& tables) { BOOST_TEST(tables.search.findExport(1)->sealedPassphrase.empty()); });
}

BOOST_AUTO_TEST_CASE(downloads_are_recorded_and_old_exports_go) {
  Site t;
  t.store(1, mailOf("first", "text"));
  const auto view = t.exported("eml");
  const auto path = exportFile(t.context, 1);
  std::string bytes;
  while (bytes.size() < view.at("bytes"))
    bytes += *crypto::fromBase64(
        t.give("export.read", {{"id", 1}, {"offset", bytes.size()}, {"length", 1000}}).at("bytes").get<std::string>());
  BOOST_TEST((bytes == files::read(path)));
  BOOST_TEST(t.give("export.show", {{"id", 1}}).at("downloads").size() == 1u);
  ExportSweeper sweeper(t.context);
  t.clock.advance(std::chrono::days(15));
  sweeper.runOnce();
  BOOST_TEST(!std::filesystem::exists(path));
  BOOST_TEST(t.give("export.show", {{"id", 1}}).at("state") == "expired");
  BOOST_TEST(!t.refusal("export.read", {{"id", 1}}).empty());
  t.exported("eml");
  t.give("export.remove", {{"id", 2}});
  BOOST_TEST(!std::filesystem::exists(exportFile(t.context, 2)));
}

BOOST_AUTO_TEST_CASE(an_export_that_was_cut_off_is_done_anew_from_the_same_list_and_says_so) {
  Site t;
  t.store(1, mailOf("first", "text"));
  t.store(2, mailOf("second", "text"));
  Export made;
  made.matterId = 1;
  made.format = "eml";
  made.sealedQuery = sealForMatter(t.context, 1, "text");
  made.sealedPassphrase = sealForMatter(t.context, 1, Passphrase);
  made.createdAt = Start;
  made.createdBy = "officer";
  const auto id = t.context.site.write([&](SiteTables& tables) { return tables.search.addExport(made, {2, 1}); });
  const auto work = exportWork(t.context);
  OneRun cut(id, 1);
  BOOST_TEST(work(cut).is_null());
  const auto part = exportFile(t.context, id).string() + ".part";
  BOOST_TEST(!std::filesystem::exists(part));
  files::replaceDurably(part, "what a killed process left");
  OneRun whole(id, 100);
  work(whole);
  BOOST_TEST(!std::filesystem::exists(part));
  const auto out = t.unpacked(t.give("export.show", {{"id", id}}));
  BOOST_TEST(json::parse(files::read(out / "custody.json")).at("startedTimes") == 2);
  BOOST_TEST(files::read(out / "messages/000002.eml") == mailOf("first", "text"));
  // Every message has the same name and hashes as in an archive that was never interrupted.
  const auto other = t.context.site.write([&](SiteTables& tables) { return tables.search.addExport(made, {2, 1}); });
  OneRun once(other, 100);
  work(once);
  const auto uninterrupted = t.unpacked(t.give("export.show", {{"id", other}}));
  const auto messagesOf = [](const std::filesystem::path& folder) {
    return json::parse(files::read(folder / "manifest.json")).at("messages");
  };
  BOOST_TEST(messagesOf(out) == messagesOf(uninterrupted));
}

BOOST_AUTO_TEST_CASE(the_audit_log_has_the_hits_and_the_words_only_within_a_matter_and_sealed) {
  Site t;
  t.store(1, mailOf("first", "text"));
  t.give("search", {{"query", "text privately"}});
  BOOST_TEST(!siteHolds(t.folder.path(), "privately"));
  const auto newest = [&] {
    return t.context.site.read(
        [](SiteTables& tables) { return tables.audit.file().entry(tables.audit.size() - 1).value_or(""); });
  };
  BOOST_TEST(newest().find("hits") != std::string::npos);
  t.give("search", {{"query", "text openly"}, {"matter", 7}});
  BOOST_TEST(newest().find("openly") == std::string::npos);
  const auto entry = audit::parseEntry(newest()).value();
  const auto sealed = crypto::fromBase64(audit::detailOf(entry, "query").value()).value();
  BOOST_TEST(openForMatter(t.context, 7, sealed) == "text openly");
}

BOOST_AUTO_TEST_CASE(a_full_disk_pauses_an_export_leaves_nothing_and_it_goes_on_once_there_is_room) {
  Site t;
  const std::string incompressible = crypto::base64(crypto::randomBytes(3u << 20));
  t.store(1, mailOf("first", "text"));
  t.store(2, mailOf("second", incompressible));
  Export made;
  made.matterId = 1;
  made.format = "eml";
  made.sealedQuery = sealForMatter(t.context, 1, "text");
  made.sealedPassphrase = sealForMatter(t.context, 1, Passphrase);
  made.createdAt = Start;
  made.createdBy = "officer";
  const auto id = t.context.site.write([&](SiteTables& tables) { return tables.search.addExport(made, {2, 1}); });
  const auto work = exportWork(t.context);
  const auto showsPause = [&](const char* words) {
    const auto view = t.give("export.show", {{"id", id}});
    BOOST_TEST(view.at("state") == "paused");
    BOOST_TEST(view.at("trouble").get<std::string>().find(words) != std::string::npos, view.at("trouble"));
    for (const auto& file : std::filesystem::directory_iterator(t.folder.path() / "exports")) BOOST_ERROR(file.path());
    BOOST_TEST(!t.refusal("export.read", {{"id", id}, {"offset", 0}, {"length", 10}}).empty());
  };
  t.config.minFreeSpace = std::uint64_t{1} << 60;
  OneRun crowded(id, 3);
  BOOST_TEST(work(crowded).is_null());
  showsPause("no room");
  t.config.minFreeSpace = 0;
  {
    BOOST_REQUIRE(t.context.site.checkpoint());  // an empty log: what is cut is the archive
    const FullDisk full(1u << 20);
    OneRun cut(id, 8);
    BOOST_TEST(work(cut).is_null());
  }
  showsPause("");
  OneRun whole(id, 100);
  work(whole);
  const auto view = t.give("export.show", {{"id", id}});
  BOOST_TEST(view.at("state") == "done");
  BOOST_TEST(view.at("trouble") == "");
  BOOST_TEST(files::read(t.unpacked(view) / "messages/000001.eml") == mailOf("second", incompressible));
}

BOOST_AUTO_TEST_CASE(a_rebuild_job_ends_with_the_same_answers) {
  Site t;
  t.store(1, mailOf("first", "text"));
  t.store(2, mailOf("second", "text"));
  const auto id = t.give("index.rebuild", json::object()).at("job").get<std::uint64_t>();
  for (int i = 0; i < 1000 && !t.jobs.find(id)->ended(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  BOOST_TEST(t.jobs.find(id)->state == "done");
  BOOST_TEST(t.give("search", {{"query", "text"}}).at("hits") == 2);
}

BOOST_AUTO_TEST_CASE(reading_that_begins_behind_the_first_byte_is_a_download_too) {
  Site t;
  t.store(11, mailOf("one", "canarytext"));
  const auto view = t.exported("eml");
  const json rest{{"id", view.at("id")}, {"offset", 1}, {"length", 1000}};
  const auto downloads = [&] { return t.give("export.show", {{"id", view.at("id")}}).at("downloads").size(); };
  t.give("export.read", rest);
  BOOST_TEST(downloads() == 1u);
  t.give("export.read", rest);
  BOOST_TEST(downloads() == 1u);
  t.clock.advance(std::chrono::hours(1));
  t.give("export.read", rest);
  BOOST_TEST(downloads() == 2u);
}

BOOST_AUTO_TEST_CASE(the_words_of_a_search_in_a_matter_stand_in_no_file) {
  Site t;
  t.store(11, mailOf("one", "nephrology"));
  t.give("search", {{"matter", 1}, {"query", "nephrology"}});
  t.give("export.create", {{"matter", 1}, {"query", "nephrology"}, {"passphrase", Passphrase}});
  t.give("search.save", {{"matter", 1}, {"query", "nephrology"}, {"name", "first"}});
  BOOST_TEST(!siteHolds(t.folder.path(), "nephrology"));
}

BOOST_AUTO_TEST_SUITE_END()
