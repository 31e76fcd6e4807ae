#include "listd/compose/PostComposer.h"

#include "core/base/Error.h"
#include "core/mail/Date.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/MessageId.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"
#include "listd/compose/ListFields.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace postern::listd {

namespace {

constexpr std::size_t MaxAuthorName = 200;
constexpr std::size_t MaxReferences = 20;

// Of a secure post's own header only these go on, inside. What is not named here (trace, client names and addresses,
// approval passwords, requests for receipts, forged results and list fields) stays behind.
constexpr std::array<std::string_view, 14> KeptInside = {
    "to",         "cc",          "subject",      "comments",     "keywords",     "importance",  "priority",
    "x-priority", "sensitivity", "organization", "thread-topic", "thread-index", "in-reply-to", "auto-submitted"};

// Of domain mail these go on as well.
constexpr std::array<std::string_view, 5> KeptOfAuthor = {"from", "reply-to", "date", "message-id", "references"};

// What an open list takes out of a header; a "*" at the end stands for any rest.
constexpr std::array<std::string_view, 44> RemovedFromOpen = {"received",
                                                              "return-path",
                                                              "delivered-to",
                                                              "x-original-to",
                                                              "envelope-to",
                                                              "x-envelope-to",
                                                              "x-envelope-from",
                                                              "dkim-signature",
                                                              "domainkey-signature",
                                                              "authentication-results",
                                                              "x-authentication-results",
                                                              "received-spf",
                                                              "arc-*",
                                                              "x-google-*",
                                                              "x-ms-*",
                                                              "x-microsoft-*",
                                                              "x-forefront-*",
                                                              "x-originating-ip",
                                                              "bcc",
                                                              "resent-*",
                                                              "disposition-notification-to",
                                                              "disposition-notification-options",
                                                              "return-receipt-to",
                                                              "x-confirm-reading-to",
                                                              "x-pmrqc",
                                                              "generate-delivery-report",
                                                              "list-*",
                                                              "x-list-*",
                                                              "precedence",
                                                              "x-loop",
                                                              "x-beenthere",
                                                              "mailing-list",
                                                              "errors-to",
                                                              "mail-followup-to",
                                                              "mail-reply-to",
                                                              "sender",
                                                              "x-sender",
                                                              "hp-outer",
                                                              "author",
                                                              "approved",
                                                              "approve",
                                                              "x-approved",
                                                              "x-approve",
                                                              "urgent"};

bool isRemovedFromOpen(std::string_view name) {
  const std::string lower = mail::lowerAscii(name);
  return std::any_of(RemovedFromOpen.begin(), RemovedFromOpen.end(), [&](std::string_view pattern) {
    if (pattern.ends_with('*')) return lower.starts_with(pattern.substr(0, pattern.size() - 1));
    return lower == pattern;
  });
}

bool isAmbiguous(const mail::HeaderBlock& header) {
  return std::any_of(header.findings().begin(), header.findings().end(), [](const mail::HeaderFinding& finding) {
    return finding.defect != mail::HeaderDefect::NotUtf8 && finding.defect != mail::HeaderDefect::NoEnd;
  });
}

struct Author {
  std::string name;  // never empty
  mail::Address address;
};

std::optional<Author> findAuthor(const mail::Message& post) {
  const auto from = post.from();
  if (from.mailboxes.size() != 1 || !from.wellFormed || !from.mailboxes.front().address) return std::nullopt;
  const auto& mailbox = from.mailboxes.front();
  const std::string& name = mailbox.displayName.empty() ? mailbox.address->localPart() : mailbox.displayName;
  return Author{std::string(mail::cutUtf8(name, MaxAuthorName)), *mailbox.address};
}

// From of the list with the author's name, and the author in Reply-To and in Author (RFC 9057).
std::vector<std::string> authorFields(const Author& author, const ListFacts& list) {
  return {
      mail::mailboxField("From", {{author.name + " via " + list.shownName(), list.address}}),
      mail::mailboxField("Author", {{author.name, author.address}}),
      mail::mailboxField("Reply-To", {{author.name, author.address}}),
  };
}

// True for the ids that this list's posts got from makeMessageId: they hold nothing but random characters.
bool isOwnId(std::string_view id, const mail::Address& list) {
  if (id.size() != 26 + list.domain().size() + 3 || !id.ends_with("@" + list.domain() + ">")) return false;
  const auto random = id.substr(1, 26);
  return std::all_of(random.begin(), random.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); });
}

