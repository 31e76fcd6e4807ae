#include "core/pgp/Rnp.h"

#include "core/base/Error.h"
#include "core/crypto/OpenSsl.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

namespace postern::pgp::rnp {

void check(rnp_result_t result, std::string_view doing) {
  if (result == RNP_SUCCESS) return;
  throw Error(ErrorKind::Crypto,
              std::string("cannot ").append(doing).append(": ").append(rnp_result_to_string(result)));
}

Ffi store(TimePoint now) {
  Ffi ffi;
  check(rnp_ffi_create(out(ffi), "GPG", "GPG"), "start librnp");
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0 && rnp_ffi_set_log_fd(ffi.get(), nowhere) != RNP_SUCCESS) close(nowhere);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  check(rnp_set_timestamp(ffi.get(), static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 1))), "set the time");
  return ffi;
}

void load(const Ffi& ffi, std::string_view bytes, std::uint32_t flags) {
  const auto input = memoryInput(bytes);
  check(rnp_load_keys(ffi.get(), "GPG", input.get(), flags), "load an OpenPGP key");
}

Key find(const Ffi& ffi, std::string_view fingerprintHex) {
  Key key;
  check(rnp_locate_key(ffi.get(), "fingerprint", std::string(fingerprintHex).c_str(), out(key)), "find an OpenPGP key");
  if (!key) throw Error(ErrorKind::Crypto, "an OpenPGP key is not where it was put");
  return key;
}

Input memoryInput(std::string_view bytes) {
  Input input;
  if (bytes.empty()) {  // which librnp refuses to take from memory
    const auto atEnd = [](void*, void*, std::size_t, std::size_t* count) {
      *count = 0;
      return true;
    };
    check(rnp_input_from_callback(out(input), atEnd, nullptr, nullptr), "read an OpenPGP object");
    return input;
  }
  check(rnp_input_from_memory(out(input), crypto::bytesOf(bytes), bytes.size(), false), "read an OpenPGP object");
  return input;
}

Output memoryOutput(std::size_t most) {
  Output output;
  check(rnp_output_to_memory(out(output), most), "write an OpenPGP object");
  return output;
}

std::string_view contentOf(const Output& output) {
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  check(rnp_output_memory_get_buf(output.get(), &bytes, &size, false), "write an OpenPGP object");
  return {reinterpret_cast<const char*>(bytes), size};
}

Secret takeSecret(const Output& output) {
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  check(rnp_output_memory_get_buf(output.get(), &bytes, &size, false), "write an OpenPGP key");
  Secret secret(std::string_view(reinterpret_cast<const char*>(bytes), size));
  OPENSSL_cleanse(bytes, size);
  return secret;
}

}  // namespace postern::pgp::rnp
