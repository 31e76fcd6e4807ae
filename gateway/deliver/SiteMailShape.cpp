#include "gateway/deliver/SiteMailShape.h"

#include "core/app/MailTexts.h"
#include "core/base/Language.h"
#include "core/crypto/Encoding.h"
#include "core/mail/EncodedWord.h"
#include "gateway/deliver/KeyText.h"

#include <algorithm>
#include <string>
#include <vector>

namespace postern::gateway {
namespace {

using namespace std::string_view_literals;

struct Shape {
  std::string word;
  std::string subject;  // as it stands in the header
  std::string text;     // with the line ends of mail
};

constexpr std::string_view Digits = "0123456789";
constexpr std::string_view LowerWords = "abcdefghijklmnopqrstuvwxyz.-";
constexpr std::string_view PathCharacters = "abcdefghijklmnopqrstuvwxyz-/";
constexpr std::string_view HostCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";
constexpr std::string_view TokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view NameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-/_";
constexpr std::string_view ListNameCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
constexpr std::string_view MailboxCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.-_+";
constexpr std::string_view DomainCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.-";
constexpr std::string_view Base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

// Takes from the front of a text. After a failure nothing more is taken.
class Scanner {
public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  bool takeOf(std::string_view characters, std::size_t least, std::size_t most) {
    const auto size = std::min(rest_.find_first_not_of(characters), rest_.size());
    if (size < least || size > most) return false;
    rest_.remove_prefix(size);
    return true;
  }
  bool takeSlot(std::string_view slot) {
    if (slot == "{number}") return takeOf(Digits, 1, 20);
    if (slot == "{word}") return takeOf(LowerWords, 1, 40);
    if (slot == "{time}") return takeTime();
    if (slot == "{link}") return takeLink();
    if (slot == "{mailbox}") return takeMailbox();
    if (slot == "{checkpoint}") return takeCheckpoint();
    if (slot == "{address}") return takeAddress();
    if (slot == "{certificates}") return takeFirst(certificatesSize(rest_));
    if (slot == "{openpgp}") return takeFirst(openPgpKeySize(rest_));
    return false;
  }
  bool atEnd() const { return rest_.empty(); }

