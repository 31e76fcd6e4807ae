#include "gateway/deliver/FloorGuard.h"

#include "core/mail/Date.h"
#include "core/mail/EncodedWord.h"
#include "gateway/deliver/SignatureShape.h"
#include "gateway/deliver/SiteMailShape.h"

#include <algorithm>
#include <array>

namespace postern::gateway {

namespace {

using app::Copy;
using app::Protection;
using namespace std::string_view_literals;

struct Field {
  std::string name;   // lower case
  std::string value;  // unfolded, without blanks around it
};

struct Header {
  std::vector<Field> fields;
  std::string_view body;

  // The value if the field is there exactly once.
  const std::string* only(std::string_view name) const {
    const std::string* found = nullptr;
    for (const auto& field : fields) {
      if (field.name != name) continue;
      if (found) return nullptr;
      found = &field.value;
    }
    return found;
  }
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return result;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Nothing if there is a line that is no field or no empty line: then no two readers agree on what is header.
std::optional<Header> readHeader(std::string_view message) {
  Header header;
  for (;;) {
    const auto end = message.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = message.substr(0, end);
    message.remove_prefix(end + 2);
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') {
      if (header.fields.empty()) return std::nullopt;
      header.fields.back().value += ' ';
      header.fields.back().value += trim(line);
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    const auto name = line.substr(0, colon);
    if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c <= 0x20 || c > 0x7e; }))
      return std::nullopt;
    header.fields.push_back({lower(name), std::string(trim(line.substr(colon + 1)))});
  }
  header.body = message;
  return header;
}

// All that may stand outside the ciphertext. A field that is not known could hold the subject.
constexpr std::array SealedFields = {
    "authentication-results"sv,
    "auto-submitted"sv,
    "cc"sv,
    "content-disposition"sv,
    "content-transfer-encoding"sv,
    "content-type"sv,
    "date"sv,
    "dkim-signature"sv,
    "feedback-id"sv,
    "from"sv,
    "in-reply-to"sv,
    "list-archive"sv,
    "list-help"sv,
    "list-id"sv,
    "list-owner"sv,
    "list-post"sv,
    "list-subscribe"sv,
    "list-unsubscribe"sv,
    "list-unsubscribe-post"sv,
    "message-id"sv,
    "mime-version"sv,
    "precedence"sv,
    "received"sv,
    "references"sv,
    "reply-to"sv,
    "sender"sv,
    "subject"sv,
    "to"sv,
    "x-auto-response-suppress"sv,
    "x-loop"sv,
};
static_assert(std::is_sorted(SealedFields.begin(), SealedFields.end()));

// Of a content type, in lower case: the type itself, and whether a parameter has just this value.
std::string_view mediaType(std::string_view contentType) {
  return trim(contentType.substr(0, contentType.find(';')));
}

bool hasParameter(std::string_view contentType, std::string_view name, std::string_view value) {
  bool found = false;
  auto semicolon = contentType.find(';');
  while (semicolon != std::string_view::npos) {
    const auto rest = contentType.substr(semicolon + 1);
    semicolon = rest.find(';');
    const auto parameter = trim(rest.substr(0, semicolon));
    contentType = rest;
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || trim(parameter.substr(0, equals)) != name) continue;
    auto given = trim(parameter.substr(equals + 1));
    if (given.size() >= 2 && given.front() == '"' && given.back() == '"') given = given.substr(1, given.size() - 2);
    if (found || given != value) return false;
    found = true;
  }
  return found;
}

const char* checkSealedHeader(const Header& header) {
  for (const auto& field : header.fields)
    if (!std::binary_search(SealedFields.begin(), SealedFields.end(), std::string_view(field.name)))
      return "the header has a field that a sealed copy may not have";
  const auto* subject = header.only("subject");
  if (!subject || *subject != "[...]") return "the outer subject is not \"[...]\"";
  const auto* version = header.only("mime-version");
  if (!version || *version != "1.0") return "there is not exactly one MIME-Version";
  return header.only("content-type") ? nullptr : "there is not exactly one Content-Type";
}

