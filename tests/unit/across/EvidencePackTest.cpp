// What the auditor downloads: made by listd, put into a ZIP by webadmin, and checked with OpenSSL and Python alone.
#include "core/base/Files.h"
#include "core/crypto/Encoding.h"
#include "tests/unit/listd/orders/DeskFixture.h"
#include "webadmin/ZipFile.h"

using namespace postern;
using namespace postern::test;

namespace {

json packOf(Desk& d, bool asAuditor = true) {
  app::Actor actor{"web", "udo"};
  actor.roles = asAuditor ? app::Role::Auditor : app::Role::Admin;
  const OrderCall call{"evidence.pack", actor, Args(json::object()), {}};
  return findOrder("evidence.pack")->handler(d.tools, call);
}

int shell(const std::filesystem::path& folder, const std::string& command) {
  return std::system(("cd '" + folder.string() + "' && " + command + " > out.txt 2>&1").c_str());
}

std::filesystem::path unpacked(const TempFolder& folder, const json& pack) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& file : pack.at("files"))
    entries.emplace_back(file.at("name"), crypto::fromBase64(file.at("bytes").get<std::string>()).value());
  files::writeAtomically(folder.path() / "pack.zip", webadmin::zipOf(entries));
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
  files::writeAtomically(pack / "check.sh", commands);
  return "sh -e check.sh";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(across_EvidencePack)

BOOST_AUTO_TEST_CASE(the_pack_opens_as_a_zip_and_openssl_verifies_its_manifest_and_reports) {
  Desk d;
  d.board();
  const TempFolder folder;
  const auto pack = unpacked(folder, packOf(d));
  BOOST_TEST(shell(pack, VerifyManifest) == 0);
  BOOST_TEST(shell(pack, VerifyFiles) == 0);
  BOOST_TEST(shell(pack, verifyReport(pack)) == 0);
  BOOST_TEST(has(files::read(pack / "controls.html"), "164.312(a)(2)(iv)"));
}

BOOST_AUTO_TEST_CASE(a_changed_manifest_file_or_report_is_found) {
  Desk d;
  d.board();
  const TempFolder folder;
  const auto pack = unpacked(folder, packOf(d));
  auto report = files::read(pack / "report-encryption.json");
  const auto place = report.find("lists.example");
  report.replace(report.find("\"rows\"") + 1, 4, "ROWS");
  BOOST_TEST(place != std::string::npos);
  files::writeAtomically(pack / "report-encryption.json", report);
  BOOST_TEST(shell(pack, VerifyFiles) != 0);
  BOOST_TEST(shell(pack, verifyReport(pack)) != 0);
  auto manifest = files::read(pack / "manifest.json");
  manifest[manifest.size() / 2] ^= 1;
  files::writeAtomically(pack / "manifest.json", manifest);
  BOOST_TEST(shell(pack, VerifyManifest) != 0);
}

BOOST_AUTO_TEST_SUITE_END()