std::vector<std::string> idsOf(const mail::Message& post, std::string_view name) {
  const auto* field = post.header().find(name);
  return field == nullptr ? std::vector<std::string>{} : mail::parseMessageIds(field->value, MaxReferences);
}

void addIdField(std::vector<std::string>& fields, std::string_view name, const std::vector<std::string>& ids) {
  std::string tokens;
  for (const auto& id : ids) tokens += (tokens.empty() ? "" : " ") + id;
  if (!tokens.empty()) fields.push_back(mail::foldTokens(name, tokens));
}

// "Auto-Submitted" as one of the words of RFC 3834, without comment or parameter.
std::optional<std::string> autoSubmitted(const mail::Message& post) {
  const auto value = post.header().value("Auto-Submitted");
  if (!value) return std::nullopt;
  const std::string word = mail::parseParameterized(*value).value;
  if (word == "auto-generated" || word == "auto-replied" || word == "auto-notified") return word;
  return std::nullopt;
}

std::vector<std::string> outerFields(const mail::Message& post, const ListFacts& list, const PostStamp& stamp) {
  std::vector<std::string> fields = {
      mail::mailboxField("From", {{list.shownName(), list.address}}),
      mail::mailboxField("To", {{"", list.address}}),
      "Subject: [...]\r\n",
      "Date: " + mail::formatDate(stamp.at) + "\r\n",
      mail::foldTokens("Message-ID", stamp.messageId),
  };
  for (const auto* name : {"In-Reply-To", "References"}) {
    auto ids = idsOf(post, name);
    std::erase_if(ids, [&](const std::string& id) { return !isOwnId(id, list.address); });
    addIdField(fields, name, ids);
  }
  for (auto& field : listFields(list, false)) fields.push_back(std::move(field));
  if (const auto word = autoSubmitted(post)) fields.push_back("Auto-Submitted: " + *word + "\r\n");
  return fields;
}

std::string defaultContentType(std::string_view body) {
  if (mail::isAscii(body)) return "text/plain; charset=us-ascii";
  return mail::isUtf8(body) ? "text/plain; charset=utf-8" : "text/plain";
}

// The post's Content-Type with the mark of RFC 9788 §2.1 that is given; a mark of the author's own is taken off. The
// older mark protected-headers stands beside it: notmuch, Thunderbird and others look for that one alone.
constexpr std::string_view Protected = ";\r\n hp=\"cipher\"; protected-headers=\"v1\"";
constexpr std::string_view Readable = ";\r\n hp=\"clear\"; protected-headers=\"v1\"";
std::optional<std::string> protectedContentType(const mail::Message& post, std::string_view mark = Protected) {
  const auto* field = post.header().find("Content-Type");
  const auto type =
      mail::parseParameterized(field == nullptr ? defaultContentType(post.body()) : std::string(field->value));
  if (!type.wellFormed || type.value.find('/') == type.value.npos || type.value.size() > 200) return std::nullopt;
  std::string line = "Content-Type: " + type.value;
  for (const auto& parameter : type.parameters) {
    if (parameter.name == "hp" || parameter.name == "protected-headers") continue;
    if (parameter.raw.size() > 900) return std::nullopt;
    line += ";\r\n " + parameter.raw;
  }
  return line + std::string(mark) + "\r\n";
}

void requireStamp(const PostStamp& stamp) {
  if (!mail::isMessageId(stamp.messageId))
    throw Error(ErrorKind::Invariant, "a post was stamped with a malformed message id");
}

// The field with its line end, also where the received header had none.
std::string wholeField(const mail::HeaderField& field) {
  std::string raw(field.raw);
  if (!raw.ends_with("\r\n")) raw += "\r\n";
  return raw;
}

