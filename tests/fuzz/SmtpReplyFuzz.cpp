// rooms: smtp
#include "core/smtp/Client.h"

#include <cstdlib>

// A hostile server: its bytes in any pieces, at any step, must never crash the client, never make it send content
// without a 354 and never give a message two results.
using namespace postern::smtp;

namespace {

void expect(bool condition) {
  if (!condition) std::abort();
}

void talk(std::string_view bytes, std::size_t piece, ClientTls tls) {
  ClientDialog dialog("gate.example", tls);
  std::size_t begun = 0;
  std::size_t results = 0;
  const auto act = [&] {
    for (;;) {
      const auto output = dialog.takeOutput();
      if (!dialog.hasTls() && (tls == ClientTls::Required || tls == ClientTls::Verified))
        expect(output.find("MAIL") == std::string::npos);
      while (auto result = dialog.takeResult()) {
        ++results;
        expect(result->text.size() <= 512);
        for (const unsigned char c : result->text) expect(c >= 0x20 && c < 0x7f);
      }
      const auto want = dialog.want();
      if (want == ClientDialog::Want::TlsHandshake) {
        dialog.tlsStarted();
      } else if (want == ClientDialog::Want::Content) {
        dialog.contentSent();
        if (dialog.mayBegin() && begun < 8 && ++begun) dialog.begin({"a@b", "c@d", 100, false, false});
      } else if (want == ClientDialog::Want::Idle && begun < 8) {
        ++begun;
        dialog.begin({"a@b", "c@d", 100, begun % 2 == 0, false});
      } else {
        return;
      }
    }
  };
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    dialog.receive(bytes.substr(0, piece));
    act();
  }
  dialog.broken("end");
  act();
  expect(results == begun);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  talk(bytes, std::size_t{data[0]} + 1, static_cast<ClientTls>(data[1] % 4));
  return 0;
}
