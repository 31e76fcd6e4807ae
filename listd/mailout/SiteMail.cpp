#include "listd/mailout/SiteMail.h"

#include "core/app/MailTexts.h"
#include "core/base/Error.h"
#include "core/base/Language.h"
#include "core/crypto/CertificateBundle.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Address.h"
#include "core/mail/Date.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/MessageId.h"
#include "core/pgp/PublicKey.h"
#include "listd/site/SiteStore.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace postern::listd {
namespace {

using Kind = SiteMail::Kind;
using namespace std::string_view_literals;

// What stands in the place of a line. The gateway checks the same again (gateway/deliver/SiteMailShape).
enum class Slot { Number, Time, Word, Address, Certificates, OpenPgpKey, Mailbox };

// A text of core/app/texts, taken apart.
struct Shape {
  const app::MailText* source = nullptr;
  std::vector<std::pair<std::size_t, Slot>> slots;  // where each line stands, in the order of the lines
  bool link = false;
  bool checkpoint = false;
};

constexpr std::array Words = {
    std::pair{Kind::HoldNotice, "hold-notice"},
    std::pair{Kind::HoldReminder, "hold-reminder"},
    std::pair{Kind::ApprovalsWaiting, "approvals-waiting"},
    std::pair{Kind::LonePersonChange, "lone-person-change"},
    std::pair{Kind::OnePersonSite, "one-person-site"},
    std::pair{Kind::AuditAnchor, "audit-anchor"},
    std::pair{Kind::Invitation, "invitation"},
    std::pair{Kind::KeyConfirm, "key-confirm"},
    std::pair{Kind::KeyUnfit, "key-unfit"},
    std::pair{Kind::KeyPage, "key-page"},
    std::pair{Kind::BreakGlass, "break-glass"},
    std::pair{Kind::ContentAccess, "content-access"},
    std::pair{Kind::PickupLink, "pickup-link"},
    std::pair{Kind::PickupProblem, "pickup-problem"},
    std::pair{Kind::KeyEnding, "key-ending"},
    std::pair{Kind::ListKeys, "list-keys"},
    std::pair{Kind::OwnerWork, "owner-work"},
    std::pair{Kind::Quarantine, "quarantine"},
    std::pair{Kind::JoinConfirm, "join-confirm"},
    std::pair{Kind::LeaveConfirm, "leave-confirm"},
    std::pair{Kind::AddressConfirm, "address-confirm"},
    std::pair{Kind::ListInvitation, "list-invitation"},
    std::pair{Kind::Joined, "joined"},
    std::pair{Kind::JoinedWithoutKey, "joined-without-key"},
    std::pair{Kind::Left, "left"},
    std::pair{Kind::RequestRefused, "request-refused"},
    std::pair{Kind::RequestsWaiting, "requests-waiting"},
    std::pair{Kind::ListHelp, "list-help"},
    std::pair{Kind::MemberLink, "member-link"},
};

constexpr std::array SlotNames = {
    std::pair{"{number}"sv, Slot::Number},     std::pair{"{time}"sv, Slot::Time},
    std::pair{"{word}"sv, Slot::Word},         std::pair{"{address}"sv, Slot::Address},
    std::pair{"{mailbox}"sv, Slot::Mailbox},   std::pair{"{certificates}"sv, Slot::Certificates},
    std::pair{"{openpgp}"sv, Slot::OpenPgpKey}};

void replace(std::string& text, std::string_view slot, std::string_view value) {
  const auto at = text.find(slot);
  if (at != std::string::npos) text.replace(at, slot.size(), value);
}

Shape takeApart(const app::MailText& source) {
  Shape shape;
  shape.source = &source;
  const std::string_view text = source.text;
  shape.link = text.find("{link}") != text.npos;
  shape.checkpoint = text.find("{checkpoint}") != text.npos;
  for (std::size_t at = text.find('{'); at != text.npos; at = text.find('{', at + 1))
    for (const auto& [name, slot] : SlotNames)
      if (text.substr(at).starts_with(name)) shape.slots.emplace_back(at, slot);
  return shape;
}

const Shape& shapeOf(Kind kind, std::string_view language) {
  static const auto all = [] {
    std::map<std::pair<std::string_view, std::string_view>, Shape> made;
    for (const auto code : Languages)
      for (const auto& text : app::mailTexts(code)) made.emplace(std::pair{code, text.word}, takeApart(text));
    return made;
  }();
  const auto shape = all.find({isLanguage(language) ? language : Languages.front(), siteMailWord(kind)});
  if (shape == all.end()) throw Error(ErrorKind::Invariant, "unknown kind of site mail");
  return shape->second;
}

const Shape& shapeOf(const SiteMail& mail) {
  return shapeOf(mail.kind, mail.language);
}

bool allOf(std::string_view text, std::size_t least, std::size_t most, std::string_view characters) {
  return text.size() >= least && text.size() <= most && text.find_first_not_of(characters) == std::string_view::npos;
}

constexpr std::string_view Digits = "0123456789";
constexpr std::string_view Base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
constexpr std::string_view HostCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";
constexpr std::string_view NameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-/_";
constexpr std::string_view AddressCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.-_@";
constexpr std::string_view MailboxCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.-_+@";
constexpr std::string_view TokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool isTime(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00Z";
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] == '0' ? Digits.find(text[i]) == std::string_view::npos : form[i] != text[i]) return false;
  return true;
}