std::string originalIdAndReferences(const mail::Message& post) {
  auto ids = idsOf(post, "References");
  // The author's own sent copy has this id; with it among the ancestors the replies find it.
  if (const auto id = post.messageId()) ids.push_back(*id);
  std::vector<std::string> fields;
  addIdField(fields, "References", ids);
  return fields.empty() ? std::string() : fields.front();
}

// A field of an open post that any server takes: text and address fields in raw UTF-8 are written anew in ASCII.
std::optional<std::string> asciiField(const mail::HeaderField& field) {
  const std::string name = mail::lowerAscii(field.name);
  if (mail::isAscii(field.raw) || name.starts_with("content-")) return std::nullopt;
  if (name != "to" && name != "cc") return mail::encodeUnstructured(field.name, mail::decodeUnstructured(field.value));
  std::vector<std::pair<std::string, mail::Address>> kept;
  for (const auto& mailbox : mail::parseMailboxes(field.value).mailboxes)
    if (mailbox.address && mailbox.address->isAscii()) kept.emplace_back(mailbox.displayName, *mailbox.address);
  return kept.empty() ? std::string() : mail::mailboxField(field.name, kept);
}

// `readable`: it stands outside, too, where every server on the way must take it.
std::string innerHeader(const mail::Message& post, const ListFacts& list, const PostStamp& stamp, const Author& author,
                        bool readable) {
  const auto& header = post.header();
  std::string inner;
  for (const auto& field : authorFields(author, list)) inner += field;
  if (header.find("To") == nullptr) inner += mail::mailboxField("To", {{"", list.address}});
  if (header.find("Subject") == nullptr) inner += "Subject: \r\n";
  const auto* date = header.find("Date");
  inner += date != nullptr && mail::parseDate(date->value) ? wholeField(*date)
                                                           : "Date: " + mail::formatDate(stamp.at) + "\r\n";
  inner += mail::foldTokens("Message-ID", stamp.messageId);
  inner += originalIdAndReferences(post);
  for (const auto& field : header.fields()) {
    const std::string name = mail::lowerAscii(field.name);
    if (std::find(KeptInside.begin(), KeptInside.end(), name) == KeptInside.end()) continue;
    inner += readable ? asciiField(field).value_or(wholeField(field)) : wholeField(field);
  }
  for (const auto& field : listFields(list, true)) inner += field;
  return inner;
}

// Whether a reply to this subject counts as marked by the policy secure_tag. Look-alikes, which that policy takes as
// well, do not count here: a second mark does no harm.
bool isPlainlyMarked(std::string_view subject) {
  const auto lower = mail::lowerAscii(subject);
  if (lower.find("[encrypt]") != lower.npos) return true;
  for (auto at = lower.find("secure:"); at != lower.npos; at = lower.find("secure:", at + 1)) {
    const auto before = at == 0 ? ' ' : lower[at - 1];
    if (before == ' ' || before == '[' || before == ':') return true;
  }
  return false;
}

// The subject inside of sealed domain mail: replies inherit its mark, so that one is there even where a policy alone
// asked for protection.
std::string markedSubject(const mail::HeaderField* field) {
  if (field == nullptr) return "Subject: [encrypt]\r\n";
  const auto subject = mail::decodeUnstructured(field->value);
  return isPlainlyMarked(subject) ? wholeField(*field) : mail::encodeUnstructured("Subject", "[encrypt] " + subject);
}

// The fields of the post's content, byte for byte except for Content-Type.
std::string contentFields(const mail::Message& post, const std::string& contentType) {
  std::string fields = contentType;
  for (const auto& field : post.header().fields()) {
    const std::string name = mail::lowerAscii(field.name);
    if (name.starts_with("content-") && name != "content-type" && name != "content-length") fields += wholeField(field);
  }
  const bool declared = post.header().find("Content-Transfer-Encoding") != nullptr;
  if (!declared && !mail::isAscii(post.body())) fields += "Content-Transfer-Encoding: 8bit\r\n";
  return fields;
}

