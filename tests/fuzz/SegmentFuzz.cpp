// rooms: store
// A segment file with any bytes: opening, scanning and reading must not go wrong, and what is appended afterwards must
// come back, now and after the next opening.
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/store/SegmentFormat.h"
#include "core/store/SegmentLog.h"

#include <stdlib.h>

#include <fstream>
#include <string>

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

// Puts the right CRC on whatever claims to be a record, so that mutations get past it.
std::string repaired(std::string_view bytes) {
  std::string out = segment::fileHeader(1);
  auto rest = bytes.substr(std::min<std::size_t>(bytes.size(), segment::FileHeaderSize));
  while (const auto header = segment::parseHeader(rest)) {
    if (header->size() > rest.size()) break;
    const auto body = rest.substr(segment::HeaderSize, static_cast<std::size_t>(header->size()) - segment::HeaderSize);
    segment::appendRecord(out, 1, out.size(), *header, body.substr(0, header->metaLength),
                          body.substr(header->metaLength));
    rest.remove_prefix(static_cast<std::size_t>(header->size()));
  }
  return out.append(rest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path folder = [] {
    log::open("fuzz", "fatal");
    char name[] = "/dev/shm/postern-fuzz-XXXXXX";
    return std::filesystem::path(mkdtemp(name));
  }();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) std::filesystem::remove(entry.path());
  std::string file(reinterpret_cast<const char*>(data), size);
  if (size % 4 != 0) file = repaired(file);
  std::ofstream(folder / "0000000000000001.seg", std::ios::binary) << file;
  std::size_t before = 0;
  {
    SegmentLog log(folder, {.segmentSize = 8192});
    before = readAll(log);
    const SegmentLog::NewRecord record{7, "meta", "body"};
    const auto ref = log.append({&record, 1}).front();
    if (log.read(ref) != "body" || readAll(log) != before + 1) abort();
  }
  SegmentLog log(folder, {.segmentSize = 8192});
  if (readAll(log) != before + 1) abort();
  return 0;
}
