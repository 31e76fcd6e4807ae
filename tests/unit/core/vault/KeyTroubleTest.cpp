// Remnants in files that somebody reads, and a register that is damaged or gone.
#include "tests/unit/core/vault/KeyLifeFixture.h"

using namespace postern;
using namespace postern::vault;
using namespace postern::vault::keylife;

BOOST_AUTO_TEST_SUITE(core_vault_KeyTrouble)

BOOST_AUTO_TEST_CASE(keys_in_a_log_that_somebody_reads_are_told_and_go_with_the_first_try_after_the_reader) {
  Site site;
  site.put(1, 30);
  const auto needle = site.wrappedKey(15);
  {
    auto reader = store::Database::openReader(site.keysFile);
    const store::Transaction snapshot(reader, store::Transaction::Kind::Read);
    auto select = reader.prepare("SELECT COUNT(*) FROM object_keys");
    BOOST_TEST_REQUIRE(select.bind().step());
    const std::vector<std::uint64_t> gone = {15};
    BOOST_TEST(site.vault->destroyAll(gone).size() == 1u);
    BOOST_TEST(!site.keys->hasObjectKey(15));
    BOOST_TEST(!site.vault->get(15));
    BOOST_TEST(site.keys->remnants());
    BOOST_TEST_REQUIRE(!filesWith(site.folder.path(), needle).empty());
    site.put(31, 32);  // others' mail goes on
    site.open();       // nor does a start hide it
    BOOST_TEST(site.keys->remnants());
    BOOST_TEST(!site.vault->get(15));
  }
  BOOST_TEST(site.vault->destroyAll({}).empty());
  BOOST_TEST(!site.keys->remnants());
  BOOST_TEST(filesWith(site.folder.path(), needle).empty());
  BOOST_TEST(site.reads(16, 32));
}

BOOST_AUTO_TEST_CASE(a_register_that_is_gone_or_shorter_than_keys_db_knows_destroys_nothing_and_mail_goes_on) {
  Site site;
  site.put(1, 3);
  site.vault->destroy(2);
  site.close();
  std::filesystem::rename(site.folder / "journal/register.log", site.folder / "aside");
  site.open();
  BOOST_TEST(site.journal->trouble().has_value());
  BOOST_CHECK_EXCEPTION(site.vault->destroy(1), Error, isStore);
  site.put(4, 5);
  BOOST_TEST(site.reads(3, 5));
  BOOST_TEST(site.reads(1, 1));
  BOOST_CHECK_EXCEPTION(writeKeyBackup(*site.keys, currentRoot(*site.keys, *site.source), site.folder / "backup.sealed",
                                       site.clock.now()),
                        Error, isStore);
  site.close();
  std::filesystem::rename(site.folder / "aside", site.folder / "journal/register.log");
  site.open();
  BOOST_TEST(!site.journal->trouble());
  BOOST_TEST(site.vault->destroy(1));
}

BOOST_AUTO_TEST_CASE(old_keys_bring_nothing_back_that_a_damaged_register_still_tells) {
  Site site;
  site.put(1, 20);
  site.close();
  std::filesystem::copy_file(site.keysFile, site.folder / "old.db");
  site.open();
  for (const std::uint64_t id : {4, 5, 6}) site.vault->destroy(id);
  site.close();
  std::filesystem::copy_file(site.folder / "old.db", site.keysFile, std::filesystem::copy_options::overwrite_existing);
  auto bytes = files::read(site.folder / "journal/register.log");
  bytes[20] = static_cast<char>(bytes[20] ^ 1);  // in the first record
  files::replaceDurably(site.folder / "journal/register.log", bytes);
  site.open();
  BOOST_TEST(site.journal->trouble().has_value());
  BOOST_TEST(site.wrappedKey(5).empty());
  BOOST_TEST(site.wrappedKey(6).empty());
  BOOST_TEST(site.reads(1, 3));
}

BOOST_AUTO_TEST_SUITE_END()
