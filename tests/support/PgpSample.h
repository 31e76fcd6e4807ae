#pragma once
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::test {

// A PGP/MIME message put together from packets of any kind, right or wrong. Nobody can open it.
struct PgpSample {
  std::string boundary = "pgp-abcdefghijklmnopqrstuvwx";
  std::string keyPacket = rsaKeyPacket();
  std::string data = "\x01" + crypto::randomBytes(3000);  // version, ciphertext
  std::string after;
  bool inParts = true;

  static std::string length(std::size_t size) {
    const auto byte = [](std::size_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
    if (size < 192) return {byte(size)};
    if (size < 8384) return {byte(((size - 192) >> 8) + 192), byte(size - 192)};
    return {byte(255), byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)};
  }
  static std::string packet(unsigned tag, std::string_view body) {
    return static_cast<char>(0xc0 | tag) + length(body.size()).append(body);
  }
  static std::string rsaKeyPacket() {
    return packet(1,
                  "\x03" + crypto::randomBytes(8) + "\x01" + std::string("\x08\x00\x80", 3) + crypto::randomBytes(255));
  }
  static std::string ecdhKeyPacket() {
    return packet(1, "\x03" + crypto::randomBytes(8) + "\x12" + std::string("\x01\x07\x40", 3) +
                         crypto::randomBytes(32) + "\x30" + crypto::randomBytes(48));
  }

  std::string dataPacket() const {
    if (!inParts) return packet(18, data);
    return "\xd2\xe9" + data.substr(0, 512) + "\xe0" + data.substr(512, 1) + length(data.size() - 513) +
           data.substr(513);
  }
  std::string packets() const { return keyPacket + dataPacket() + after; }

  static std::string crcLine(std::string_view bytes) {
    std::uint32_t crc = 0xb704ce;
    for (const char c : bytes) {
      crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 16;
      for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x800000) != 0 ? 0x1864cfbu : 0);
    }
    const char sum[3] = {static_cast<char>(crc >> 16), static_cast<char>(crc >> 8), static_cast<char>(crc)};
    return "=" + crypto::base64(std::string_view(sum, 3)) + "\r\n";
  }
  std::string start() const {
    return "--" + boundary + "\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--" + boundary +
           "\r\nContent-Type: application/octet-stream; name=encrypted.asc\r\n"
           "Content-Disposition: inline; filename=encrypted.asc\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n";
  }
  std::string end() const { return "-----END PGP MESSAGE-----\r\n\r\n--" + boundary + "--\r\n"; }
  std::string body() const {
    const auto bytes = packets();
    return start() + crypto::base64Lines(bytes) + crcLine(bytes) + end();
  }
  std::string header() const {
    return "From: board@lists.example\r\nTo: board@lists.example\r\nSubject: [...]\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n boundary=\"" +
           boundary + "\"\r\n\r\n";
  }
  std::string message() const { return header() + body(); }
};

}  // namespace postern::test