// The body as it came, but for empty lines after the closing boundary of a multipart (Outlook writes one): programs on
// GMime, such as notmuch, lose them and then call the list's signature bad.
std::string_view contentBody(const mail::Message& post) {
  const auto* field = post.header().find("Content-Type");
  const auto type = mail::parseParameterized(field == nullptr ? std::string() : std::string(field->value));
  const auto* boundary = type.find("boundary");
  if (boundary == nullptr || !type.value.starts_with("multipart/")) return post.body();
  const auto end = post.body().find_last_not_of("\r\n") + 1;
  const bool closed = post.body().substr(0, end).ends_with("--" + boundary->value + "--");
  return closed && post.body().substr(end).starts_with("\r\n") ? post.body().substr(0, end + 2) : post.body();
}

std::string innerMimeFields(const mail::Message& post, const std::string& contentType) {
  return "MIME-Version: 1.0\r\n" + contentFields(post, contentType);
}

// The check as the first part, the post as the second. The boundary is the random id that the post got after it came,
// so nobody can have written it into the post.
std::string belowSenderCheck(const mail::Message& post, const std::string& contentType, const PostStamp& stamp,
                             std::string_view senderCheck, std::string_view mark) {
  const auto boundary = "check-" + stamp.messageId.substr(1, stamp.messageId.find('@') - 1);
  const auto delimiter = "\r\n--" + boundary;
  std::string entity = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"" + boundary + "\"" +
                       std::string(mark) + "\r\n" + delimiter + "\r\n";
  entity += "Content-Type: text/plain; charset=us-ascii\r\nContent-Disposition: inline\r\n\r\n";
  entity += senderCheck;
  entity += delimiter + "\r\n" + contentFields(post, contentType) + "\r\n";
  entity += contentBody(post);
  return entity + delimiter + "--\r\n";
}

}  // namespace

const char* composeErrorText(ComposeError error) {
  switch (error) {
    case ComposeError::Ambiguous:
      return "the header of the message is malformed or ambiguous";
    case ComposeError::NoAuthor:
      return "the message does not name exactly one author in From";
  }
  return "the message cannot be sent on";
}

Result<SecurePost, ComposeError> PostComposer::composeSecure(const mail::Message& post, const PostStamp& stamp,
                                                             std::string_view senderCheck) const {
  requireStamp(stamp);
  if (isAmbiguous(post.header())) return Unexpected(ComposeError::Ambiguous);
  const auto author = findAuthor(post);
  if (!author) return Unexpected(ComposeError::NoAuthor);
  const auto contentType = protectedContentType(post);
  if (!contentType) return Unexpected(ComposeError::Ambiguous);

  SecurePost result;
  result.inner = innerHeader(post, list_, stamp, *author, false);
  for (const auto& field : outerFields(post, list_, stamp)) {
    result.outerHeader += field;
    result.inner += "HP-Outer: " + field;  // RFC 9788 §2.2
  }
  if (senderCheck.empty()) {
    result.inner += innerMimeFields(post, *contentType);
    result.inner += "\r\n";
    result.inner += contentBody(post);
  } else {
    result.inner += belowSenderCheck(post, *protectedContentType(post, ""), stamp, senderCheck, Protected);
  }
  return result;
}

Result<SecurePost, ComposeError> PostComposer::composeSigned(const mail::Message& post, const PostStamp& stamp,
                                                             std::string_view senderCheck) const {
  requireStamp(stamp);
  if (isAmbiguous(post.header())) return Unexpected(ComposeError::Ambiguous);
  const auto author = findAuthor(post);
  if (!author) return Unexpected(ComposeError::NoAuthor);
  const auto contentType = protectedContentType(post, Readable);
  if (!contentType) return Unexpected(ComposeError::Ambiguous);

  SecurePost result;
  result.outerHeader = innerHeader(post, list_, stamp, *author, true);
  result.inner = result.outerHeader;
  if (senderCheck.empty()) {
    result.inner += innerMimeFields(post, *contentType) + "\r\n";
    result.inner += contentBody(post);
  } else {
    result.inner += belowSenderCheck(post, *protectedContentType(post, ""), stamp, senderCheck, Readable);
  }
  return result;
}

