#pragma once
#include "core/base/Clock.h"

#include <cstdint>
#include <string>
#include <string_view>

// The words that people read: stable terms of the orders in plain language, numbers and times. No HTML.
namespace postern::webadmin::words {

std::string time(TimePoint at);                          // "2026-03-01 12:00:00 UTC"
std::string day(TimePoint at);                           // "2026-03-01"
std::string relative(TimePoint at, TimePoint now);       // "4 min ago", "in 3 days"; beyond 60 days "2026-03-01"
std::string duration(std::chrono::microseconds length);  // "4 min"
std::string count(std::uint64_t number);                 // "12,345"
std::string size(std::uint64_t bytes);                   // "20.4 kB"
std::string fingerprint(std::string_view hex);           // in groups of four

std::string protection(std::string_view word);     // "smime" -> "S/MIME"
std::string meaning(std::string_view protection);  // what a protection means to who sends
std::string reason(std::string_view word);         // why a copy is withheld or a key not used, as a sentence
std::string refusal(std::string_view word);        // why mail was refused at the door
std::string state(std::string_view word);          // of a member, key, copy or list
std::string toneOf(std::string_view state);        // "good", "wait", "bad", "quiet": the look of a state's badge
std::string verification(std::string_view word);
std::string listClass(std::string_view word);
std::string posting(std::string_view word);
// What listd says in small letters, as commands do, as a sentence: "the code does not match" -> "The code does not
// match." An address or a command at either end stays as it is.
std::string sentence(std::string_view text);
std::string notice(std::string_view code);  // what `?done=` says after a redirect; empty for unknown codes

struct ErrorWords {
  std::string_view code;
  std::string_view title;
  std::string_view text;
  std::string_view hint;
};
ErrorWords errorPage(int status);

}  // namespace postern::webadmin::words