const char* checkSmimeHeader(const Header& header, CmsKind& kind) {
  const auto* encoding = header.only("content-transfer-encoding");
  if (!encoding || lower(*encoding) != "base64") return "the body is not announced as base64";
  const auto type = lower(*header.only("content-type"));
  if (mediaType(type) != "application/pkcs7-mime") return "the Content-Type is not application/pkcs7-mime";
  if (hasParameter(type, "smime-type", "enveloped-data"))
    kind = CmsKind::Enveloped;
  else if (hasParameter(type, "smime-type", "authenveloped-data"))
    kind = CmsKind::AuthEnveloped;
  else
    return "the smime-type is neither enveloped-data nor authEnveloped-data";
  return nullptr;
}

// The one form that Postern writes (RFC 3156 §4); a parameter more could hold words of the post.
const char* checkPgpHeader(const Header& header, std::string& boundary) {
  constexpr auto start = "multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\""sv;
  for (const auto& field : header.fields)
    if (field.name == "content-transfer-encoding" || field.name == "content-disposition")
      return "the header has a field that a PGP/MIME copy may not have";
  const auto& type = *header.only("content-type");
  if (!type.starts_with(start) || !type.ends_with('"'))
    return "the Content-Type is not multipart/encrypted of PGP/MIME";
  boundary = type.substr(start.size(), type.size() - start.size() - 1);
  return PgpShape::isBoundary(boundary) ? nullptr : "the boundary of the PGP/MIME message is not of its form";
}

template <class Shape>
std::string checkBody(Shape shape, std::string_view body, const OutboundTail* tail) {
  if (!shape.feed(body)) return shape.problem();
  if (tail) return tail->finishShape(shape);
  return shape.finish() ? "" : shape.problem();
}

std::string checkSealed(Protection protection, std::string_view head, const OutboundTail* tail) {
  const auto header = readHeader(head);
  if (!header) return "the header cannot be read";
  if (head.size() - header->body.size() > FloorGuard::MaxSealedHeader) return "the header is too large";
  if (const char* why = checkSealedHeader(*header)) return why;
  if (protection == Protection::Smime) {
    auto kind = CmsKind::Enveloped;
    if (const char* why = checkSmimeHeader(*header, kind)) return why;
    return checkBody(CmsShape(kind), header->body, tail);
  }
  std::string boundary;
  if (const char* why = checkPgpHeader(*header, boundary)) return why;
  return checkBody(PgpShape(boundary), header->body, tail);
}

// The fields that a mail of our own has. One that is not known could hold words of the post.
constexpr std::array OwnFields = {
    "auto-submitted"sv, "content-transfer-encoding"sv,
    "content-type"sv,   "date"sv,
    "from"sv,           "message-id"sv,
    "mime-version"sv,   "reply-to"sv,
    "subject"sv,        "to"sv,
    "x-loop"sv,
};
static_assert(std::is_sorted(OwnFields.begin(), OwnFields.end()));

// What mail of our own is called (listd/compose/Notice). "*" stands for the name of a list.
constexpr std::array NoticeSubjects = {"A message to * could not be sent to you"sv};
constexpr std::array ReportSubjects = {
    "How your message to * goes out"sv,        "Your message did not reach everybody on *"sv,
    "Your message is delayed for some on *"sv, "Your message to * was not distributed"sv,
    "Your message was delivered to *"sv,
};
constexpr std::size_t MaxListName = 110;

bool matches(std::string_view pattern, std::string_view subject) {
  const auto star = pattern.find('*');
  const auto before = pattern.substr(0, star);
  const auto after = pattern.substr(star + 1);
  return subject.starts_with(before) && subject.ends_with(after) && subject.size() > before.size() + after.size() &&
         subject.size() <= before.size() + after.size() + MaxListName;
}

