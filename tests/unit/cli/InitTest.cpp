#include "cli/CommandLine.h"
#include "core/base/Files.h"
#include "tests/support/TempFolder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

using namespace postern;
using cli::Exit;

namespace {

constexpr uid_t Gateway = 4801;
constexpr uid_t Listd = 4802;
constexpr gid_t Tls = 4803;
constexpr gid_t Readers = 4804;

struct Facts {
  uid_t owner;
  gid_t group;
  mode_t mode;
  bool operator==(const Facts&) const = default;
};

Facts factsOf(const std::filesystem::path& path) {
  struct stat facts {};
  BOOST_REQUIRE_MESSAGE(::lstat(path.c_str(), &facts) == 0, path);
  return {facts.st_uid, facts.st_gid, facts.st_mode & 07777};
}

void layOut(const std::filesystem::path& folder, const Facts& facts) {
  std::filesystem::create_directories(folder);
  BOOST_REQUIRE(::chown(folder.c_str(), facts.owner, facts.group) == 0);
  BOOST_REQUIRE(::chmod(folder.c_str(), facts.mode) == 0);
}

// As the package's tmpfiles.d lays a site out.
void layOutPackage(const std::filesystem::path& data, const std::filesystem::path& settings) {
  layOut(settings, {0, Readers, 02750});
  layOut(data, {0, Readers, 0750});
  layOut(data / "tls", {0, Tls, 02750});
  layOut(data / "policies", {0, Gateway, 02750});
  layOut(data / "keys", {Listd, Listd, 0700});
  layOut(data / "listd", {Listd, Readers, 02710});
  std::filesystem::create_symlink(settings / "postern.toml", data / "postern.toml");
}

struct Outcome {
  Exit exit;
  std::string out, err;
};

Outcome init(const std::filesystem::path& data, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"--data", data.string(), "--json", "init", "--host-name", "mail.example.org"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  std::ostringstream out, err;
  const auto exit = cli::runCommandLine(arguments, out, err);
  return {exit, out.str(), err.str()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_Init)

BOOST_AUTO_TEST_CASE(in_the_layout_of_the_package_each_file_belongs_to_whom_its_folder_belongs) {
  if (::geteuid() != 0) {
    BOOST_TEST_MESSAGE("passed over: only root gives files away");
    return;
  }
  test::TempFolder folder;
  const auto data = folder / "data", settings = folder / "etc";
  layOutPackage(data, settings);
  const auto made = init(data);
  BOOST_REQUIRE_MESSAGE(made.exit == Exit::Ok, made.out);
  BOOST_TEST(std::filesystem::is_symlink(data / "postern.toml"));
  BOOST_TEST((factsOf(settings / "postern.toml") == Facts{0, Readers, 0640}));
  BOOST_TEST((factsOf(data / "keys/root.key") == Facts{Listd, Listd, 0600}));
  BOOST_TEST((factsOf(data / "tls/key.pem") == Facts{0, Tls, 0640}));
  BOOST_TEST((factsOf(data / "policies/lib") == Facts{0, Gateway, 02750}));
  BOOST_TEST((factsOf(data / "policies/secure_tag.lua") == Facts{0, Gateway, 0640}));
  BOOST_TEST((factsOf(data / "listd") == Facts{Listd, Readers, 02710}));
  const auto text = files::read(settings / "postern.toml");
  for (const auto* part :
       {"\"0.0.0.0:25\", \"[::]:25\"", "\"0.0.0.0:465\"", "\"0.0.0.0:443\"", "\"https://mail.example.org\""})
    BOOST_TEST(text.find(part) != std::string::npos, part);
  BOOST_TEST((init(data).exit == Exit::Broken));  // once
}

BOOST_AUTO_TEST_CASE(in_a_folder_of_ones_own_nothing_is_shared) {
  test::TempFolder folder;
  const auto parent = folder / "shared", data = parent / "site";
  std::filesystem::create_directories(parent);
  BOOST_REQUIRE(::chmod(parent.c_str(), 02777) == 0);  // what is made in it has the bit, too
  BOOST_REQUIRE((init(data).exit == Exit::Ok));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data))
    BOOST_TEST((factsOf(entry.path()).mode & 0077) == 0u, entry.path());
  BOOST_TEST(files::read(data / "postern.toml").find("127.0.0.1:2525") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
