#include "core/base/Error.h"
#include "core/base/Files.h"

#include <stdlib.h>

using namespace postern;

BOOST_AUTO_TEST_SUITE(core_base_Files)

BOOST_AUTO_TEST_CASE(replaces_a_file_whole_and_leaves_no_temporary_behind) {
  char name[] = "/tmp/postern-test-XXXXXX";
  const std::filesystem::path folder = mkdtemp(name);
  files::replaceDurably(folder / "f", "old");
  files::replaceDurably(folder / "f", "new");
  BOOST_TEST(files::read(folder / "f") == "new");
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(names_the_path_that_cannot_be_read) {
  BOOST_CHECK_EXCEPTION(files::read("/nonexistent/file"), Error, [](const Error& error) {
    return error.kind() == ErrorKind::Io && error.message().find("/nonexistent/file") != std::string::npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()
