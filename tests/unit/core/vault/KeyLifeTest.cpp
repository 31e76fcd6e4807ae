// What happens to keys over the years: destruction, restores, new epochs and root keys, sources of the root key.
#include "tests/unit/core/vault/KeyLifeFixture.h"

using namespace postern;
using namespace postern::vault;
using namespace postern::vault::keylife;

BOOST_AUTO_TEST_SUITE(core_vault_KeyLife)

BOOST_AUTO_TEST_CASE(after_destruction_no_file_holds_the_key_the_ciphertext_or_the_content) {
  Site site;
  site.put(1, 30);
  std::vector<std::string> needles;
  const std::vector<std::uint64_t> gone = {1, 2, 3, 15, 30};
  for (const auto id : gone) {
    needles.push_back(site.wrappedKey(id));
    needles.push_back(site.ciphertext(id));
    needles.push_back(Site::content(id) + "\n");
    BOOST_TEST_REQUIRE(needles[needles.size() - 3].size() > 30u);
    BOOST_TEST_REQUIRE(!filesWith(site.folder.path(), needles[needles.size() - 3]).empty());
    BOOST_TEST_REQUIRE(!filesWith(site.folder.path(), needles[needles.size() - 2]).empty());
  }
  BOOST_TEST(site.vault->destroyAll(gone).size() == gone.size());
  BOOST_TEST(site.vault->destroyAll(gone).empty());
  for (const auto& needle : needles) BOOST_TEST(filesWith(site.folder.path(), needle).empty());
  BOOST_TEST(std::filesystem::file_size(site.keysFile.string() + "-wal") == 0u);
  BOOST_TEST(site.keys->freedPlaces(10).empty());
  BOOST_TEST(site.reads(4, 14));
  BOOST_TEST(site.reads(16, 29));
  site.open();
  BOOST_TEST(site.reads(4, 14));
  BOOST_TEST(site.reads(16, 29));
  BOOST_TEST(!site.vault->get(15));
  BOOST_TEST(site.keys->objects() == 25u);
}

BOOST_AUTO_TEST_CASE(keys_destroyed_in_many_calls_leave_nothing_after_the_last_step_or_the_next_start) {
  for (const bool crash : {false, true}) {
    Site site;
    site.put(1, 10);
    std::vector<std::string> needles;
    for (const std::uint64_t id : {2, 3}) {
      needles.push_back(site.wrappedKey(id));
      needles.push_back(site.ciphertext(id));
    }
    for (const std::uint64_t id : {2, 3}) {
      site.vault->destroyKeys({&id, 1});
      BOOST_TEST(!site.keys->hasObjectKey(id));
      BOOST_TEST(!site.vault->get(id));
    }
    BOOST_TEST(site.keys->remnants());
    BOOST_TEST(site.keys->freedPlaces(10).size() == 2u);
    if (crash)
      site.open();
    else
      site.vault->destroyAll({});
    BOOST_TEST(!site.keys->remnants());
    BOOST_TEST(site.keys->freedPlaces(10).empty());
    for (const auto& needle : needles) BOOST_TEST(filesWith(site.folder.path(), needle).empty());
    BOOST_TEST(site.reads(4, 10));
  }
}

BOOST_AUTO_TEST_CASE(neighbours_of_destroyed_contents_survive_any_number_of_restarts_and_new_contents) {
  Site site;
  site.put(1, 10);
  for (std::uint64_t id = 2; id <= 9; ++id) {
    site.vault->destroy(id);
    site.put(100 + id, 100 + id);
    site.open();
    site.open();
    BOOST_TEST(site.reads(1, 1));
    BOOST_TEST(site.reads(10, 10));
    BOOST_TEST(site.reads(102, 100 + id));
  }
}

BOOST_AUTO_TEST_CASE(space_of_large_and_small_contents_is_free_at_once) {
  Site site;
  const std::string large(6u << 20, 'l'), small(3u << 20, 's');
  site.vault->put(1, 7, large);
  site.vault->put(2, 7, small);
  site.vault->put(3, 7, "stays");
  site.open();
  BOOST_TEST((site.vault->get(1) == large));
  const std::uint64_t both[] = {1, 2};
  site.vault->destroyAll(both);
  std::uint64_t blocks = 0;
  for (const auto& entry : std::filesystem::directory_iterator(site.folder / "vault/segments")) {
    struct stat facts {};
    ::stat(entry.path().c_str(), &facts);
    blocks += static_cast<std::uint64_t>(facts.st_blocks) * 512;
  }
  BOOST_TEST(blocks < 1u << 20);
  BOOST_TEST(site.vault->get(3).value() == "stays");
}

