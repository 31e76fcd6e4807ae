#pragma once
#include <string>
#include <string_view>

// Secrets that travel in cookies and forms. Threads: safe for all.
namespace postern::webadmin::tokens {

std::string random();                      // 256 bit, base64url
std::string hash(std::string_view token);  // SHA-256, base64url: what is stored in place of a token
std::string derive(std::string_view secret, std::string_view purpose);  // HMAC-SHA256, base64url
bool equal(std::string_view a, std::string_view b);                     // in constant time

}  // namespace postern::webadmin::tokens
