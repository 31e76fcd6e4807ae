#include "webadmin/QrCode.h"

#include "core/base/Error.h"
#include "webadmin/Template.h"

#include <qrencode.h>

#include <memory>
#include <nlohmann/json.hpp>

namespace postern::webadmin {

namespace {

constexpr int QuietZone = 4;  // modules, ISO/IEC 18004

struct QrDeleter {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

}  // namespace

std::string drawQrCode(std::string_view text) {
  const std::unique_ptr<QRcode, QrDeleter> code(QRcode_encodeString8bit(std::string(text).c_str(), 0, QR_ECLEVEL_M));
  if (!code) throw Error(ErrorKind::Invariant, "a QR code could not be made: the text is too long");
  std::string path;
  for (int y = 0; y < code->width; ++y)
    for (int x = 0; x < code->width; ++x)
      if (code->data[y * code->width + x] & 1)
        path += "M" + std::to_string(x + QuietZone) + " " + std::to_string(y + QuietZone) + "h1v1h-1z";
  return drawTemplate("qr", {{"size", code->width + 2 * QuietZone}, {"path", path}});
}

}  // namespace postern::webadmin
