// What the auditor downloads: made by listd in a job, and checked with OpenSSL and Python alone.
#include "core/base/Files.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/reports/EvidencePack.h"
#include "tests/unit/listd/orders/DeskFixture.h"

#include <fstream>
#include <sstream>
#include <thread>

using namespace postern;
using namespace postern::test;

namespace {

void put(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

// What a job runner would tell the work, which stops after so many checkpoints.
struct Told : JobContext {
  Job self;
  json saved;
  int left;
  Told(std::uint64_t id, int checkpoints, TimePoint now) : left(checkpoints) {
    self.id = id;
    self.createdAt = now;
    self.kind = EvidenceJob;
    self.args = {{"account", "udo"}};
  }
  const Job& job() const override { return self; }
  void progress(std::uint64_t, std::uint64_t, std::string_view) override {}
  json checkpoint() const override { return saved; }
  void saveCheckpoint(const json& checkpoint) override {
    saved = checkpoint;
    --left;
  }
  bool stopRequested() const override { return left <= 0; }
};

struct Auditing : Desk {
  JobRunner jobs{context};
  app::Actor udo{"web", "udo"};

  Auditing() {
    udo.roles = app::Role::Auditor;
    Account account;
    account.name = account.userHandle = "udo";
    account.roles = app::Role::Auditor;
    account.createdAt = clock.now();
    context.site.write([&](SiteTables& tables) { tables.accounts.add(account); });
    tools.jobs = &jobs;
    jobs.add(EvidenceJob, evidenceWork(tools));
    board();
  }
  json ask(const std::string& order, const json& args = json::object()) {
    return findOrder(order)->handler(tools, {order, udo, Args(args), {}});
  }
  std::filesystem::path place() const { return config.path("exports") / "evidence"; }

  // The whole file, as it is downloaded.
  std::string made() {
    jobs.run();
    const auto id = ask("evidence.pack").at("id");
    json shown = json::object();
    for (int i = 0; i < 600 && shown.value("state", "") != "done"; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      shown = ask("evidence.show", {{"id", id}});
      BOOST_REQUIRE(shown.at("state") != "failed");
    }
    return downloaded(shown);
  }
  std::string downloaded(const json& shown) {
    std::string zip;
    json args{{"id", shown.at("id")}, {"offset", 0}};
    while (zip.size() < shown.at("bytes").get<std::size_t>()) {
      const auto part = ask("evidence.read", args);
      const auto bytes = crypto::fromBase64(part.at("bytes").get<std::string>()).value();
      BOOST_REQUIRE(!bytes.empty());
      zip += bytes;
      args["offset"] = zip.size();
      args["ticket"] = part.at("ticket");
    }
    BOOST_TEST(crypto::hex(crypto::sha256(zip)) == shown.at("sha256").get<std::string>());
    return zip;
  }
  // Changes of settings, for reports of many rows.
  void changes(int count) {
    context.site.write([&](SiteTables& tables) {
      for (int i = 0; i < count; ++i) {
        audit::Event event;
        event.actorKind = "user";
        event.actor = "ada";
        event.action = "list.set";
        event.objectType = "list";
        event.objectId = "board@lists.example";
        tables.audit.append(event);
      }
    });
  }
  std::size_t recorded(const std::string& action) {
    std::size_t count = 0;
    for (const auto& entry : entries()) count += has(entry, action) ? 1 : 0;
    return count;
  }
};

int shell(const std::filesystem::path& folder, const std::string& command) {
  return std::system(("cd '" + folder.string() + "' && " + command + " > out.txt 2>&1").c_str());
}

std::filesystem::path unpacked(const TempFolder& folder, const std::string& zip) {
  put(folder.path() / "pack.zip", zip);
  const auto target = folder.path() / "pack";
  const auto command =
      "python3 -c \"import zipfile; z=zipfile.ZipFile('pack.zip'); assert z.testzip() is None; "
      "z.extractall('pack')\"";
  BOOST_REQUIRE_EQUAL(shell(folder.path(), command), 0);
  return target;
}

const char* const VerifyManifest =
    "openssl pkeyutl -verify -pubin -inkey report-public-key.pem -rawin -in manifest.json -sigfile manifest.sig";
const char* const VerifyFiles =
    "python3 -c \"import json,hashlib; "
    "[exec('assert hashlib.sha256(open(f[\\'name\\'],\\'rb\\').read()).hexdigest()==f[\\'sha256\\']') "
    "for f in json.load(open('manifest.json'))['files']]\"";

// The commands of verify.txt for a report, as they stand there.
std::string verifyReport(const std::filesystem::path& pack) {
  const auto text = files::read(pack / "verify.txt");
  std::string commands = "set -e\n";
  std::istringstream lines(text.substr(text.find("\n3.")));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("     ")) commands += line.substr(5) + "\n";
  put(pack / "check.sh", commands);
  return "sh -e check.sh";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(across_EvidencePack)

BOOST_AUTO_TEST_CASE(the_pack_opens_as_a_zip_and_openssl_verifies_its_manifest_and_reports) {
  Auditing d;
  const TempFolder folder;
  const auto pack = unpacked(folder, d.made());
  BOOST_TEST(shell(pack, VerifyManifest) == 0);
  BOOST_TEST(shell(pack, VerifyFiles) == 0);
  BOOST_TEST(shell(pack, verifyReport(pack)) == 0);
  BOOST_TEST(has(files::read(pack / "controls.html"), "164.312(a)(2)(iv)"));
}

BOOST_AUTO_TEST_CASE(a_changed_manifest_file_or_report_is_found) {
  Auditing d;
  const TempFolder folder;
  const auto pack = unpacked(folder, d.made());
  auto report = files::read(pack / "report-encryption.json");
  const auto place = report.find("lists.example");
  report.replace(report.find("\"rows\"") + 1, 4, "ROWS");
  BOOST_TEST(place != std::string::npos);
  put(pack / "report-encryption.json", report);
  BOOST_TEST(shell(pack, VerifyFiles) != 0);
  BOOST_TEST(shell(pack, verifyReport(pack)) != 0);
  auto manifest = files::read(pack / "manifest.json");
  manifest[manifest.size() / 2] ^= 1;
  put(pack / "manifest.json", manifest);
  BOOST_TEST(shell(pack, VerifyManifest) != 0);
}

BOOST_AUTO_TEST_CASE(all_rows_of_a_long_report_are_in_it_in_signed_pages_that_hang_together) {
  Auditing d;
  d.changes(10'500);
  const TempFolder folder;
  const auto pack = unpacked(folder, d.made());
  BOOST_TEST(shell(pack, VerifyManifest) == 0);
  BOOST_TEST(shell(pack, VerifyFiles) == 0);
  std::size_t rows = 0;
  std::string after;
  for (const auto* name : {"report-config.json", "report-config-0002.json", "report-config-0003.json"}) {
    const auto page = json::parse(files::read(pack / name));
    BOOST_TEST(page.at("after") == after);
    BOOST_TEST(page.contains("signature"));
    after = page.at("next");
    rows += page.at("rows").size();
  }
  BOOST_TEST(after.empty());
  BOOST_TEST(rows >= 10'500u);
  const auto csv = files::read(pack / "report-config.csv");
  BOOST_TEST(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')) == rows + 1);
  const auto manifest = json::parse(files::read(pack / "manifest.json"));
  BOOST_TEST(manifest.at("complete").get<bool>());
  BOOST_TEST(manifest.at("madeBy") == "udo");
}

BOOST_AUTO_TEST_CASE(after_a_stop_it_goes_on_with_the_page_behind_and_ends_twice_alike) {
  Auditing d;
  d.changes(7'000);
  auto work = evidenceWork(d.tools);
  Told told(77, 2, d.clock.now());
  BOOST_TEST(work(told).is_null());
  BOOST_REQUIRE_EQUAL(told.saved.at("reports").size(), 2u);
  const auto first = d.place() / "77" / "report-encryption.json";
  const auto before = files::read(first);
  BOOST_TEST(!has(before, "lists.example"));  // sealed
  d.clock.advance(std::chrono::minutes(5));
  const auto older = told.saved;
  told.left = 3;
  work(told);
  BOOST_TEST(files::read(first) == before);
  told.saved = older;  // a crash took the newest checkpoints: those pages are made again
  told.left = 6;
  work(told);
  BOOST_TEST(files::read(first) == before);
  told.left = 1000;
  const auto result = work(told);
  BOOST_REQUIRE(result.is_object());
  BOOST_TEST(work(told) == result);
  BOOST_TEST(!std::filesystem::exists(first));
  const auto zip = files::read(d.place() / "77" / "pack.zip.sealed");
  BOOST_TEST(!has(zip, "PK\x03\x04"));
  BOOST_TEST(!has(zip, "report-"));
}

BOOST_AUTO_TEST_CASE(who_is_no_auditor_any_more_gets_none) {
  Auditing d;
  d.context.site.write([&](SiteTables& tables) { tables.accounts.setRoles("udo", app::Role::Helpdesk); });
  Told told(78, 1000, d.clock.now());
  BOOST_CHECK_THROW(evidenceWork(d.tools)(told), Error);
}

BOOST_AUTO_TEST_CASE(each_download_is_on_record_once_and_old_packs_go) {
  Auditing d;
  d.made();
  BOOST_TEST(d.recorded("evidence.made") == 1u);
  BOOST_TEST(d.recorded("evidence.read") == 1u);
  const auto id = d.ask("evidence.list").at("items").at(0).at("id");
  const auto part = d.ask("evidence.read", {{"id", id}, {"offset", 10}});  // no beginning: it counts as one
  BOOST_TEST(d.recorded("evidence.read") == 2u);
  d.ask("evidence.read", {{"id", id}, {"offset", 20}, {"ticket", part.at("ticket")}});
  BOOST_TEST(d.recorded("evidence.read") == 2u);
  d.clock.advance(std::chrono::hours(2));
  d.ask("evidence.read", {{"id", id}, {"offset", 20}, {"ticket", part.at("ticket")}});
  BOOST_TEST(d.recorded("evidence.read") == 3u);
  EvidenceSweeper sweeper(d.context);
  sweeper.runOnce();
  BOOST_TEST(d.ask("evidence.show", {{"id", id}}).at("state") == "done");
  d.clock.advance(std::chrono::days(8));
  sweeper.runOnce();
  BOOST_TEST(d.ask("evidence.show", {{"id", id}}).at("state") == "expired");
}

BOOST_AUTO_TEST_SUITE_END()
