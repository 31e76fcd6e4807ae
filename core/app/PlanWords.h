#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

// The words of the fan-out plan for people, the same on the pages, on the command line and in the API. A word that is
// not known is given back as it is. No state.
namespace postern::app {

std::string protectionTitle(std::string_view word);  // "smime" -> "S/MIME"
std::string reasonText(std::string_view word);       // "no-key" -> "No certificate or key is on file."

// "512 members: 301 S/MIME, 60 OpenPGP, 140 Verified TLS, 9 Web pick-up, 2 Withheld", strongest first. `counts`: by the
// word of the protection.
std::string planSentence(const std::map<std::string, std::uint64_t>& counts);

}  // namespace postern::app
