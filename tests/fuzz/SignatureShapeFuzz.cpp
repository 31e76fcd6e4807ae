// rooms: gateway mailauth mail
#include "core/mailauth/Authentication.h"
#include "gateway/deliver/SignatureShape.h"

#include <cstdint>
#include <cstdlib>

using namespace postern;

// What is let through as a signature begins with one, ends with a line, and is all of the fields' form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto shape = gateway::takeSignatures(text);
  if (shape.size > size) std::abort();
  const auto taken = text.substr(0, shape.size);
  if (!taken.empty() && (!taken.starts_with("DKIM-Signature:") || !taken.ends_with("\r\n"))) std::abort();
  if (taken.find("\r\n\r\n") != taken.npos) std::abort();
  mailauth::saysDmarcPassed(text, "example.org");
  return 0;
}