Result<SecurePost, ComposeError> PostComposer::composeDomain(const mail::Message& message,
                                                             const PostStamp& stamp) const {
  requireStamp(stamp);
  if (isAmbiguous(message.header())) return Unexpected(ComposeError::Ambiguous);
  const auto author = findAuthor(message);
  if (!author) return Unexpected(ComposeError::NoAuthor);
  const auto contentType = protectedContentType(message);
  if (!contentType) return Unexpected(ComposeError::Ambiguous);

  std::vector<std::string> outer{mail::mailboxField("From", {{author->name, author->address}})};
  SecurePost result;
  for (const auto& field : message.header().fields()) {
    const std::string name = mail::lowerAscii(field.name);
    const bool inside = std::find(KeptInside.begin(), KeptInside.end(), name) != KeptInside.end();
    const bool envelope = std::find(KeptOfAuthor.begin(), KeptOfAuthor.end(), name) != KeptOfAuthor.end();
    if ((inside || envelope) && name != "subject") result.inner += wholeField(field);
    if (envelope && name != "from" && name != "reply-to")
      outer.push_back(asciiField(field).value_or(wholeField(field)));
    if (name == "to" || name == "cc" || name == "in-reply-to")
      outer.push_back(asciiField(field).value_or(wholeField(field)));
  }
  result.inner += markedSubject(message.header().find("Subject"));
  if (message.header().find("To") == nullptr) outer.push_back("To: undisclosed-recipients:;\r\n");
  outer.push_back("Subject: [...]\r\n");
  if (message.header().find("Date") == nullptr) outer.push_back("Date: " + mail::formatDate(stamp.at) + "\r\n");
  if (!message.messageId()) outer.push_back(mail::foldTokens("Message-ID", stamp.messageId));
  if (const auto word = autoSubmitted(message)) outer.push_back("Auto-Submitted: " + *word + "\r\n");
  for (const auto& field : outer) {
    result.outerHeader += field;
    if (!field.empty()) result.inner += "HP-Outer: " + field;
  }
  result.inner += innerMimeFields(message, *contentType) + "\r\n";
  result.inner += message.body();
  return result;
}

Result<std::string, ComposeError> PostComposer::composeDomainDirect(const mail::Message& message) const {
  if (isAmbiguous(message.header())) return Unexpected(ComposeError::Ambiguous);
  std::string direct;
  for (const auto& field : message.header().fields()) {
    const std::string name = mail::lowerAscii(field.name);
    if (name != "bcc" && name != "resent-bcc" && name != "return-path") direct += wholeField(field);
  }
  return direct + "\r\n" + std::string(message.body());
}

Result<std::string, ComposeError> PostComposer::composeOpen(const mail::Message& post, const PostStamp& stamp) const {
  if (list_.secure)
    throw Error(ErrorKind::Invariant, "an open copy was asked for of the secure list " + list_.address.text());
  requireStamp(stamp);
  const auto& header = post.header();
  if (isAmbiguous(header)) return Unexpected(ComposeError::Ambiguous);
  const auto author = findAuthor(post);
  if (!author) return Unexpected(ComposeError::NoAuthor);

  std::string head;
  for (const auto& field : authorFields(*author, list_)) head += field;
  for (const auto& field : header.fields()) {
    const std::string name = mail::lowerAscii(field.name);
    if (name == "from" || name == "reply-to" || isRemovedFromOpen(name)) continue;
    if (name == "message-id" && !post.messageId()) continue;
    if (name == "auto-submitted") continue;
    head += asciiField(field).value_or(wholeField(field));
  }
  if (header.find("To") == nullptr) head += mail::mailboxField("To", {{"", list_.address}});
  if (header.find("Date") == nullptr) head += "Date: " + mail::formatDate(stamp.at) + "\r\n";
  if (!post.messageId()) head += mail::foldTokens("Message-ID", stamp.messageId);
  for (const auto& field : listFields(list_, true)) head += field;
  if (const auto word = autoSubmitted(post)) head += "Auto-Submitted: " + *word + "\r\n";
  return head + "\r\n" + std::string(post.body());
}

}  // namespace postern::listd
