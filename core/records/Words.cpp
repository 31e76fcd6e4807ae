#include "core/records/Words.h"

#include "core/base/Error.h"
#include "core/mail/Address.h"
#include "core/mail/Text.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

namespace postern::records {
namespace {

// Accents and points that change no letter, by Unicode's combining class: Hebrew and Arabic points (10 to 35), signs
// above and below (from 200). Nukta, voicing marks and virama (7 to 9) and South-East Asian vowels (84 to 132) stay.
bool isAccent(utf8proc_int32_t character) {
  const auto place = utf8proc_get_property(character)->combining_class;
  return (place >= 10 && place <= 35) || place >= 200;
}

bool belongsToWord(utf8proc_int32_t character) {
  const auto category = utf8proc_category(character);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

// Han, Hiragana and Katakana: written without blanks.
bool standsAlone(utf8proc_int32_t character) {
  return (character >= 0x3040 && character <= 0x30FF && character != 0x3099 && character != 0x309A) ||
         (character >= 0x3400 && character <= 0x4DBF) || (character >= 0x4E00 && character <= 0x9FFF) ||
         (character >= 0xF900 && character <= 0xFAFF) || (character >= 0x20000 && character <= 0x3FFFF);
}

std::string foldAscii(std::string_view text) {
  return mail::lowerAscii(text);
}

// Some folds give a character that folds further once its neighbours are gone; a second pass settles all.
std::string foldOnce(std::string_view text) {
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                                                      UTF8PROC_IGNORE | UTF8PROC_STABLE);
  utf8proc_uint8_t* raw = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &raw, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> mapped(raw, &std::free);
  if (size < 0) throw Error(ErrorKind::Invariant, std::string("cannot fold text: ") + utf8proc_errmsg(size));
  std::string folded;
  folded.reserve(static_cast<std::size_t>(size));
  for (utf8proc_ssize_t at = 0; at < size;) {
    utf8proc_int32_t character = 0;
    const auto length = utf8proc_iterate(raw + at, size - at, &character);
    if (length <= 0) throw Error(ErrorKind::Invariant, "folded text is no UTF-8");
    if (!isAccent(character)) folded.append(reinterpret_cast<const char*>(raw + at), static_cast<std::size_t>(length));
    at += length;
  }
  return folded;
}

// Calls word for the runs of folded text.
class Splitter {
public:
  explicit Splitter(const std::function<void(std::string_view)>& word) : word_(word) {}

  void split(std::string_view folded) {
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(folded.data());
    for (std::size_t at = 0; at < folded.size();) {
      utf8proc_int32_t character = 0;
      const auto length = utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(folded.size() - at), &character);
      const auto size = length > 0 ? static_cast<std::size_t>(length) : 1;
      take(length > 0 ? character : ' ', folded.substr(at, size));
      at += size;
    }
    flush();
  }

private:
  void take(utf8proc_int32_t character, std::string_view bytes) {
    const bool alone = standsAlone(character);
    if (alone || !belongsToWord(character)) flush();
    if (!belongsToWord(character)) return;
    // A voicing mark belongs to the character before it, which stands alone.
    const bool mark = character == 0x3099 || character == 0x309A;
    if (alone_ && !alone && !mark) flush();
    if (current_.size() + bytes.size() <= MaxWordBytes) current_ += bytes;
    alone_ = alone || (alone_ && mark);
  }

  void flush() {
    if (!current_.empty()) word_(current_);
    current_.clear();
    alone_ = false;
  }

  const std::function<void(std::string_view)>& word_;
  std::string current_;
  bool alone_ = false;
};

}  // namespace

std::string foldText(std::string_view text) {
  if (mail::isAscii(text)) return foldAscii(text);
  std::string clean;
  if (!mail::isUtf8(text)) {
    clean = mail::repairUtf8(text);
    text = clean;
  }
  return foldOnce(foldOnce(text));
}

void eachWord(std::string_view text, const std::function<void(std::string_view word)>& word) {
  Splitter(word).split(foldText(text));
}

std::vector<std::string> wordsOf(std::string_view text) {
  std::vector<std::string> words;
  eachWord(text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

std::string addressWord(std::string_view text) {
  text = mail::trim(text);
  if (text.starts_with('@')) {
    const auto domain = mail::DomainName::parse(text.substr(1));
    return domain ? "@" + domain->text() : mail::lowerAscii(text);
  }
  const auto address = mail::Address::parse(text);
  return address ? address->key() : mail::lowerAscii(text);
}

}  // namespace postern::records
