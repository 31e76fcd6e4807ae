#include "listd/subscribe/SubscriptionSettings.h"

#include <array>

namespace postern::listd {
namespace {

constexpr std::array JoiningWords = {"open", "confirm", "moderate", "confirm-moderate", "closed", "invitation"};
constexpr std::array LeavingWords = {"open", "confirm", "moderate", "closed"};

template <class Enum, std::size_t Count>
std::optional<Enum> parse(const std::array<const char*, Count>& words, std::string_view word) {
  for (std::size_t i = 0; i < Count; ++i)
    if (word == words.at(i)) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

const char* joiningWord(Joining joining) {
  return JoiningWords.at(static_cast<std::size_t>(joining));
}

const char* leavingWord(Leaving leaving) {
  return LeavingWords.at(static_cast<std::size_t>(leaving));
}

std::optional<Joining> parseJoining(std::string_view word) {
  return parse<Joining>(JoiningWords, word);
}

std::optional<Leaving> parseLeaving(std::string_view word) {
  return parse<Leaving>(LeavingWords, word);
}

}  // namespace postern::listd