bool areCertificates(std::string_view text) {
  const auto certificates = crypto::parseCertificates(text);
  if (!certificates) return false;
  std::string again;
  for (const auto& each : *certificates) again += each.pem();
  return again == text;
}

bool isOpenPgpKey(std::string_view text) {
  const auto key = pgp::PublicKey::parse(text);
  return key && withLineFeeds(key->armored()) == text;
}

bool fits(Slot slot, std::string_view text) {
  switch (slot) {
    case Slot::Number:
      return allOf(text, 1, 20, Digits);
    case Slot::Time:
      return isTime(text);
    case Slot::Word:
      return allOf(text, 1, 40, "abcdefghijklmnopqrstuvwxyz.-");
    case Slot::Address:
      return allOf(text, 3, 300, AddressCharacters) && mail::Address::parse(text).has_value();
    case Slot::Mailbox:
      return allOf(text, 3, 330, MailboxCharacters) && mail::Address::parse(text).has_value();
    case Slot::Certificates:
      return areCertificates(text);
    case Slot::OpenPgpKey:
      return isOpenPgpKey(text);
  }
  return false;
}

// A page of ours: words of small letters, then a token or nothing.
bool isLink(std::string_view link) {
  constexpr std::string_view scheme = "https://";
  if (!link.starts_with(scheme)) return false;
  link.remove_prefix(scheme.size());
  const auto slash = link.find('/');
  if (slash == std::string_view::npos || !allOf(link.substr(0, slash), 1, 300, HostCharacters)) return false;
  link.remove_prefix(slash + 1);
  std::string_view token;
  constexpr std::string_view query = "?token=";
  if (const auto at = link.find(query); at != std::string_view::npos) {
    token = link.substr(at + query.size());
    link = link.substr(0, at);
  } else if (const auto last = link.rfind('/'); last != std::string_view::npos) {
    token = link.substr(last + 1);
    link = link.substr(0, last);
  }
  return allOf(link, 1, 60, "abcdefghijklmnopqrstuvwxyz-/") && allOf(token, 0, 120, TokenCharacters);
}

// A C2SP checkpoint with its signatures: origin, size, root, an empty line, "— name base64".
bool isCheckpoint(const std::vector<std::string>& lines) {
  constexpr std::string_view dash = "\u2014 ";
  if (lines.size() < 5 || lines.size() > 8) return false;
  if (!allOf(lines[0], 1, 200, NameCharacters) || !allOf(lines[1], 1, 20, Digits) || !allOf(lines[2], 44, 44, Base64) ||
      !lines[3].empty())
    return false;
  return std::all_of(lines.begin() + 4, lines.end(), [&](std::string_view line) {
    if (!line.starts_with(dash)) return false;
    line.remove_prefix(dash.size());
    const auto blank = line.find(' ');
    return blank != std::string_view::npos && allOf(line.substr(0, blank), 1, 200, NameCharacters) &&
           allOf(line.substr(blank + 1), 1, 200, Base64);
  });
}

