#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/vault/Journal.h"
#include "tests/support/TempFolder.h"

using namespace postern;
using namespace postern::vault;

namespace {

std::vector<std::string> payloads(const Journal& journal, std::uint64_t after = 0) {
  std::vector<std::string> all;
  journal.forEach([&](const Journal::Record& record) { all.push_back(std::string(record.payload)); }, after);
  return all;
}

struct Register {
  test::TempFolder folder;
  const std::filesystem::path file = folder / "journal/register.log";
  Register() {
    Journal journal(file);
    journal.append(Journal::Kind::HoldPlaced, "one");
    journal.append(Journal::Kind::Tombstone, "");
    journal.append(Journal::Kind::FloorLocked, std::string(3u << 20, 'x'));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_vault_Journal)

BOOST_AUTO_TEST_CASE(gives_back_what_was_appended_in_order_also_after_a_restart) {
  const Register kept;
  Journal journal(kept.file);
  BOOST_TEST(journal.last() == 3u);
  BOOST_TEST(journal.append(Journal::Kind::HoldReleased, "four") == 4u);
  const auto all = payloads(journal);
  BOOST_TEST(all.size() == 4u);
  BOOST_TEST(all[0] == "one");
  BOOST_TEST(all[2].size() == 3u << 20);
  BOOST_TEST(payloads(journal, 3).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_tail_torn_at_any_byte_is_cut_and_the_rest_stands) {
  const Register kept;
  const auto whole = files::read(kept.file);
  {
    Journal journal(kept.file);
    journal.append(Journal::Kind::HoldPlaced, "the last one");
  }
  const auto longer = files::read(kept.file);
  for (auto size = whole.size(); size < longer.size(); ++size) {
    files::replaceDurably(kept.file, longer.substr(0, size));
    Journal journal(kept.file);
    BOOST_REQUIRE_EQUAL(journal.last(), 3u);
    BOOST_REQUIRE_EQUAL(std::filesystem::file_size(kept.file), whole.size());
  }
}

BOOST_AUTO_TEST_CASE(damage_before_a_good_record_is_told_nothing_is_cut_and_all_that_can_be_read_is_given) {
  const Register kept;
  const auto whole = files::read(kept.file);
  for (const std::size_t at : {std::size_t{9}, std::size_t{13}, std::size_t{18}, std::size_t{25}}) {
    auto bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    files::replaceDurably(kept.file, bad);
    Journal journal(kept.file);
    BOOST_TEST_REQUIRE(journal.trouble().has_value());
    BOOST_CHECK_THROW(journal.append(Journal::Kind::HoldPlaced, "x"), Error);
    BOOST_TEST(payloads(journal).size() == 2u);
    BOOST_TEST(payloads(journal, 3).size() == 2u);  // numbers say nothing any more
    BOOST_REQUIRE_EQUAL(std::filesystem::file_size(kept.file), whole.size());
  }
  for (const auto* other : {"another file altogether", "PSTNJRN2"}) {
    files::replaceDurably(kept.file, other);
    const Journal journal(kept.file);
    BOOST_TEST(journal.trouble().has_value());
    BOOST_TEST(payloads(journal).empty());
    BOOST_TEST(files::read(kept.file) == other);
  }
  files::replaceDurably(kept.file, whole);
  BOOST_TEST(!Journal(kept.file).trouble());
}

BOOST_AUTO_TEST_CASE(has_one_owner) {
  const Register kept;
  const Journal journal(kept.file);
  BOOST_CHECK_THROW(Journal second(kept.file), Error);
}

BOOST_AUTO_TEST_SUITE_END()
