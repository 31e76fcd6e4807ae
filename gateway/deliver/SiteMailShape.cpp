#include "gateway/deliver/SiteMailShape.h"

#include "core/app/SubscriptionTexts.h"
#include "core/crypto/Encoding.h"
#include "gateway/deliver/KeyText.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace postern::gateway {
namespace {

using namespace std::string_view_literals;

struct Shape {
  std::string_view subject;
  std::string_view
      text;  // {number} {time} {word} {link} {checkpoint} {address} {certificates} {openpgp} stand for what varies
};

constexpr std::array Shapes = {
    Shape{
        "You have been asked to keep mail"sv,
        "Hello,\r\n\r\nyou have been asked not to delete certain mail. What it is about, and what you\r\nare asked to "
        "do, stands behind this link. Please read it and confirm it there:\r\n\r\n{link}\r\n\r\nThis mail says "
        "nothing more on purpose.\r\n"sv},
    Shape{"Reminder: you have been asked to keep mail"sv,
          "Hello,\r\n\r\nyou were asked not to delete certain mail, and have not confirmed it yet.\r\nPlease read what "
          "it is about and confirm it there:\r\n\r\n{link}\r\n\r\nThis mail says nothing more on purpose.\r\n"sv},
    Shape{"Requests wait for your decision"sv,
          "Hello,\r\n\r\nrequests that wait for a second person: {number}\r\n\r\nDecide on them here:\r\n\r\n"
          "{link}\r\n"sv},
    Shape{"A change that nobody else can approve"sv,
          "Hello,\r\n\r\na site that has only one person will make a change for which a second person\r\nwould have to "
          "be asked. You are told because your address is the outside\r\naddress of that site.\r\n\r\nKind of the "
          "change: {word}\r\nNumber of the request: {number}\r\nTakes effect: {time}\r\n\r\nIf it should not be made, "
          "stop it here before then:\r\n\r\n{link}\r\n"sv},
    Shape{"One person will be left"sv,
          "Hello,\r\n\r\na change was asked for that leaves the site you work on to one person alone.\r\nNobody could "
          "approve or refuse then what that person asks for.\r\n\r\nNumber of the request: {number}\r\nTakes effect: "
          "{time}\r\n\r\nThe outside address of the site can stop it until then. It is shown here:\r\n\r\n"
          "{link}\r\n"sv},
    Shape{"Checkpoint of the audit log"sv,
          "Keep this mail. It proves later that the audit log up to this point was not\r\nchanged.\r\n\r\n"
          "{checkpoint}"sv},
    Shape{
        "Your account"sv,
        "Hello,\r\n\r\nan account has been prepared for you. Set it up here:\r\n\r\n{link}\r\n\r\nThe link works once, "
        "until {time}.\r\n"sv},
    Shape{"A key for your address"sv,
          "Hello,\r\n\r\na key for your address was sent to us. If it was you, look at it and confirm it\r\nhere "
          "within three days:\r\n\r\n{link}\r\n\r\nIf it was not you, do nothing: it will not be used.\r\n"sv},
    Shape{"A key that cannot be used"sv,
          "Hello,\r\n\r\na key for your address was sent to us, and it cannot be used. Why, and where to\r\ngive "
          "another one within three days, stands here:\r\n\r\n{link}\r\n\r\nIf it was not you, do nothing.\r\n"sv},
    Shape{"Your keys"sv,
          "Hello,\r\n\r\nthe keys for your address are shown here, and a new one can be given, within\r\nthree "
          "days:\r\n\r\n{link}\r\n\r\nIf you did not ask for this, do nothing.\r\n"sv},
    Shape{
        "The emergency account was opened"sv,
        "Hello,\r\n\r\nthe sealed emergency account of the site was opened on {time}.\r\nIf you do not know why, look "
        "into it now:\r\n\r\n{link}\r\n"sv},
    Shape{"Staff opened mail of one of your lists"sv,
          "Hello,\r\n\r\non {time} a person of the staff opened mail of a list that is yours. Who and when\r\nstands "
          "behind this link, at the list:\r\n\r\n{link}\r\n\r\nYou get this mail once a day at most.\r\n"sv},
    Shape{"Your link to secure mail"sv,
          "Hello,\r\n\r\nhere is your link to the secure mail that waits for you:\r\n\r\n{link}\r\n\r\nIt works once, "
          "until {time}, and ends every link that you\r\ngot before. Nothing happens when you do not use it.\r\n"sv},
    Shape{
        "Somebody reported a problem with secure mail"sv,
        "Hello,\r\n\r\non {time} somebody who reads secure mail here reported a problem with a\r\nmessage. What it is "
        "stands behind this link:\r\n\r\n{link}\r\n\r\nYou get this mail once an hour at most.\r\n"sv},
    Shape{"Your key ends soon"sv,
          "Hello,\r\n\r\nthe key to which mail for you is encrypted ends on {time}.\r\nAfter that such mail cannot "
          "reach you as it does now. Give a new key here:\r\n\r\n{link}\r\n\r\nThe link works once, until "
          "{time}.\r\n"sv},
    Shape{ListKeysSubject,
          "Hello,\r\n\r\nthese are the public keys of the list {address}.\r\nYou get them because a mail with the "
          "subject \"key\" came from your address.\r\nMail can be changed on its way: when it matters, compare the "
          "fingerprints with an\r\nowner of the list before you use a key.\r\n\r\nFor S/MIME:\r\n\r\n"
          "{certificates}\r\nFor OpenPGP:\r\n\r\n{openpgp}"sv},
    Shape{"Your lists: what needs a hand"sv,
          "Hello,\r\n\r\non the lists that you own:\r\n\r\nKeys that wait for a decision: {number}\r\nMembers who "
          "get no copies: {number}\r\nKeys that end within 30 days: {number}\r\n\r\nWho, and what to do, stands "
          "here:\r\n\r\n{link}\r\n\r\nYou get this mail once a week at most.\r\n"sv},
    Shape{"Mail waits in the quarantine"sv,
          "Hello,\r\n\r\nmail that a person has to look at, for the lists that you look after:\r\n\r\nMessages "
          "that wait: {number}\r\nDestroyed within three days if nobody releases them: {number}\r\n\r\nRelease or "
          "delete them here:\r\n\r\n{link}\r\n\r\nYou get this mail once a day at most.\r\n"sv},
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

struct KeptTexts {
  std::vector<std::string> texts;
  std::vector<Shape> shapes;
};

// Those of subscription in every language, with the line ends of mail, behind all others.
const std::vector<Shape>& shapes() {
  static const auto kept = [] {
    KeptTexts made;
    made.shapes.assign(Shapes.begin(), Shapes.end());
    std::size_t count = 0;
    for (const auto& language : app::subscriptionTexts()) count += language.size();
    made.texts.reserve(count);  // shapes point into it
    for (const auto& language : app::subscriptionTexts())
      for (const auto& mail : language) {
        std::string lines;
        for (const char c : std::string_view(mail.text)) lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
        made.texts.push_back(std::move(lines));
        made.shapes.push_back({mail.subject, made.texts.back()});
      }
    return made;
  }();
  return kept.shapes;
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
