#include "core/app/SubscriptionTexts.h"

#include <array>

namespace postern::app {

std::span<const std::span<const MailText>> subscriptionTexts() {
  static const std::array languages = {englishTexts()};
  return languages;
}

}  // namespace postern::app
