#include "core/app/TraceId.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"

namespace postern::app {

namespace {

constexpr std::size_t Bytes = 16;
constexpr std::string_view Invalid = "00000000000000000000000000000000";

}  // namespace

std::string newTraceId() {
  auto id = crypto::hex(crypto::randomBytes(Bytes));
  return id == Invalid ? newTraceId() : id;
}

std::string traceIdOf(std::string_view bytes) {
  return crypto::hex(crypto::sha256(bytes).substr(0, Bytes));
}

bool isTraceId(std::string_view text) {
  return text.size() == 2 * Bytes && text.find_first_not_of("0123456789abcdef") == std::string_view::npos &&
         text != Invalid;
}

}  // namespace postern::app
