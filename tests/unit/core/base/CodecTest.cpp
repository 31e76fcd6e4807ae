#include "core/base/Codec.h"
#include "core/base/Error.h"

#include <array>

using namespace postern;

BOOST_AUTO_TEST_SUITE(core_base_Codec)

BOOST_AUTO_TEST_CASE(reads_back_what_was_written) {
  Writer writer;
  writer.u8(7).u16(515).u32(70000).u64(1ull << 40).i64(-5).boolean(true).string("text").raw("end");
  Reader reader(writer.bytes());
  BOOST_TEST(reader.u8() == 7);
  BOOST_TEST(reader.u16() == 515);
  BOOST_TEST(reader.u32() == 70000u);
  BOOST_TEST(reader.u64() == 1ull << 40);
  BOOST_TEST(reader.i64() == -5);
  BOOST_TEST(reader.boolean());
  BOOST_TEST(reader.string() == "text");
  BOOST_TEST(reader.rest() == "end");
}

BOOST_AUTO_TEST_CASE(refuses_a_record_that_ends_early) {
  const std::string whole = Writer().string("twelve bytes").bytes();
  for (std::size_t length = 0; length < whole.size(); ++length)
    BOOST_CHECK_THROW(Reader(std::string_view(whole).substr(0, length)).view(), Error);
}

BOOST_AUTO_TEST_CASE(refuses_a_count_larger_than_the_record) {
  const std::string bytes = Writer().u32(0xffffffff).u8(1).bytes();
  Reader reader(bytes);
  BOOST_CHECK_THROW(reader.list<int>([](Reader& r) { return r.u8(); }), Error);
}

BOOST_AUTO_TEST_CASE(asks_for_no_memory_that_a_strangers_count_does_not_pay_for) {
  struct Large {
    std::array<char, 65536> bytes;
  };
  constexpr std::uint32_t Count = 10'000'000;  // 640 GB, if it were believed
  const std::string bytes = Writer().u32(Count).raw(std::string(Count, 'x')).bytes();
  Reader reader(bytes);
  const auto refuseTheItem = [](Reader&) -> Large { throw Error(ErrorKind::Malformed, "no item"); };
  BOOST_CHECK_THROW(reader.list<Large>(refuseTheItem), Error);
}

BOOST_AUTO_TEST_CASE(refuses_an_enumerator_that_is_not_there) {
  enum class Colour : std::uint8_t { Red, Blue };
  Reader reader(std::string_view("\1\2", 2));
  BOOST_CHECK(reader.enumeration(Colour::Blue) == Colour::Blue);
  BOOST_CHECK_THROW(reader.enumeration(Colour::Blue), Error);
}

BOOST_AUTO_TEST_CASE(refuses_bytes_after_the_last_field) {
  Reader reader("xy");
  reader.u8();
  BOOST_CHECK_THROW(reader.expectEnd(), Error);
}

BOOST_AUTO_TEST_SUITE_END()
