#pragma once
#include <string>
#include <string_view>

namespace postern::webadmin {

// The text as a QR code, drawn by templates/qr.html: dark modules as one path, with the quiet zone that readers need.
// Errors: throws Error(Invariant) when the text does not fit.
std::string drawQrCode(std::string_view text);

}  // namespace postern::webadmin
