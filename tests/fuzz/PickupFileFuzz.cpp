// rooms: listd
#include "core/base/Error.h"
#include "listd/pickup/PickupFile.h"

#include <cstdlib>

// Bytes that were not made with the key never open, and are refused with an error of our own, never a crash; so is a
// good file with any one byte changed or any end cut off.
using namespace postern;
using namespace postern::listd;

namespace {

bool opens(const Secret& key, std::string_view file) {
  try {
    pickupfile::open(key, 77, file);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const Secret key(std::string(32, 'k'));
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static const auto good = pickupfile::seal(key, 77, {"{}", "message"});
  if (opens(key, input) && input != good) std::abort();
  if (size < 3) return 0;
  const auto at = (data[0] * 256u + data[1]) % good.size();
  if (opens(key, std::string_view(good).substr(0, at))) std::abort();
  auto changed = good;
  changed[at] = static_cast<char>(data[2]);
  if (opens(key, changed) != (changed == good)) std::abort();
  return 0;
}
