#include "listd/mailout/SiteMail.h"

#include "core/app/SubscriptionTexts.h"
#include "core/base/Error.h"
#include "core/crypto/CertificateBundle.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Address.h"
#include "core/mail/Date.h"
#include "core/mail/MessageId.h"
#include "core/pgp/PublicKey.h"
#include "listd/site/SiteStore.h"

#include <algorithm>
#include <array>

namespace postern::listd {
namespace {

using Kind = SiteMail::Kind;

// What stands in the place of a line. The gateway checks the same again (gateway/deliver/SiteMailShape).
enum class Slot { Number, Time, Word, Address, Certificates, OpenPgpKey, Mailbox };

struct Shape {
  Kind kind;
  const char* word;
  const char* subject;
  const char* text;  // {0}, {1} …: the lines; {link}; {checkpoint}: all lines
  std::array<Slot, 3> slots;
  std::size_t lines;
  bool link;
};

constexpr std::array<Shape, 18> Shapes = {{
    {Kind::HoldNotice,
     "hold-notice",
     "You have been asked to keep mail",
     "Hello,\n\nyou have been asked not to delete certain mail. What it is about, and what you\nare asked to do, "
     "stands "
     "behind this link. Please read it and confirm it there:\n\n{link}\n\nThis mail says nothing more on purpose.\n",
     {},
     0,
     true},
    {Kind::HoldReminder,
     "hold-reminder",
     "Reminder: you have been asked to keep mail",
     "Hello,\n\nyou were asked not to delete certain mail, and have not confirmed it yet.\nPlease read what it is "
     "about "
     "and confirm it there:\n\n{link}\n\nThis mail says nothing more on purpose.\n",
     {},
     0,
     true},
    {Kind::ApprovalsWaiting,
     "approvals-waiting",
     "Requests wait for your decision",
     "Hello,\n\nrequests that wait for a second person: {0}\n\nDecide on them here:\n\n{link}\n",
     {Slot::Number},
     1,
     true},
    {Kind::LonePersonChange,
     "lone-person-change",
     "A change that nobody else can approve",
     "Hello,\n\na site that has only one person will make a change for which a second person\nwould have to be asked. "
     "You "
     "are told because your address is the outside\naddress of that site.\n\nKind of the change: {0}\nNumber of the "
     "request: {1}\nTakes effect: {2}\n\nIf it should not be made, stop it here before then:\n\n{link}\n",
     {Slot::Word, Slot::Number, Slot::Time},
     3,
     true},
    {Kind::OnePersonSite,
     "one-person-site",
     "One person will be left",
     "Hello,\n\na change was asked for that leaves the site you work on to one person alone.\nNobody could approve or "
     "refuse then what that person asks for.\n\nNumber of the request: {0}\nTakes effect: {1}\n\nThe outside address "
     "of the site can stop it until then. It is shown here:\n\n{link}\n",
     {Slot::Number, Slot::Time},
     2,
     true},
    {Kind::AuditAnchor,
     "audit-anchor",
     "Checkpoint of the audit log",
     "Keep this mail. It proves later that the audit log up to this point was not\nchanged.\n\n{checkpoint}",
     {},
     0,
     false},
    {Kind::Invitation,
     "invitation",
     "Your account",
     "Hello,\n\nan account has been prepared for you. Set it up here:\n\n{link}\n\nThe link works once, until {0}.\n",
     {Slot::Time},
     1,
     true},
    {Kind::KeyConfirm,
     "key-confirm",
     "A key for your address",
     "Hello,\n\na key for your address was sent to us. If it was you, look at it and confirm it\nhere within three "
     "days:\n\n{link}\n\nIf it was not you, do nothing: it will not be used.\n",
     {},
     0,
     true},
    {Kind::KeyUnfit,
     "key-unfit",
     "A key that cannot be used",
     "Hello,\n\na key for your address was sent to us, and it cannot be used. Why, and where to\ngive another one "
     "within three days, stands here:\n\n{link}\n\nIf it was not you, do nothing.\n",
     {},
     0,
     true},
    {Kind::KeyPage,
     "key-page",
     "Your keys",
     "Hello,\n\nthe keys for your address are shown here, and a new one can be given, within\nthree days:\n\n"
     "{link}\n\nIf you did not ask for this, do nothing.\n",
     {},
     0,
     true},
    {Kind::BreakGlass,
     "break-glass",
     "The emergency account was opened",
     "Hello,\n\nthe sealed emergency account of the site was opened on {0}.\nIf you do not know why, look into it now:"
     "\n\n{link}\n",
     {Slot::Time},
     1,
     true},
    {Kind::ContentAccess,
     "content-access",
     "Staff opened mail of one of your lists",
     "Hello,\n\non {0} a person of the staff opened mail of a list that is yours. Who and when\nstands behind this "
     "link, "
     "at the list:\n\n{link}\n\nYou get this mail once a day at most.\n",
     {Slot::Time},
     1,
     true},
    {Kind::PickupLink,
     "pickup-link",
     "Your link to secure mail",
     "Hello,\n\nhere is your link to the secure mail that waits for you:\n\n{link}\n\nIt works once, until {0}, and "
     "ends every link that you\ngot before. Nothing happens when you do not use it.\n",
     {Slot::Time},
     1,
     true},
    {Kind::PickupProblem,
     "pickup-problem",
     "Somebody reported a problem with secure mail",
     "Hello,\n\non {0} somebody who reads secure mail here reported a problem with a\nmessage. What it is stands "
     "behind "
     "this link:\n\n{link}\n\nYou get this mail once an hour at most.\n",
     {Slot::Time},
     1,
     true},
    {Kind::KeyEnding,
     "key-ending",
     "Your key ends soon",
     "Hello,\n\nthe key to which mail for you is encrypted ends on {0}.\nAfter that such mail cannot reach you as it "
     "does now. Give a new key here:\n\n{link}\n\nThe link works once, until {1}.\n",
     {Slot::Time, Slot::Time},
     2,
     true},
    {Kind::ListKeys,
     "list-keys",
     "The keys of a list",
     "Hello,\n\nthese are the public keys of the list {0}.\nYou get them because a mail with the subject "
     "\"key\" came from your address.\nMail can be changed on its way: when it matters, compare the fingerprints "
     "with an\nowner of the list before you use a key.\n\nFor S/MIME:\n\n{1}\nFor OpenPGP:\n\n{2}",
     {Slot::Address, Slot::Certificates, Slot::OpenPgpKey},
     3,
     false},
    {Kind::OwnerWork,
     "owner-work",
     "Your lists: what needs a hand",
     "Hello,\n\non the lists that you own:\n\nKeys that wait for a decision: {0}\nMembers who get no copies: {1}\n"
     "Keys that end within 30 days: {2}\n\nWho, and what to do, stands here:\n\n{link}\n\nYou get this mail once a "
     "week at most.\n",
     {Slot::Number, Slot::Number, Slot::Number},
     3,
     true},
    {Kind::Quarantine,
     "quarantine",
     "Mail waits in the quarantine",
     "Hello,\n\nmail that a person has to look at, for the lists that you look after:\n\nMessages that wait: {0}\n"
     "Destroyed within three days if nobody releases them: {1}\n\nRelease or delete them here:\n\n{link}\n\n"
     "You get this mail once a day at most.\n",
     {Slot::Number, Slot::Number},
     2,
     true},
}};

constexpr std::array SubscriptionKinds = {
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

void replace(std::string& text, std::string_view slot, std::string_view value) {
  const auto at = text.find(slot);
  if (at != std::string::npos) text.replace(at, slot.size(), value);
}

// The shape of a text of core/app/texts: its slots by number, in the order in which they stand there.
Shape shapeOfText(Kind kind, const app::MailText& source, std::string& text) {
  constexpr std::array slots = {std::pair{"{mailbox}", Slot::Mailbox}, std::pair{"{time}", Slot::Time},
                                std::pair{"{number}", Slot::Number}};
  Shape shape{kind, source.word, source.subject, nullptr, {}, 0, false};
  text = source.text;
  shape.link = text.find("{link}") != std::string::npos;
  for (;;) {
    std::size_t first = text.npos, which = 0;
    for (std::size_t i = 0; i < slots.size(); ++i)
      if (const auto at = text.find(slots.at(i).first); at < first) first = at, which = i;
    if (first == text.npos) break;
    text.replace(first, std::string_view(slots.at(which).first).size(), "{" + std::to_string(shape.lines) + "}");
    shape.slots.at(shape.lines++) = slots.at(which).second;
  }
  shape.text = text.c_str();
  return shape;
}

// All there are. In English; a language of a list or a person comes with the others.
const std::vector<Shape>& shapes() {
  static std::array<std::string, SubscriptionKinds.size()> texts;
  static const auto all = [] {
    std::vector<Shape> made(Shapes.begin(), Shapes.end());
    for (std::size_t i = 0; i < SubscriptionKinds.size(); ++i)
      for (const auto& text : app::englishTexts())
        if (std::string_view(text.word) == SubscriptionKinds.at(i).second)
          made.push_back(shapeOfText(SubscriptionKinds.at(i).first, text, texts.at(i)));
    return made;
  }();
  return all;
}

const Shape& shapeOf(Kind kind) {
  const auto shape =
      std::find_if(shapes().begin(), shapes().end(), [&](const Shape& each) { return each.kind == kind; });
  if (shape == shapes().end()) throw Error(ErrorKind::Invariant, "unknown kind of site mail");
  return *shape;
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
  const auto& shape = shapeOf(mail.kind);
  std::string text = shape.text;
  for (std::size_t i = 0; i < shape.lines; ++i) replace(text, "{" + std::to_string(i) + "}", mail.lines[i]);
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
  return shapeOf(kind).word;
}

std::optional<Kind> siteMailKind(std::string_view word) {
  for (const auto& shape : shapes())
    if (word == shape.word) return shape.kind;
  return std::nullopt;
}

std::optional<std::string> siteMailFault(const SiteMail& mail) {
  const auto& shape = shapeOf(mail.kind);
  if (!mail::Address::parse(mail.recipient)) return "its recipient is no mail address";
  if (shape.link ? !isLink(mail.link) : !mail.link.empty()) return "its link is not of the form of our pages";
  if (mail.kind == Kind::AuditAnchor) {
    if (!isCheckpoint(mail.lines)) return "its lines are not those of a checkpoint";
    return std::nullopt;
  }
  if (mail.lines.size() != shape.lines) return "it has not as many lines as its kind needs";
  for (std::size_t i = 0; i < shape.lines; ++i)
    if (!fits(shape.slots.at(i), mail.lines[i])) return "a line has not the form that its kind needs";
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
  message += std::string("Subject: ") + shapeOf(mail.kind).subject + "\r\n";
  message += "Date: " + mail::formatDate(at) + "\r\n";
  message += "Message-ID: " + std::string(messageId) + "\r\n";
  message += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  message += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  return message + crypto::base64Lines(textOf(mail));
}

}  // namespace postern::listd