template <std::size_t Count>
bool isKnownSubject(const std::array<std::string_view, Count>& known, const Header& header) {
  const auto subject = mail::decodeUnstructured(*header.only("subject"));
  return std::any_of(known.begin(), known.end(), [&](std::string_view pattern) { return matches(pattern, subject); });
}

// As our own formatter writes it, so that no comment hides in it.
bool isDate(std::string_view value) {
  const auto date = mail::parseDate(value);
  return date && mail::formatDate(*date) == value;
}

// "<RANDOM@DOMAIN>" as mail::makeMessageId() gives it.
bool isPlainId(std::string_view value) {
  constexpr auto characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"sv;
  if (value.size() < 5 || value.size() > 300 || value.front() != '<' || value.back() != '>') return false;
  value = value.substr(1, value.size() - 2);
  const auto at = value.find('@');
  if (at == std::string_view::npos || at > 40) return false;
  return value.substr(0, at).find_first_not_of(characters) == std::string_view::npos &&
         value.substr(at + 1).find_first_not_of(characters) == std::string_view::npos;
}

const char* checkOwnMail(std::string_view head, const OutboundTail* tail, std::size_t limit, Header& header) {
  if (tail && !tail->bytes().empty()) return "a mail of our own has a shared tail";
  if (head.size() > limit) return "a mail of our own is too large";
  auto read = readHeader(head);
  if (!read) return "the header cannot be read";
  header = std::move(*read);
  for (const auto& field : header.fields)
    if (!std::binary_search(OwnFields.begin(), OwnFields.end(), std::string_view(field.name)))
      return "a mail of our own has a field that is not known";
  const auto* automatic = header.only("auto-submitted");
  if (!automatic || lower(*automatic).starts_with("no")) return "a mail of our own is not marked Auto-Submitted";
  if (!header.only("subject")) return "there is not exactly one Subject";
  if (!header.only("content-type")) return "there is not exactly one Content-Type";
  const bool answers = std::any_of(header.fields.begin(), header.fields.end(),
                                   [](const Field& field) { return field.name == "reply-to"; });
  if (answers && (!header.only("reply-to") || !isSiteMailSubject(*header.only("subject"))))
    return "a mail of our own says where answers go";
  return nullptr;
}

// Mail of the site to people; see SiteMailShape. The known fields only, each once, each of the one form.
const char* checkSiteMail(const Header& header) {
  for (const auto name : {"from"sv, "to"sv, "date"sv, "message-id"sv, "mime-version"sv, "content-transfer-encoding"sv})
    if (!header.only(name)) return "a mail of the site has not each field just once";
  const auto* answers = header.only("reply-to");
  if (header.fields.size() != (answers != nullptr ? 10u : 9u))
    return "a mail of the site has a field more than it needs";
  if (*header.only("auto-submitted") != "auto-generated" || *header.only("mime-version") != "1.0" ||
      *header.only("content-type") != "text/plain; charset=utf-8" ||
      *header.only("content-transfer-encoding") != "base64")
    return "a field of a mail of the site is not of its form";
  if (!isDate(*header.only("date"))) return "the date of a mail of the site is not of its form";
  if (!isPlainId(*header.only("message-id"))) return "the id of a mail of the site is not of its form";
  return siteMailFault(*header.only("subject"), *header.only("from"), *header.only("to"),
                       answers != nullptr ? std::string_view(*answers) : std::string_view(), header.body);
}

const char* checkNotice(std::string_view head, const OutboundTail* tail) {
  Header header;
  if (const char* why = checkOwnMail(head, tail, FloorGuard::MaxListKeys, header)) return why;
  if (head.size() > FloorGuard::MaxNotice && !isListKeysSubject(*header.only("subject")))
    return "a mail of our own is too large";
  if (isSiteMailSubject(*header.only("subject"))) return checkSiteMail(header);
  if (!isKnownSubject(NoticeSubjects, header)) return "the subject of a notice is not one of the known";
  const auto type = lower(*header.only("content-type"));
  return mediaType(type) == "text/plain" ? nullptr : "a notice is not plain text";
}

