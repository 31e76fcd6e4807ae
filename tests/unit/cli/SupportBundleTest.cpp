#include "cli/Hardening.h"
#include "cli/SupportBundle.h"
#include "core/base/Files.h"
#include "tests/support/TempFolder.h"

using namespace postern;

BOOST_AUTO_TEST_SUITE(cli_SupportBundle)

BOOST_AUTO_TEST_CASE(addresses_become_stand_ins_that_are_the_same_within_one_bundle) {
  cli::Redactor redact;
  const auto text = redact("to ann.o'hara+x@example.org, bob@example.org and ann.o'hara+x@example.org; @home a@b");
  BOOST_TEST(text.find("ann") == std::string::npos);
  BOOST_TEST(text.find("bob") == std::string::npos);
  BOOST_TEST(text.find("@example.org") != std::string::npos);
  const auto first = text.substr(3, 10);
  BOOST_TEST(text.find(first, 20) != std::string::npos);
  BOOST_TEST(text.find(" @home ") != std::string::npos);
  BOOST_TEST(cli::Redactor()("ann@x").substr(0, 10) != cli::Redactor()("ann@x").substr(0, 10));
}

BOOST_AUTO_TEST_CASE(what_looks_like_a_secret_is_taken_out) {
  cli::Redactor redact;
  const auto text = redact(
      "root 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
      "\"token\": \"Abcdefgh12\", password=correct-horse key: Zm9vYmFyYmF6\nport 25");
  for (const auto* secret : {"00112233", "Abcdefgh12", "correct-horse", "Zm9vYmFyYmF6"})
    BOOST_TEST(text.find(secret) == std::string::npos);
  BOOST_TEST(text.find("port 25") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(hardening_finds_what_was_left_open) {
  test::TempFolder folder;
  files::makePrivateFolder(folder / "site/keys");
  files::makePrivateFolder(folder / "proc/7");
  files::replaceDurably(folder / "site/postern.toml",
                        "[gateway]\nsender_checks = \"off\"\n[testing]\nclock_offset = 60\n");
  files::replaceDurably(folder / "proc/7/status", "Name:\tpostern-listd\nUid:\t0\t0\t0\t0\n");
  files::replaceDurably(folder / "proc/swaps", "Filename\tType\n/dev/sda2\tpartition\n");
  std::filesystem::permissions(folder / "site/keys", std::filesystem::perms(0755));
  std::string bad, warned;
  for (const auto& each : cli::lookAtHardening(folder / "site", folder.path())) {
    if (each.state == cli::HardeningFinding::State::Bad) bad += each.what + "\n";
    if (each.state == cli::HardeningFinding::State::Warning) warned += each.what + "\n";
    BOOST_TEST((each.todo.empty() == (each.state == cli::HardeningFinding::State::Good)), each.what);
  }
  for (const auto* found :
       {"look into keys", "run as root: postern-listd", "Settings for tests", "certificate cannot be read"})
    BOOST_TEST(bad.find(found) != std::string::npos, found << " in " << bad);
  for (const auto* found : {"/dev/sda2", "No backups", "not checked by SPF", "no Landlock"})
    BOOST_TEST(warned.find(found) != std::string::npos, found << " in " << warned);
  std::filesystem::permissions(folder / "site/keys", std::filesystem::perms(0700));
  bool stillOpen = false;
  for (const auto& each : cli::lookAtHardening(folder / "site", folder.path()))
    stillOpen = stillOpen || each.what.find("look into") != std::string::npos;
  BOOST_TEST(!stillOpen);
}

BOOST_AUTO_TEST_SUITE_END()
