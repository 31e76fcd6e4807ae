#include "listd/compose/PostComposer.h"

#include "core/base/Error.h"
#include "core/mail/Date.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/MessageId.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"
#include "listd/compose/ContentEntity.h"
#include "listd/compose/ListFields.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace postern::listd {

namespace {

constexpr std::size_t MaxAuthorName = 200;
constexpr std::size_t MaxReferences = 20;
constexpr std::size_t MaxReplies = 5;

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

using Author = PostAuthor;

std::optional<Author> findAuthor(const mail::Message& post) {
  const auto from = post.from();
  if (from.mailboxes.size() != 1 || !from.wellFormed || !from.mailboxes.front().address) return std::nullopt;
  const auto& mailbox = from.mailboxes.front();
  const std::string& name = mailbox.displayName.empty() ? mailbox.address->localPart() : mailbox.displayName;
  return Author{std::string(mail::cutUtf8(name, MaxAuthorName)), *mailbox.address};
}

// Where the author wants answers: his own Reply-To where it holds usable addresses, else himself.
std::vector<std::pair<std::string, mail::Address>> wantedReplies(const mail::Message& post, const Author& author) {
  std::vector<std::pair<std::string, mail::Address>> wanted;
  if (const auto* field = post.header().find("Reply-To"); field != nullptr)
    for (const auto& mailbox : mail::parseMailboxes(field->value).mailboxes)
      if (mailbox.address && mailbox.address->isAscii() && wanted.size() < MaxReplies)
        wanted.emplace_back(std::string(mail::cutUtf8(mailbox.displayName, MaxAuthorName)), *mailbox.address);
  if (wanted.empty()) wanted.emplace_back(author.name, author.address);
  return wanted;
}

std::string replyField(const mail::Message& post, const Author& author, const ListFacts& list) {
  const std::pair<std::string, mail::Address> toList{list.shownName(), list.address};
  if (list.shape.author == AuthorShown::Nobody) return mail::mailboxField("Reply-To", {toList});
  switch (list.shape.replyTo) {
    case ReplyGoes::Author:
      return mail::mailboxField("Reply-To", {{author.name, author.address}});
    case ReplyGoes::Asked:
      return mail::mailboxField("Reply-To", wantedReplies(post, author));
    case ReplyGoes::List:
      return mail::mailboxField("Reply-To", {toList});
    case ReplyGoes::Both:
      return mail::mailboxField("Reply-To", {{author.name, author.address}, toList});
  }
  throw Error(ErrorKind::Invariant, "a list says nothing of where answers go");
}

// From of the list with the author's name, the author in Author (RFC 9057), and Reply-To; of an anonymous list nothing
// of the author.
std::vector<std::string> authorFields(const mail::Message& post, const Author& author, const ListFacts& list) {
  auto reply = replyField(post, author, list);
  if (list.shape.author == AuthorShown::Nobody)
    return {mail::mailboxField("From", {{list.shownName(), list.address}}), std::move(reply)};
  return {
      mail::mailboxField("From", {{author.name + " via " + list.shownName(), list.address}}),
      mail::mailboxField("Author", {{author.name, author.address}}),
      std::move(reply),
  };
}

// The subject with the list's prefix in front, unless it is there already.
std::optional<std::string> prefixedSubject(const mail::HeaderField* field, const ListFacts& list) {
  const auto& prefix = list.shape.subjectPrefix;
  if (prefix.empty()) return std::nullopt;
  const auto subject = field == nullptr ? std::string() : mail::decodeUnstructured(field->value);
  if (mail::lowerAscii(subject).find(mail::lowerAscii(prefix)) != std::string::npos) return std::nullopt;
  return mail::encodeUnstructured("Subject", subject.empty() ? prefix : prefix + " " + subject);
}

// What of an author's header may tell who wrote, where the list shows nobody.
bool tellsOfAuthor(std::string_view lowerName) {
  constexpr std::array<std::string_view, 6> names = {"to",           "cc",           "in-reply-to",
                                                     "organization", "thread-index", "thread-topic"};
  return std::find(names.begin(), names.end(), lowerName) != names.end();
}

// Of an open post whose author is not to be seen.
bool isKeptOfNobody(const std::string& name) {
  const bool content = name.starts_with("content-") || name == "mime-version" || name == "date";
  return content || (std::find(KeptInside.begin(), KeptInside.end(), name) != KeptInside.end() && !tellsOfAuthor(name));
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

// The thread as far as it is made of this list's own posts.
std::vector<std::string> ownThread(const mail::Message& post, const ListFacts& list) {
  std::vector<std::string> fields;
  for (const auto* name : {"In-Reply-To", "References"}) {
    auto ids = idsOf(post, name);
    std::erase_if(ids, [&](const std::string& id) { return !isOwnId(id, list.address); });
    addIdField(fields, name, ids);
  }
  return fields;
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
  for (auto& field : ownThread(post, list)) fields.push_back(std::move(field));
  for (auto& field : listFields(list, false)) fields.push_back(std::move(field));
  if (const auto word = autoSubmitted(post)) fields.push_back("Auto-Submitted: " + *word + "\r\n");
  return fields;
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
  const bool anonymous = list.shape.author == AuthorShown::Nobody;
  const auto subject = prefixedSubject(header.find("Subject"), list);
  for (const auto& field : authorFields(post, author, list)) inner += field;
  if (anonymous || header.find("To") == nullptr) inner += mail::mailboxField("To", {{"", list.address}});
  if (subject || header.find("Subject") == nullptr) inner += subject.value_or("Subject: \r\n");
  const auto* date = header.find("Date");
  inner += date != nullptr && mail::parseDate(date->value) ? wholeField(*date)
                                                           : "Date: " + mail::formatDate(stamp.at) + "\r\n";
  inner += mail::foldTokens("Message-ID", stamp.messageId);
  if (!anonymous) inner += originalIdAndReferences(post);
  if (anonymous)
    for (const auto& field : ownThread(post, list)) inner += field;
  for (const auto& field : header.fields()) {
    const std::string name = mail::lowerAscii(field.name);
    if (std::find(KeptInside.begin(), KeptInside.end(), name) == KeptInside.end()) continue;
    if ((name == "subject" && subject) || (anonymous && tellsOfAuthor(name))) continue;
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
  const auto content = contentEntity(post, stamp, ProtectedMark, wordsFor(post, senderCheck));
  if (!content) return Unexpected(ComposeError::Ambiguous);

  SecurePost result;
  result.inner = innerHeader(post, list_, stamp, *author, false);
  for (const auto& field : outerFields(post, list_, stamp)) {
    result.outerHeader += field;
    result.inner += "HP-Outer: " + field;  // RFC 9788 §2.2
  }
  result.inner += *content;
  return result;
}

Result<SecurePost, ComposeError> PostComposer::composeSigned(const mail::Message& post, const PostStamp& stamp,
                                                             std::string_view senderCheck) const {
  requireStamp(stamp);
  if (isAmbiguous(post.header())) return Unexpected(ComposeError::Ambiguous);
  const auto author = findAuthor(post);
  if (!author) return Unexpected(ComposeError::NoAuthor);
  const auto content = contentEntity(post, stamp, ReadableMark, wordsFor(post, senderCheck));
  if (!content) return Unexpected(ComposeError::Ambiguous);

  SecurePost result;
  result.outerHeader = innerHeader(post, list_, stamp, *author, true);
  result.inner = result.outerHeader + *content;
  return result;
}

Result<SecurePost, ComposeError> PostComposer::composeDomain(const mail::Message& message,
                                                             const PostStamp& stamp) const {
  requireStamp(stamp);
  if (isAmbiguous(message.header())) return Unexpected(ComposeError::Ambiguous);
  const auto author = findAuthor(message);
  if (!author) return Unexpected(ComposeError::NoAuthor);
  const auto contentType = markedContentType(message, ProtectedMark);
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
  result.inner += "MIME-Version: 1.0\r\n" + contentFields(message, *contentType) + "\r\n";
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

  // Where the list adds a footer, the MIME fields are written anew with the content.
  const auto words = wordsFor(post, {});
  const auto content = words.footer.empty() ? std::nullopt : contentEntity(post, stamp, "", words);
  const bool anonymous = list_.shape.author == AuthorShown::Nobody;
  const bool ownId = anonymous || !post.messageId();
  const auto subject = prefixedSubject(header.find("Subject"), list_);
  std::string head;
  for (const auto& field : openAuthorFields(post, *author)) head += field;
  for (const auto& field : header.fields()) {
    const std::string name = mail::lowerAscii(field.name);
    if (name == "from" || name == "reply-to" || name == "auto-submitted" || isRemovedFromOpen(name)) continue;
    if ((name == "message-id" && ownId) || (name == "subject" && subject)) continue;
    if (content && (name == "mime-version" || name.starts_with("content-"))) continue;
    if (anonymous && !isKeptOfNobody(name)) continue;
    head += asciiField(field).value_or(wholeField(field));
  }
  if (subject) head += *subject;
  if (anonymous || header.find("To") == nullptr) head += mail::mailboxField("To", {{"", list_.address}});
  if (anonymous)
    for (const auto& field : ownThread(post, list_)) head += field;
  if (header.find("Date") == nullptr) head += "Date: " + mail::formatDate(stamp.at) + "\r\n";
  if (ownId) head += mail::foldTokens("Message-ID", stamp.messageId);
  for (const auto& field : listFields(list_, true)) head += field;
  if (const auto word = autoSubmitted(post)) head += "Auto-Submitted: " + *word + "\r\n";
  return content ? head + *content : head + "\r\n" + std::string(post.body());
}

// The list's words for this post: no footer where the author signed or encrypted, and nobody's name where the list
// shows nobody.
ListWords PostComposer::wordsFor(const mail::Message& post, std::string_view senderCheck) const {
  ListWords words;
  if (list_.shape.author != AuthorShown::Nobody) words.above = senderCheck;
  if (!isSealedByAuthor(post)) words.footer = list_.shape.footer;
  return words;
}

std::vector<std::string> PostComposer::openAuthorFields(const mail::Message& post, const Author& author) const {
  if (list_.shape.author != AuthorShown::Own || author.address.domain() != list_.signedAuthorDomain)
    return authorFields(post, author, list_);
  return {mail::mailboxField("From", {{author.name, author.address}}),
          mail::mailboxField("Sender", {{list_.shownName(), list_.address}}), replyField(post, author, list_)};
}

}  // namespace postern::listd