const char* checkReport(std::string_view head, const OutboundTail* tail) {
  Header header;
  if (const char* why = checkOwnMail(head, tail, FloorGuard::MaxReport, header)) return why;
  if (!isKnownSubject(ReportSubjects, header)) return "the subject of a report is not one of the known";
  const auto type = lower(*header.only("content-type"));
  if (mediaType(type) != "multipart/report" && mediaType(type) != "text/plain")
    return "a report has a wrong Content-Type";
  const auto body = lower(header.body);
  for (const auto part : {"message/rfc822"sv, "text/rfc822"sv, "message/global"sv, "message/partial"sv})
    if (body.find(part) != std::string::npos) return "a report holds a message";
  return nullptr;
}

std::string checkEnvelope(std::string_view head, const OutboundTail* tail, const HopFacts& hop) {
  if (tail == nullptr) return envelopeshape::judge(head, nullptr, hop.ownUrl);
  const auto judged = tail->envelope(hop.ownUrl);
  return envelopeshape::judge(head, &judged, hop.ownUrl);
}

Result<Clearance, std::string> blocked(std::string_view why) {
  return Unexpected("blocked by the floor: " + std::string(why));
}

std::string checkContent(Protection protection, Protection floor, std::string_view head, const OutboundTail* tail,
                         const HopFacts& hop) {
  if (protection < floor)
    return std::string("the copy is protected by ") + app::protectionName(protection) + ", its floor is " +
           app::protectionName(floor);
  switch (protection) {
    case Protection::None:
      return "";
    case Protection::Tls:
      return hop.tls && hop.verified ? "" : "this connection has no verified TLS";
    case Protection::Smime:
    case Protection::OpenPgp:
      return checkSealed(protection, head, tail);
    case Protection::Pickup:
      return checkEnvelope(head, tail, hop);
  }
  return "the protection is not known";
}

}  // namespace

Result<std::shared_ptr<const OutboundTail>, std::string> OutboundTail::make(std::shared_ptr<const std::string> bytes) {
  auto text = smtp::ClientText::check(*bytes);
  if (!text) return Unexpected(text.error());
  return std::shared_ptr<const OutboundTail>(new OutboundTail(std::move(bytes), std::move(*text)));
}

std::string OutboundTail::finishShape(const SealedShape& afterHead) const {
  {
    const MutexLock lock(mutex_);
    for (const auto& verdict : verdicts_)
      if (verdict.state == afterHead) return verdict.problem;
  }
  auto walk = afterHead;
  const auto problem = std::visit(
      [&](auto& shape) -> std::string { return shape.feed(*bytes_) && shape.finish() ? "" : shape.problem(); }, walk);
  const MutexLock lock(mutex_);
  if (verdicts_.size() < MaxVerdicts) verdicts_.push_back({afterHead, problem});
  return problem;
}

envelopeshape::Tail OutboundTail::envelope(std::string_view ownUrl) const {
  const MutexLock lock(mutex_);
  if (!envelope_) envelope_ = envelopeshape::judgeTail(*bytes_, ownUrl);
  return *envelope_;
}

Result<Clearance, std::string> FloorGuard::check(Copy::Kind kind, Protection protection, Protection floor,
                                                 std::string_view head, const OutboundTail* tail, const HopFacts& hop) {
  const auto signatures = takeSignatures(protection == Protection::None && kind == Copy::Kind::Content ? "" : head);
  if (!signatures.problem.empty()) return blocked(signatures.problem);
  head.remove_prefix(signatures.size);
  std::string why = "the kind of copy is not known";
  switch (kind) {
    case Copy::Kind::Content:
      why = checkContent(protection, floor, head, tail, hop);
      break;
    case Copy::Kind::Notice:
    case Copy::Kind::Report: {
      const char* problem = kind == Copy::Kind::Notice ? checkNotice(head, tail) : checkReport(head, tail);
      why = problem ? problem : "";
      break;
    }
  }
  if (!why.empty()) return blocked(why);
  return Clearance();
}

}  // namespace postern::gateway