// Where an answer to the mail confirms what it asks for; empty for other mail.
std::string answersTo(const SiteMail& mail) {
  const bool confirms = mail.kind == Kind::JoinConfirm || mail.kind == Kind::LeaveConfirm;
  return confirms ? mail.lines.at(1) : std::string();
}

std::string textOf(const SiteMail& mail) {
  const auto& shape = shapeOf(mail);
  const std::string_view source = shape.source->text;
  std::string text;
  std::size_t from = 0;
  for (std::size_t i = 0; i < shape.slots.size(); ++i) {
    const auto at = shape.slots[i].first;
    text.append(source.substr(from, at - from)).append(mail.lines[i]);
    from = source.find('}', at) + 1;
  }
  text.append(source.substr(from));
  replace(text, "{link}", mail.link);
  std::string checkpoint;
  for (const auto& line : mail.lines) checkpoint += line + "\n";
  replace(text, "{checkpoint}", checkpoint);
  std::string lines;
  for (const char c : text) lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return lines;
}

}  // namespace

std::string withLineFeeds(std::string text) {
  std::erase(text, '\r');
  return text;
}

const char* siteMailWord(Kind kind) {
  for (const auto& [each, word] : Words)
    if (each == kind) return word;
  throw Error(ErrorKind::Invariant, "unknown kind of site mail");
}

std::optional<Kind> siteMailKind(std::string_view word) {
  for (const auto& [kind, each] : Words)
    if (word == each) return kind;
  return std::nullopt;
}

std::optional<std::string> siteMailFault(const SiteMail& mail) {
  const auto& shape = shapeOf(mail);
  if (!mail::Address::parse(mail.recipient)) return "its recipient is no mail address";
  if (shape.link ? !isLink(mail.link) : !mail.link.empty()) return "its link is not of the form of our pages";
  if (shape.checkpoint) {
    if (!isCheckpoint(mail.lines)) return "its lines are not those of a checkpoint";
    return std::nullopt;
  }
  if (mail.lines.size() != shape.slots.size()) return "it has not as many lines as its kind needs";
  for (std::size_t i = 0; i < shape.slots.size(); ++i)
    if (!fits(shape.slots[i].second, mail.lines[i])) return "a line has not the form that its kind needs";
  return std::nullopt;
}

std::uint64_t sendSiteMail(SiteTables& tables, const SiteMail& mail, TimePoint now) {
  if (const auto fault = siteMailFault(mail))
    throw Error(ErrorKind::Invariant,
                std::string("a mail of kind ") + siteMailWord(mail.kind) + " is wrong: " + *fault);
  SiteMailRow row;
  row.copyKey = tables.counters.take(CounterStore::Copy);
  row.mail = mail;
  row.createdAt = now;
  tables.siteMail.add(row);
  return row.copyKey;
}

std::string composeSiteMail(const SiteMail& mail, std::string_view hostName, std::string_view messageId, TimePoint at) {
  if (const auto fault = siteMailFault(mail)) throw Error(ErrorKind::Invariant, "a site mail is wrong: " + *fault);
  if (!mail::isMessageId(messageId)) throw Error(ErrorKind::Invariant, "a site mail has a malformed message id");
  std::string message = "From: Postern <postmaster@" + std::string(hostName) + ">\r\n";
  message += "To: <" + mail.recipient + ">\r\n";
  if (const auto answers = answersTo(mail); !answers.empty()) message += "Reply-To: <" + answers + ">\r\n";
  message += mail::encodeUnstructured("Subject", shapeOf(mail).source->subject);
  message += "Date: " + mail::formatDate(at) + "\r\n";
  message += "Message-ID: " + std::string(messageId) + "\r\n";
  message += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  message += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  return message + crypto::base64Lines(textOf(mail));
}

}  // namespace postern::listd
