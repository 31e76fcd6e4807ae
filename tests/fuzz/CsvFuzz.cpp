// rooms: listd
// Whatever a CSV file holds, records come out in order with line numbers within the file, and what is written from
// the fields of a whole record reads back the same.
#include "listd/orders/Csv.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern::listd;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::size_t last = 0;
  for (const auto& record : readCsv(input)) {
    if (record.line <= last || record.line > size + 1 || record.fields.empty()) std::abort();
    last = record.line;
    const auto again = readCsv("x," + csvLine(record.fields));
    if (again.size() != 1 || again[0].broken || again[0].fields.size() != record.fields.size() + 1) std::abort();
  }
  return 0;
}
