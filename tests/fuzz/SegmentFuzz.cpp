// rooms: store
// A segment file with any bytes: opening, scanning and reading must not go wrong, and what is appended afterwards must
// come back, now and after the next opening.
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/store/SegmentLog.h"

#include <stdlib.h>

#include <fstream>

using namespace postern;
using namespace postern::store;

namespace {

std::size_t readAll(SegmentLog& log) {
  std::size_t count = 0;
  log.scan({}, [&](const SegmentLog::ScannedRecord& record) {
    ++count;
    try {
      const auto stored = log.readRecord(record.ref);
      if (stored.meta != record.meta || stored.type != record.type) abort();
    } catch (const Error&) {  // a separate body that is not there
    }
  });
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path folder = [] {
    log::open("fuzz", "fatal");
    char name[] = "/dev/shm/postern-fuzz-XXXXXX";
    return std::filesystem::path(mkdtemp(name));
  }();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) std::filesystem::remove(entry.path());
  std::ofstream(folder / "0000000000000001.seg", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  std::size_t before = 0;
  {
    SegmentLog log(folder, {});
    before = readAll(log);
    const SegmentLog::NewRecord record{7, "meta", "body"};
    const auto ref = log.append({&record, 1}).front();
    if (log.read(ref) != "body" || readAll(log) != before + 1) abort();
  }
  SegmentLog log(folder, {});
  if (readAll(log) != before + 1) abort();
  return 0;
}
