#include "core/app/MailTexts.h"

namespace postern::app {

std::span<const MailText> mailTexts(std::string_view language) {
  if (language == "de") return germanTexts();
  if (language == "fr") return frenchTexts();
  if (language == "es") return spanishTexts();
  return englishTexts();
}

}  // namespace postern::app