BOOST_AUTO_TEST_CASE(an_old_keys_database_brings_nothing_back_that_was_destroyed) {
  Site site;
  site.put(1, 20);
  site.close();
  std::filesystem::copy_file(site.keysFile, site.folder / "old.db");
  std::filesystem::copy(site.folder / "vault", site.folder / "old-vault", std::filesystem::copy_options::recursive);
  site.open();
  const std::uint64_t gone[] = {4, 5, 6};
  site.vault->destroyAll(gone);
  site.put(21, 22);
  site.close();
  // Everything but the register goes back to what it was.
  std::filesystem::remove_all(site.folder / "vault");
  std::filesystem::rename(site.folder / "old-vault", site.folder / "vault");
  std::filesystem::copy_file(site.folder / "old.db", site.keysFile, std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(site.folder / "old.db");
  site.open();
  for (const auto id : gone) BOOST_TEST(!site.vault->get(id));
  BOOST_TEST(site.reads(1, 3));
  BOOST_TEST(site.reads(7, 20));
  for (const auto id : gone) BOOST_TEST(site.wrappedKey(id).empty());
}

BOOST_AUTO_TEST_CASE(keys_whose_tombstone_is_written_are_gone_though_the_process_died_before) {
  Site site;
  site.put(1, 3);
  site.journal->append(Journal::Kind::Tombstone, std::string("\0\0\0\1\0\0\0\0\0\0\0\2", 12));
  site.open();
  BOOST_TEST(!site.vault->get(2));
  BOOST_TEST(site.reads(1, 1));
  BOOST_TEST(site.reads(3, 3));
}

BOOST_AUTO_TEST_CASE(contents_that_a_crash_left_without_a_key_are_wiped_at_the_next_start) {
  Site site;
  site.put(1, 3);
  const auto needle = site.ciphertext(2);
  const std::uint64_t gone[] = {2};
  site.keys->destroyObjectKeys(gone);  // and dies before the content is wiped
  BOOST_TEST(!filesWith(site.folder / "vault", needle).empty());
  site.open();
  BOOST_TEST(filesWith(site.folder / "vault", needle).empty());
  BOOST_TEST(site.reads(1, 1));
  BOOST_TEST(site.reads(3, 3));
}

BOOST_AUTO_TEST_CASE(a_key_that_cannot_be_stored_leaves_no_content_behind) {
  Site site;
  site.put(1, 2);
  const auto before = site.vault->bytes();
  store::Database::openReader(site.keysFile);
  {
    // Keys of two objects with one id in one batch: the second content has no key.
    const Vault::NewObject twice[] = {{5, 7, "first of two"}, {5, 7, "second of two"}};
    BOOST_TEST(site.vault->putAll(twice) == 1u);
  }
  BOOST_TEST(site.vault->get(5).value() == "first of two");
  BOOST_TEST(site.vault->bytes() > before);
  site.open();
  BOOST_TEST(site.vault->get(5).value() == "first of two");
  BOOST_TEST(site.reads(1, 2));
}

BOOST_AUTO_TEST_CASE(new_epochs_change_every_wrapped_key_and_no_content) {
  Site site;
  site.put(1, 20, 7);
  site.put(21, 25, 8);
  const auto before = site.wrappedKey(3), content = site.ciphertext(3);
  std::string oldEpoch;
  {
    auto database = store::Database::openReader(site.keysFile);
    auto select = database.prepare("SELECT wrapped FROM epochs ORDER BY id LIMIT 1");
    select.bind().step();
    oldEpoch = select.blob(0);
  }
  const auto epoch = site.keys->startEpoch(7, site.clock.now());
  BOOST_TEST(site.keys->objectsBefore(epoch) == 20u);
  BOOST_TEST(site.keys->rewrapObjectKeys(epoch, 6) == 6u);
  BOOST_TEST(site.keys->objectsBefore(epoch) == 14u);
  BOOST_TEST(site.reads(1, 25));
  site.put(26, 26, 7);
  site.open();  // it goes on after a restart
  BOOST_TEST(site.reads(1, 26));
  while (site.keys->rewrapObjectKeys(epoch, 6) > 0) {
  }
  BOOST_TEST(site.reads(1, 26));
  BOOST_TEST(site.keys->objectsBefore(epoch) == 0u);
  BOOST_TEST(filesWith(site.folder.path(), before).empty());
  BOOST_TEST(filesWith(site.folder.path(), oldEpoch).empty());
  BOOST_TEST(!filesWith(site.folder.path(), content).empty());
  const auto epochs = site.keys->epochs();
  BOOST_TEST(epochs.size() == 2u);  // of list 7 the new one alone
  for (const auto& one : epochs) BOOST_TEST(one.objects == (one.listId == 7 ? 21u : 5u));
}

BOOST_AUTO_TEST_CASE(a_new_root_key_opens_all_and_the_old_one_nothing) {
  Site site;
  site.put(1, 10);
  site.keys->storeSigningKey(7, "smime", Secret("signing"));
  site.keys->storeSiteKey("audit", Secret("checkpoints"), "public");
  const auto queue = std::string(site.keys->siteRoot().derive(RootKey::QueueKey).view());
  const auto old = RootKey::load(site.rootFile);
  const auto oldText = files::read(site.rootFile);
  const auto next = site.source->prepareNext();
  BOOST_TEST(site.keys->changeRoot(next, site.clock.now()) >= 5u);
  BOOST_CHECK_EXCEPTION(site.keys->changeRoot(next, site.clock.now()), Error, isConfig);
  site.source->finishNext();
  BOOST_TEST(site.keys->rootFacts().epoch == 2u);
  site.open();
  BOOST_TEST(site.reads(1, 10));
  BOOST_TEST(site.keys->signingKey(7, "smime")->view() == "signing");
  BOOST_TEST(site.keys->siteKey("audit")->view() == "checkpoints");
  BOOST_TEST(site.keys->siteKeyPublicPart("audit").value() == "public");
  BOOST_TEST(!site.keys->siteKey("vault"));
  BOOST_TEST(site.keys->siteRoot().derive(RootKey::QueueKey).view() == queue);
  site.close();
  BOOST_TEST(filesWith(site.folder.path(), oldText.substr(0, 64)).empty());
  Journal journal(site.folder / "journal/register.log");
  BOOST_CHECK_THROW(KeyStore(site.keysFile, old, &journal), Error);
}

BOOST_AUTO_TEST_CASE(a_change_of_the_root_key_may_end_after_any_step) {
  for (int step = 0; step < 5; ++step) {
    Site site;
    site.put(1, 5);
    auto next = RootKey::generate();
    if (step > 0) next = site.source->prepareNext();
    if (step > 1) site.keys->changeRoot(next, site.clock.now());
    if (step == 3) files::replaceDurably(site.rootFile, std::string(65, '\0'));  // overwritten, not yet renamed
    if (step > 3) site.source->finishNext();
    site.open();
    BOOST_TEST(site.reads(1, 5), "after step " << step);
    BOOST_TEST(!std::filesystem::exists(site.rootFile.string() + ".next"));
    BOOST_TEST(site.keys->rootFacts().epoch == (step > 1 ? 2u : 1u));
    site.open();
    BOOST_TEST(site.reads(1, 5));
  }
}

BOOST_AUTO_TEST_CASE(a_next_key_that_was_overwritten_and_not_yet_removed_does_not_stop_the_site) {
  Site site;
  site.put(1, 5);
  site.close();
  files::replaceDurably(site.rootFile.string() + ".next", std::string(65, '\0'));
  site.open();
  BOOST_TEST(site.reads(1, 5));
  BOOST_TEST(!std::filesystem::exists(site.rootFile.string() + ".next"));
}

// A process of its own that changes keys without end, killed at any instant.
BOOST_AUTO_TEST_CASE(kill_9_in_the_middle_of_either_rotation_leaves_everything_readable) {
  Site site;
  site.put(1, 200);
  for (int round = 0; round < 20; ++round) {
    site.close();
    const auto child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
      try {
        site.open();
        while (true) {
          site.rotateLists();
          const auto next = site.source->prepareNext();
          site.keys->changeRoot(next, site.clock.now());
          site.source->finishNext();
        }
      } catch (...) {
        ::_exit(1);
      }
    }
    ::usleep(static_cast<useconds_t>(60'000 + round * 17'300));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_TEST(WIFSIGNALED(status));
    site.open();
    BOOST_REQUIRE_MESSAGE(site.reads(1, 200), "round " << round);
  }
  BOOST_TEST(site.keys->rootFacts().epoch > 2u);
  site.rotateLists();
  BOOST_TEST(site.keys->epochs().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_site_of_before_keeps_its_derived_keys_and_no_copy_of_the_old_database) {
  test::TempFolder folder;
  const auto root = RootKey::create(folder / "root.key");
  { const KeyStore keys(folder / "keys.db", root); }
  {
    auto database = store::Database::openWriter(folder / "keys.db");
    database.execute("DELETE FROM private_keys WHERE name = 'site-secret'; DELETE FROM root_epochs");
  }
  files::replaceDurably(folder / "keys.db.before-0002", "old");
  const KeyStore keys(folder / "keys.db", root);
  for (const auto label : {RootKey::QueueKey, RootKey::VerpKey, RootKey::CookieKey, RootKey::TokenKey})
    BOOST_TEST(keys.siteRoot().derive(label).view() == root.derive(label).view());
  BOOST_TEST(keys.siteRoot().derive("another").view() != root.derive("another").view());
  BOOST_TEST(!std::filesystem::exists(folder / "keys.db.before-0002"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(core_vault_KeyBackup)

BOOST_AUTO_TEST_CASE(is_sealed_verifies_and_comes_back_without_what_was_destroyed_since) {
  Site site;
  site.put(1, 10);
  const auto backup = site.folder / "b.postern-keys";
  const auto wrapped = site.wrappedKey(3);
  const auto facts = writeKeyBackup(*site.keys, currentRoot(*site.keys, *site.source), backup, site.clock.now());
  BOOST_TEST(facts.objects == 10u);
  BOOST_TEST(files::read(backup).find(wrapped) == std::string::npos);
  BOOST_TEST(verifyKeyBackup(backup, *site.source).objects == 10u);
  const std::uint64_t gone[] = {3, 4};
  site.vault->destroyAll(gone);
  BOOST_CHECK_THROW(restoreKeyBackup(backup, *site.source, site.keysFile, site.journal->file(), true), Error);  // runs
  site.close();
  BOOST_CHECK_EXCEPTION(
      restoreKeyBackup(backup, *site.source, site.keysFile, site.folder / "journal/register.log", false), Error,
      isConfig);
  const auto restored =
      restoreKeyBackup(backup, *site.source, site.keysFile, site.folder / "journal/register.log", true);
  BOOST_TEST(restored.destroyed == 2u);
  BOOST_TEST(filesWith(site.folder.path(), wrapped).empty());
  site.open();
  for (const auto id : gone) BOOST_TEST(!site.vault->get(id));
  BOOST_TEST(site.reads(1, 2));
  BOOST_TEST(site.reads(5, 10));
}

BOOST_AUTO_TEST_CASE(restores_a_machine_that_was_lost_with_its_register) {
  Site site;
  site.put(1, 5);
  site.vault->destroy(2);
  const auto backup = site.folder / "b.postern-keys";
  writeKeyBackup(*site.keys, currentRoot(*site.keys, *site.source), backup, site.clock.now());
  site.close();
  std::filesystem::remove_all(site.folder / "journal");
  std::filesystem::remove(site.keysFile);
  restoreKeyBackup(backup, *site.source, site.keysFile, site.folder / "journal/register.log", false);
  site.open();
  BOOST_TEST(!site.vault->get(2));
  BOOST_TEST(site.reads(3, 5));
}

BOOST_AUTO_TEST_CASE(a_changed_or_cut_one_and_one_of_another_root_key_is_refused) {
  Site site;
  site.put(1, 3);
  const auto backup = site.folder / "b.postern-keys";
  writeKeyBackup(*site.keys, currentRoot(*site.keys, *site.source), backup, site.clock.now());
  const auto whole = files::read(backup);
  for (std::size_t at = 0; at < whole.size(); at += 101) {
    auto bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    files::replaceDurably(backup, bad);
    BOOST_CHECK_THROW(verifyKeyBackup(backup, *site.source), Error);
    files::replaceDurably(backup, whole.substr(0, at));
    BOOST_CHECK_THROW(verifyKeyBackup(backup, *site.source), Error);
  }
  files::replaceDurably(backup, whole);
  site.keys->changeRoot(site.source->prepareNext(), site.clock.now());
  site.source->finishNext();
  BOOST_CHECK_EXCEPTION(verifyKeyBackup(backup, *site.source), Error, isConfig);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(core_vault_RootKeySource)

BOOST_AUTO_TEST_CASE(a_passphrase_opens_the_key_and_a_wrong_one_is_told) {
  test::TempFolder folder;
  const auto file = folder / "root.key";
  int asked = 0;
  const auto right = [&](const std::string&) {
    ++asked;
    return Secret("correct horse battery");
  };
  const auto made = RootKeySource::create("passphrase", file, right)->candidates().front().key;
  BOOST_TEST(files::read(file).find("correct horse") == std::string::npos);
  BOOST_TEST(files::read(file).find("argon2id") != std::string::npos);
  const auto opened = RootKeySource::open("passphrase", file, right);
  BOOST_TEST(opened->candidates().front().key.checkValue() == made.checkValue());
  BOOST_TEST(asked == 2);
  const auto next = opened->prepareNext();
  BOOST_TEST(opened->candidates().size() == 2u);
  opened->finishNext();
  BOOST_TEST(asked == 2);
  BOOST_TEST(RootKeySource::open("passphrase", file, right)->candidates().front().key.checkValue() ==
             next.checkValue());
  const auto wrong = RootKeySource::open("passphrase", file, [](const std::string&) { return Secret("wrong"); });
  BOOST_CHECK_EXCEPTION(wrong->candidates(), Error, isConfig);
  BOOST_CHECK_EXCEPTION(RootKeySource::create("passphrase", file, right), Error, isConfig);
  BOOST_CHECK_EXCEPTION(
      RootKeySource::create("passphrase", folder / "short", [](const std::string&) { return Secret("short"); }), Error,
      isConfig);
  files::replaceDurably(file, "postern-root-key 1\nargon2id 999999999 3 1\nsalt 00\nsealed 00\n");
  BOOST_CHECK_THROW(RootKeySource::open("passphrase", file, right), Error);
}

BOOST_AUTO_TEST_CASE(a_credential_is_read_where_systemd_puts_it_and_its_absence_is_told) {
  test::TempFolder folder;
  ::unsetenv("CREDENTIALS_DIRECTORY");
  BOOST_CHECK_EXCEPTION(RootKeySource::open("credential:root", {}, noPassphrase), Error, isConfig);
  ::setenv("CREDENTIALS_DIRECTORY", folder.path().c_str(), 1);
  const auto source = RootKeySource::open("credential:root", {}, noPassphrase);
  BOOST_CHECK_EXCEPTION(source->candidates(), Error, isConfig);
  const auto key = RootKey::create(folder / "root");
  BOOST_TEST(source->candidates().front().key.checkValue() == key.checkValue());
  BOOST_CHECK_EXCEPTION(source->prepareNext(), Error, isConfig);
  const auto next = RootKey::create(folder / "root.next");
  BOOST_TEST(source->prepareNext().checkValue() == next.checkValue());
  BOOST_TEST(source->candidates().size() == 2u);
  ::unsetenv("CREDENTIALS_DIRECTORY");
}

BOOST_AUTO_TEST_CASE(the_passphrase_comes_by_a_descriptor_that_is_used_once) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  files::writeAll(ends[1], "by descriptor\nmore", "pipe");
  ::close(ends[1]);
  ::setenv("POSTERN_PASSPHRASE_FD", std::to_string(ends[0]).c_str(), 1);
  BOOST_TEST(askPassphrase("x").view() == "by descriptor");
  BOOST_TEST(::getenv("POSTERN_PASSPHRASE_FD") == nullptr);
  BOOST_TEST(::fcntl(ends[0], F_GETFD) == -1);
  ::setenv("POSTERN_PASSPHRASE_FD", "the passphrase itself", 1);
  BOOST_CHECK_EXCEPTION(askPassphrase("x"), Error, isConfig);
  ::unsetenv("POSTERN_PASSPHRASE_FD");
}

BOOST_AUTO_TEST_SUITE_END()
