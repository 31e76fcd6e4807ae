#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/store/Crc32c.h"
#include "core/store/SegmentLog.h"
#include "tests/support/FaultyDisk.h"
#include "tests/support/TempFolder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

using namespace postern;
using namespace postern::store;

namespace {

std::vector<std::string> metas(SegmentLog& log, LogPosition from = {}) {
  std::vector<std::string> found;
  log.scan(from, [&](const SegmentLog::ScannedRecord& record) { found.emplace_back(record.meta); });
  return found;
}

RecordRef put(SegmentLog& log, std::string_view meta, std::string_view body) {
  const SegmentLog::NewRecord record{1, meta, body};
  return log.append({&record, 1}).front();
}

std::filesystem::path segmentFile(const test::TempFolder& folder, int number) {
  char name[32];
  std::snprintf(name, sizeof name, "%016x.seg", static_cast<unsigned>(number));
  return folder / name;
}

bool isDiskFull(const Error& error) {
  return error.kind() == ErrorKind::DiskFull;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_store_SegmentLog)

BOOST_AUTO_TEST_CASE(crc_is_that_of_the_standard) {
  BOOST_TEST(crc32c("123456789") == 0xe3069283u);  // RFC 3720 appendix B.4 polynomial, the usual check value
  BOOST_TEST(crc32c("56789", crc32c("1234")) == 0xe3069283u);
}

BOOST_AUTO_TEST_CASE(reads_back_what_was_appended_also_after_a_restart) {
  const test::TempFolder folder;
  std::vector<RecordRef> refs;
  {
    SegmentLog log(folder.path(), {});
    refs.push_back(put(log, "a", "first"));
    refs.push_back(put(log, "b", ""));
    refs.push_back(put(log, "", std::string(5u << 20, 'x')));  // a file of its own
    BOOST_TEST(log.read(refs[0]) == "first");
  }
  SegmentLog log(folder.path(), {});
  BOOST_TEST(log.read(refs[0]) == "first");
  BOOST_TEST(log.read(refs[1]).empty());
  BOOST_TEST(log.read(refs[2]).size() == 5u << 20);
  BOOST_TEST(metas(log) == (std::vector<std::string>{"a", "b", ""}), boost::test_tools::per_element());
  put(log, "c", "more");
  BOOST_TEST(metas(log).size() == 4);
}

BOOST_AUTO_TEST_CASE(a_group_of_records_costs_one_sync) {
  const test::TempFolder folder;
  test::FaultyDisk disk;
  SegmentLog log(folder.path(), {}, &disk);
  put(log, "", "opens the segment");
  const int before = disk.syncs;
  const std::vector<SegmentLog::NewRecord> records(100, {1, "m", "body"});
  BOOST_TEST(log.append(records).size() == 100);
  BOOST_TEST(disk.syncs - before == 1);
}

BOOST_AUTO_TEST_CASE(a_tail_torn_at_any_byte_is_cut_and_what_was_before_stays) {
  const test::TempFolder folder;
  std::uint64_t whole = 0;
  {
    SegmentLog log(folder.path(), {});
    put(log, "first", "one");
    whole = log.end().offset;
    put(log, "second", "two two two");
  }
  const auto content = files::read(segmentFile(folder, 1));
  for (auto size = whole; size < content.size(); ++size) {
    for (const bool zeros : {false, true}) {
      auto torn = content.substr(0, size);
      if (zeros) torn.resize(content.size() + 100, '\0');  // as preallocated space looks
      files::replaceDurably(segmentFile(folder, 1), torn);
      SegmentLog log(folder.path(), {});
      BOOST_TEST_REQUIRE(log.end().offset == whole);
      BOOST_TEST_REQUIRE(metas(log).size() == 1);
      BOOST_TEST_REQUIRE(log.damaged() == 0);
      put(log, "third", "3");
      BOOST_TEST_REQUIRE(metas(log).back() == "third");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_rotten_record_in_the_middle_is_counted_and_the_next_is_still_found) {
  const test::TempFolder folder;
  {
    SegmentLog log(folder.path(), {});
    for (const char* name : {"a", "b", "c"}) put(log, name, "some body");
  }
  auto content = files::read(segmentFile(folder, 1));
  content[16 + 16 + 1 + 9 + 16 + 3] ^= 1;  // in the body of b
  files::replaceDurably(segmentFile(folder, 1), content);
  SegmentLog log(folder.path(), {});
  BOOST_TEST(metas(log) == (std::vector<std::string>{"a", "c"}), boost::test_tools::per_element());
  BOOST_TEST(log.damaged() == 1);
}

BOOST_AUTO_TEST_CASE(records_of_an_older_file_do_not_pass) {
  const test::TempFolder folder;
  {
    SegmentLog log(folder.path(), {.segmentSize = 100});
    put(log, "a", std::string(80, 'x'));
    put(log, "b", std::string(80, 'y'));
  }
  auto stale = files::read(segmentFile(folder, 1));
  stale.replace(0, 16, files::read(segmentFile(folder, 2)).substr(0, 16));  // its header, older records
  files::replaceDurably(segmentFile(folder, 2), stale);
  SegmentLog log(folder.path(), {});
  BOOST_TEST(metas(log).size() == 1);
}

BOOST_AUTO_TEST_CASE(rotates_and_deletes_segments_without_retained_records_before_the_position) {
  const test::TempFolder folder;
  SegmentLog log(folder.path(), {.segmentSize = 1000});
  std::vector<RecordRef> refs;
  for (int i = 0; i < 10; ++i) refs.push_back(put(log, "", std::string(900, 'x')));
  BOOST_TEST(log.segments() == 10);
  log.release(refs[0]);
  BOOST_TEST(log.segments() == 10);  // nobody said yet how far deleting is safe
  log.allowReclaim({5, 0});
  BOOST_TEST(log.segments() == 9);
  log.release(refs[2]);
  log.release(refs[7]);  // behind the position
  BOOST_TEST(log.segments() == 8);
  log.allowReclaim(log.end());
  BOOST_TEST(log.segments() == 7);
  BOOST_TEST(log.read(refs[1]).size() == 900);
  BOOST_CHECK_THROW(log.read(refs[0]), Error);
}

BOOST_AUTO_TEST_CASE(separate_bodies_that_nobody_retains_are_deleted_after_a_restart) {
  const test::TempFolder folder;
  RecordRef kept, gone;
  {
    SegmentLog log(folder.path(), {.separateBodySize = 100});
    kept = put(log, "k", std::string(200, 'k'));
    gone = put(log, "g", std::string(200, 'g'));
  }
  SegmentLog log(folder.path(), {.separateBodySize = 100});
  log.retain(kept);
  log.allowReclaim({});
  BOOST_TEST(log.read(kept) == std::string(200, 'k'));
  BOOST_CHECK_THROW(log.read(gone), Error);
  log.release(kept);
  BOOST_CHECK_THROW(log.read(kept), Error);
}

BOOST_AUTO_TEST_CASE(keeps_the_reserve_free_and_writes_nothing_then) {
  const test::TempFolder folder;
  test::FaultyDisk disk;
  SegmentLog log(folder.path(), {.minFreeSpace = 1000}, &disk);
  put(log, "a", "a");
  const auto end = log.end();
  disk.free = 1010;
  BOOST_CHECK_EXCEPTION(put(log, "b", "b"), Error, isDiskFull);
  BOOST_TEST((log.end() == end));
  const SegmentLog::NewRecord small{1, "c", "c"};
  log.append({&small, 1}, SegmentLog::Reserve::Use);
  disk.free = -1;
  put(log, "d", "d");
  BOOST_TEST(metas(log) == (std::vector<std::string>{"a", "c", "d"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_failed_write_leaves_no_record_and_the_next_one_works) {
  for (const bool truncateFails : {false, true}) {
    const test::TempFolder folder;
    test::FaultyDisk disk;
    {
      SegmentLog log(folder.path(), {.separateBodySize = 1000}, &disk);
      put(log, "a", "a");
      disk.truncateFails = truncateFails;
      disk.shortWriteAt = 20;  // then no room
      disk.writeError = ENOSPC;
      BOOST_CHECK_EXCEPTION(put(log, "b", "bbbbbbbbbbbbbbb"), Error, isDiskFull);
      BOOST_CHECK_EXCEPTION(put(log, "b", std::string(2000, 'b')), Error, isDiskFull);
      disk.writeError = 0;
      disk.truncateFails = false;
      put(log, "c", "c");
    }
    SegmentLog log(folder.path(), {});
    BOOST_TEST(metas(log) == (std::vector<std::string>{"a", "c"}), boost::test_tools::per_element());
    log.allowReclaim({});
    BOOST_TEST(std::none_of(std::filesystem::directory_iterator(folder.path()), {},
                            [](const auto& entry) { return entry.path().extension() == ".body"; }));
  }
}

BOOST_AUTO_TEST_CASE(a_short_write_is_continued) {
  const test::TempFolder folder;
  test::FaultyDisk disk;
  SegmentLog log(folder.path(), {}, &disk);
  put(log, "a", "a");
  disk.shortWriteAt = 5;
  const auto ref = put(log, "b", "the whole body");
  BOOST_TEST(log.read(ref) == "the whole body");
}

BOOST_AUTO_TEST_CASE(a_segment_whose_sync_failed_is_never_written_again) {
  const test::TempFolder folder;
  test::FaultyDisk disk;
  RecordRef before, after;
  {
    SegmentLog log(folder.path(), {}, &disk);
    before = put(log, "a", "a");
    disk.syncError = EIO;
    BOOST_CHECK_EXCEPTION(put(log, "b", "b"), Error, [](const Error& e) { return e.kind() == ErrorKind::Io; });
    disk.syncError = 0;
    after = put(log, "c", "c");
    BOOST_TEST(after.segment > before.segment);
  }
  SegmentLog log(folder.path(), {});
  BOOST_TEST(metas(log) == (std::vector<std::string>{"a", "c"}), boost::test_tools::per_element());
  BOOST_TEST(log.read(before) == "a");
}

// A real full disk: a small tmpfs where this may be mounted (root), otherwise only the faults above speak.
BOOST_AUTO_TEST_CASE(a_really_full_disk_loses_nothing_and_takes_records_again_with_room) {
  const test::TempFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=300k,mode=700") != 0) {
    BOOST_TEST_MESSAGE("not allowed to mount a tmpfs");
    return;
  }
  const std::shared_ptr<void> unmount(nullptr, [&](void*) { ::umount2(folder.path().c_str(), MNT_DETACH); });
  std::size_t stored = 0;
  const auto fill = [&](SegmentLog& log) {
    try {
      while (true) {
        put(log, std::to_string(stored), std::string(7000, 'x'));
        ++stored;
      }
    } catch (const Error& error) {
      BOOST_TEST_REQUIRE(isDiskFull(error), error.message());
    }
  };
  SegmentLog log(folder / "log", {.segmentSize = 100000});
  fill(log);
  BOOST_TEST(stored > 10);
  BOOST_TEST(metas(log).size() == stored);
  log.scan({}, [&](const SegmentLog::ScannedRecord& record) {
    if (record.ref.segment == 1) log.release(record.ref);
  });
  log.allowReclaim(log.end());
  const auto before = stored;
  fill(log);
  BOOST_TEST(stored > before);
  BOOST_TEST(log.damaged() == 0);
}

BOOST_AUTO_TEST_CASE(everything_acknowledged_survives_kills_at_random_moments) {
  const test::TempFolder folder;
  std::mt19937 random(4711);
  std::uint32_t acknowledged = 0;  // record n has the number n in its meta and n % 3000 bytes of body
  for (int round = 0; round < 50; ++round) {
    int pipes[2];
    BOOST_TEST_REQUIRE(pipe(pipes) == 0);
    const auto child = fork();
    if (child == 0) {
      SegmentLog log(folder.path(), {.segmentSize = 200000, .separateBodySize = 2500});
      auto next = static_cast<std::uint32_t>(metas(log).size());
      while (true) {
        std::vector<std::string> texts, bodies;
        for (std::uint32_t i = 0; i < 1 + next % 7; ++i) {
          texts.push_back(std::to_string(next + i));
          bodies.emplace_back((next + i) % 3000, static_cast<char>('a' + (next + i) % 26));
        }
        std::vector<SegmentLog::NewRecord> records;
        for (std::size_t i = 0; i < texts.size(); ++i) records.push_back({1, texts[i], bodies[i]});
        log.append(records);
        next += static_cast<std::uint32_t>(records.size());
        if (write(pipes[1], &next, sizeof next) != sizeof next) _exit(1);
      }
    }
    std::uint32_t value = 0;
    for (auto groups = random() % 8; groups > 0; --groups)
      if (read(pipes[0], &value, sizeof value) == sizeof value) acknowledged = value;
    usleep(static_cast<useconds_t>(random() % 4000));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(pipes[1]);
    while (read(pipes[0], &value, sizeof value) == sizeof value) acknowledged = value;
    close(pipes[0]);

    SegmentLog log(folder.path(), {.segmentSize = 200000, .separateBodySize = 2500});
    std::uint32_t count = 0;
    bool allGood = true;
    log.scan({}, [&](const SegmentLog::ScannedRecord& record) {
      const auto body = log.read(record.ref);
      allGood = allGood && record.meta == std::to_string(count) &&
                body == std::string(count % 3000, static_cast<char>('a' + count % 26));
      ++count;
    });
    BOOST_TEST_REQUIRE(allGood);
    BOOST_TEST_REQUIRE(count >= acknowledged);
    BOOST_TEST_REQUIRE(log.damaged() == 0);
  }
  BOOST_TEST(acknowledged > 300);
}

BOOST_AUTO_TEST_SUITE_END()
