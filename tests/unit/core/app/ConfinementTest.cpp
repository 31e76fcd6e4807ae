#include "core/app/Confinement.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "tests/support/TempFolder.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

using namespace postern;

namespace {

// Runs the check in a child, because there is no way back out of a confinement.
bool inChild(const std::function<bool()>& check) {
  const auto process = ::fork();
  if (process == 0) ::_exit(check() ? 0 : 1);
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool opens(const std::filesystem::path& path, int flags) {
  return FileDescriptor(::open(path.c_str(), flags | O_CLOEXEC, 0600)).get() >= 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_app_Confinement)

BOOST_AUTO_TEST_CASE(a_confined_process_opens_what_it_was_given_and_nothing_else) {
  test::TempFolder folder;
  for (const auto* name : {"own", "shown", "vault"}) {
    files::makePrivateFolder(folder / name);
    files::replaceDurably(folder / name / "file", "content");
  }
  BOOST_TEST(inChild([&] {
    app::Confinement confinement;
    confinement.mayWrite(folder / "own").mayRead(folder / "shown").mayRead(folder / "missing");
    return confinement.enforce() && opens(folder / "own/file", O_RDWR) && opens(folder / "own/new", O_CREAT | O_RDWR) &&
           opens(folder / "shown/file", O_RDONLY) && !opens(folder / "shown/file", O_RDWR) &&
           !opens(folder / "shown/new", O_CREAT | O_RDWR) && !opens(folder / "vault/file", O_RDONLY) &&
           !opens(folder / "vault", O_RDONLY) && !opens("/root", O_RDONLY);
  }));
}

BOOST_AUTO_TEST_CASE(a_tls_file_beside_the_keys_is_refused) {
  config::SiteConfig config;
  config.dataFolder = "/srv/postern";
  BOOST_CHECK_NO_THROW(app::Confinement().mayReadTlsFiles(config));
  for (const auto* where : {"cert.pem", "/srv/cert.pem", "/cert.pem", "tls/../cert.pem"}) {
    config.certificate = where;
    BOOST_CHECK_THROW(app::Confinement().mayReadTlsFiles(config), Error);
  }
}

BOOST_AUTO_TEST_SUITE_END()
