#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/SealedBox.h"
#include "core/vault/Vault.h"
#include "tests/support/FaultyDisk.h"
#include "tests/support/TempFolder.h"

#include <sys/stat.h>

using namespace postern;
using namespace postern::vault;

namespace {

bool isConfig(const Error& error) {
  return error.kind() == ErrorKind::Config;
}
bool isCrypto(const Error& error) {
  return error.kind() == ErrorKind::Crypto;
}

bool anyFileHolds(const std::filesystem::path& folder, std::string_view needle) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && files::read(entry.path()).find(needle) != std::string::npos) return true;
  return false;
}

struct Site {
  test::TempFolder folder;
  RootKey root = RootKey::create(folder / "keys/root.key");
  SystemClock clock;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_vault_RootKey)

BOOST_AUTO_TEST_CASE(is_created_private_and_loads_as_the_same_key) {
  Site site;
  struct stat facts {};
  BOOST_TEST(::stat((site.folder / "keys/root.key").c_str(), &facts) == 0);
  BOOST_TEST((facts.st_mode & 0777) == 0600);
  const auto loaded = RootKey::load(site.folder / "keys/root.key");
  BOOST_TEST(loaded.derive("x").view() == site.root.derive("x").view());
  BOOST_TEST(loaded.derive("x").view() != site.root.derive("y").view());
}

BOOST_AUTO_TEST_CASE(is_never_replaced) {
  Site site;
  BOOST_CHECK_EXCEPTION(RootKey::create(site.folder / "keys/root.key"), Error, isConfig);
}

BOOST_AUTO_TEST_CASE(is_refused_when_others_can_read_it_or_it_is_no_key) {
  Site site;
  const auto path = site.folder / "keys/root.key";
  for (const unsigned mode : {0640u, 0604u, 0660u}) {
    ::chmod(path.c_str(), mode);
    BOOST_CHECK_EXCEPTION(RootKey::load(path), Error, isConfig);
  }
  for (const char* text : {"", "00", "zz"}) {
    files::replaceDurably(path, text);
    BOOST_CHECK_EXCEPTION(RootKey::load(path), Error, isConfig);
  }
  files::replaceDurably(path, std::string(65, 'a'));
  BOOST_CHECK_EXCEPTION(RootKey::load(path), Error, isConfig);
  BOOST_CHECK_EXCEPTION(RootKey::load(site.folder / "none"), Error, isConfig);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(core_vault_KeyStore)

BOOST_AUTO_TEST_CASE(keeps_the_vault_key_pair_and_signing_keys_wrapped) {
  Site site;
  std::string publicKey, privateKey;
  {
    KeyStore keys(site.folder / "keys/keys.db", site.root);
    publicKey = keys.vaultKeyPair().publicKey;
    privateKey = std::string(keys.vaultKeyPair().privateKey.view());
    keys.storeSigningKey(7, "smime", Secret("canary private key"));
  }
  KeyStore keys(site.folder / "keys/keys.db", site.root);
  BOOST_TEST(keys.vaultKeyPair().publicKey == publicKey);
  BOOST_TEST(crypto::SealedBoxKeys::fromPrivateKey(keys.vaultKeyPair().privateKey).publicKey == publicKey);
  BOOST_TEST(keys.signingKey(7, "smime")->view() == "canary private key");
  BOOST_TEST(!keys.signingKey(8, "smime"));
  BOOST_TEST(!anyFileHolds(site.folder.path(), "canary private key"));
  BOOST_TEST(!anyFileHolds(site.folder.path(), privateKey));
  keys.destroySigningKey(7, "smime");
  BOOST_TEST(!keys.signingKey(7, "smime"));
}

BOOST_AUTO_TEST_CASE(another_root_key_opens_nothing) {
  Site site;
  { KeyStore keys(site.folder / "keys/keys.db", site.root); }
  const auto other = RootKey::create(site.folder / "other.key");
  BOOST_CHECK_EXCEPTION(KeyStore(site.folder / "keys/keys.db", other), Error, isCrypto);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(core_vault_Vault)

BOOST_AUTO_TEST_CASE(gives_back_the_first_content_of_an_object_also_after_a_restart) {
  Site site;
  const std::string large(5u << 20, 'l');
  {
    KeyStore keys(site.folder / "keys/keys.db", site.root);
    Vault vault(site.folder / "vault", keys, site.clock);
    BOOST_TEST(vault.put(1, 10, "canary content"));
    BOOST_TEST(!vault.put(1, 10, "other content"));
    BOOST_TEST(vault.put(2, 11, large));
  }
  KeyStore keys(site.folder / "keys/keys.db", site.root);
  Vault vault(site.folder / "vault", keys, site.clock);
  BOOST_TEST(vault.get(1).value() == "canary content");
  BOOST_TEST((vault.get(2).value() == large));
  BOOST_TEST(!vault.get(3));
  BOOST_TEST(!anyFileHolds(site.folder.path(), "canary content"));
}

BOOST_AUTO_TEST_CASE(many_objects_are_put_together_and_repeats_among_them_change_nothing) {
  Site site;
  KeyStore keys(site.folder / "keys/keys.db", site.root);
  Vault vault(site.folder / "vault", keys, site.clock);
  vault.put(2, 10, "first");
  const Vault::NewObject objects[] = {{1, 10, "one"}, {2, 10, "second"}, {3, 11, "three"}, {3, 11, "again"}};
  BOOST_TEST(vault.putAll(objects) == 2u);
  BOOST_TEST(vault.get(1).value() == "one");
  BOOST_TEST(vault.get(2).value() == "first");
  BOOST_TEST(vault.get(3).value() == "three");
  BOOST_TEST(vault.putAll({}) == 0u);
}

BOOST_AUTO_TEST_CASE(a_destroyed_object_is_gone_and_its_key_is_in_no_file) {
  Site site;
  KeyStore keys(site.folder / "keys/keys.db", site.root);
  Vault vault(site.folder / "vault", keys, site.clock);
  vault.put(1, 10, "content");
  store::RecordRef place = keys.objectKey(1)->place;
  BOOST_TEST(place.segment == 1);
  BOOST_TEST(vault.destroy(1));
  BOOST_TEST(!vault.destroy(1));
  BOOST_TEST(!vault.get(1));
  BOOST_TEST(keys.places().empty());
}

BOOST_AUTO_TEST_CASE(an_object_put_in_the_place_of_another_does_not_open) {
  Site site;
  KeyStore keys(site.folder / "keys/keys.db", site.root);
  Vault vault(site.folder / "vault", keys, site.clock);
  vault.put(1, 10, "mine");
  auto stolen = *keys.objectKey(1);
  stolen.listId = 11;
  keys.storeObjectKeys({{2, stolen}}, site.clock.now());
  BOOST_CHECK_EXCEPTION(vault.get(2), Error, isCrypto);
}

BOOST_AUTO_TEST_CASE(a_full_disk_stores_neither_content_nor_key) {
  Site site;
  test::FaultyDisk disk;
  KeyStore keys(site.folder / "keys/keys.db", site.root);
  Vault vault(site.folder / "vault", keys, site.clock, 1000, &disk);
  disk.free = 500;
  BOOST_CHECK_THROW(vault.put(1, 10, "content"), Error);
  BOOST_TEST(!vault.get(1));
  disk.free = -1;
  BOOST_TEST(vault.put(1, 10, "content"));
  BOOST_TEST(vault.get(1).value() == "content");
}

BOOST_AUTO_TEST_SUITE_END()