  static bool isMailbox(std::string_view text) {
    Scanner address(text);
    return address.takeOf(MailboxCharacters, 1, 64) && address.take("@") && address.takeOf(DomainCharacters, 1, 255) &&
           address.atEnd();
  }

private:
  bool takeFirst(std::size_t size) {
    rest_.remove_prefix(size);
    return size != 0;
  }
  // Of a list, before the full stop of its sentence.
  bool takeAddress() {
    const auto line = rest_.substr(0, rest_.find("\r\n"));
    if (!line.ends_with('.')) return false;
    Scanner address(line.substr(0, line.size() - 1));
    if (!address.takeOf(ListNameCharacters, 1, 31) || !address.take("@") || !address.takeOf(DomainCharacters, 1, 255) ||
        !address.atEnd())
      return false;
    rest_.remove_prefix(line.size() - 1);
    return true;
  }
  // Of a list, as a line of its own.
  bool takeMailbox() {
    const auto line = rest_.substr(0, rest_.find("\r\n"));
    if (!isMailbox(line)) return false;
    rest_.remove_prefix(line.size());
    return true;
  }
  bool takeTime() {
    for (const char c : "0000-00-00T00:00:00Z"sv)
      if (c == '0' ? !takeDigit() : !take({&c, 1})) return false;
    return true;
  }
  bool takeDigit() {
    if (rest_.empty() || Digits.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // https://HOST/words, then ?token=TOKEN or nothing, up to the end of the line.
  bool takeLink() {
    const auto line = rest_.substr(0, rest_.find("\r\n"));
    Scanner link(line);
    if (!link.take("https://") || !link.takeOf(HostCharacters, 1, 300) || !link.take("/")) return false;
    if (!link.takeOf(PathCharacters, 1, 60)) return false;
    const bool token =
        link.take("?token=") ? link.takeOf(TokenCharacters, 1, 120) : link.takeOf(TokenCharacters, 0, 120);
    if (!token || !link.atEnd()) return false;
    rest_.remove_prefix(line.size());
    return true;
  }
  bool takeCheckpoint() {
    if (!takeOf(NameCharacters, 1, 200) || !take("\r\n") || !takeOf(Digits, 1, 20) || !take("\r\n")) return false;
    if (!takeOf(Base64, 44, 44) || !take("\r\n\r\n")) return false;
    int signatures = 0;
    for (; signatures < 4 && take("\u2014 "); ++signatures)
      if (!takeOf(NameCharacters, 1, 200) || !take(" ") || !takeOf(Base64, 1, 200) || !take("\r\n")) return false;
    return signatures > 0;
  }

  std::string_view rest_;
};

bool matches(std::string_view pattern, std::string_view text) {
  Scanner scanner(text);
  while (!pattern.empty()) {
    const auto open = std::min(pattern.find('{'), pattern.size());
    if (!scanner.take(pattern.substr(0, open))) return false;
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    const auto close = pattern.find('}') + 1;
    if (!scanner.takeSlot(pattern.substr(0, close))) return false;
    pattern.remove_prefix(close);
  }
  return scanner.atEnd();
}

std::string withCrLf(std::string_view text) {
  std::string lines;
  for (const char c : text) lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return lines;
}

// "Subject: Hello CRLF" is "Hello", unfolded as the floor guard reads headers.
std::string asInHeader(std::string_view subject) {
  auto field = mail::encodeUnstructured("Subject", subject);
  constexpr std::string_view name = "Subject: ";
  field = field.substr(name.size(), field.size() - name.size() - 2);
  for (auto at = field.find("\r\n"); at != field.npos; at = field.find("\r\n")) field.erase(at, 2);
  return field;
}

// In all languages.
const std::vector<Shape>& shapes() {
  static const auto kept = [] {
    std::vector<Shape> made;
    for (const auto language : Languages)
      for (const auto& mail : app::mailTexts(language))
        made.push_back({mail.word, asInHeader(mail.subject), withCrLf(mail.text)});
    return made;
  }();
  return kept;
}

const Shape* find(std::string_view subject) {
  const auto shape =
      std::find_if(shapes().begin(), shapes().end(), [&](const Shape& each) { return each.subject == subject; });
  return shape == shapes().end() ? nullptr : &*shape;
}

bool isBareAddress(std::string_view value) {
  return value.size() > 4 && value.front() == '<' && value.back() == '>' &&
         std::count(value.begin(), value.end(), '<') == 1 && std::count(value.begin(), value.end(), '>') == 1 &&
         value.find('@') != std::string_view::npos && value.find_first_of(" \t\",;()") == std::string_view::npos;
}

// "<board-confirm+TAG@x>", and the text has that address on a line of its own.
bool namesMailboxOf(std::string_view replyTo, std::string_view text) {
  if (replyTo.size() < 3 || replyTo.front() != '<' || replyTo.back() != '>') return false;
  const auto mailbox = replyTo.substr(1, replyTo.size() - 2);
  const auto line = std::string("\r\n").append(mailbox).append("\r\n");
  return Scanner::isMailbox(mailbox) && mailbox.find("-confirm+") != std::string_view::npos &&
         text.find(line) != std::string_view::npos;
}

}  // namespace

bool isSiteMailSubject(std::string_view subject) {
  return find(subject) != nullptr;
}

bool isListKeysSubject(std::string_view subject) {
  const auto* shape = find(subject);
  return shape != nullptr && shape->word == "list-keys";
}

const char* siteMailFault(std::string_view subject, std::string_view from, std::string_view to,
                          std::string_view replyTo, std::string_view body) {
  const auto* shape = find(subject);
  if (shape == nullptr) return "the subject of a mail of the site is not one of the known";
  Scanner sender(from);
  if (!sender.take("Postern <postmaster@") || !sender.takeOf(HostCharacters, 1, 300) || !sender.take(">") ||
      !sender.atEnd())
    return "a mail of the site comes from another than the postmaster";
  if (!isBareAddress(to)) return "a mail of the site names its recipient by more than the address";
  const auto text = crypto::fromBase64(body);
  if (!text || crypto::base64Lines(*text) != body) return "the body of a mail of the site is not plain base64";
  if (!replyTo.empty() && !namesMailboxOf(replyTo, *text))
    return "answers to a mail of the site would go elsewhere than it says";
  return matches(shape->text, *text) ? nullptr : "the text of a mail of the site is not of its form";
}

}  // namespace postern::gateway
