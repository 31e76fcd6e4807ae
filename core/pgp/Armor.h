#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::pgp {

// The checksum of ASCII armor (RFC 4880 §6.1). Give the result of one part to the next.
constexpr std::uint32_t Crc24Start = 0xb704ce;
std::uint32_t crc24(std::uint32_t state, std::string_view bytes);
std::string crcLine(std::uint32_t state);  // "=twTO" and CRLF

// "-----BEGIN PGP TYPE-----" … with CRLF.
std::string armor(std::string_view type, std::string_view bytes);

// The bytes of the only armored block in `text`, if it is of that type and whole, its checksum (where there is one)
// right, and, when `alone`, nothing but blanks around it. Linear.
std::optional<std::string> dearmor(std::string_view type, std::string_view text, bool alone);

}  // namespace postern::pgp
