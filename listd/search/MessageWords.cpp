#include "listd/search/MessageWords.h"

#include "core/mail/EncodedWord.h"
#include "core/mail/HtmlText.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "core/records/Words.h"

#include <algorithm>

namespace postern::listd {

using Field = records::Query::Field;

namespace {

constexpr mail::MimeLimits SearchLimits{
    .maxParts = 5'000, .maxDepth = 50, .maxTextPerPart = 8u << 20, .maxTextInAll = 16u << 20};

bool isSealed(const mail::MimePart& part) {
  if (part.type == "multipart/encrypted" || part.type == "application/pgp-encrypted" ||
      part.type == "application/pkcs7-mime" || part.type == "application/x-pkcs7-mime")
    return true;
  constexpr std::string_view Pgp = "-----BEGIN PGP MESSAGE-----";
  for (auto at = part.text.find(Pgp); at != std::string::npos; at = part.text.find(Pgp, at + 1))
    if (at == 0 || part.text[at - 1] == '\n') return true;
  return false;
}

// What gmime would not read, or two readers may read differently, so that words may be missed.
bool isDoubtful(const mail::MimeTree& tree) {
  using A = mail::Ambiguity;
  for (const auto ambiguity :
       {A::TooDeep, A::TooManyParts, A::DuplicateContentHeader, A::BadContentType, A::BadBoundary, A::BrokenHeader,
        A::Nul, A::NestedBoundary, A::ConflictingEncoding, A::DuplicateParameter})
    if (tree.has(ambiguity)) return true;
  return false;
}

}  // namespace

class MessageReader {
public:
  explicit MessageReader(MessageWords& words) : words_(words) {}

  bool read(std::string_view content, const std::vector<std::string>& recipients) {
    const auto message = mail::Message::parse(std::string(content));
    if (!message) return false;
    const auto tree = mail::MimeTree::parse(*message, SearchLimits);
    if (tree.isEncrypted() || isDoubtful(tree)) return false;
    for (const auto& field : message->header().fields()) takeField(field);
    for (const auto& recipient : recipients) takeAddress(Field::To, recipient);
    for (const auto& part : tree.parts()) {
      if (part.textTruncated || isSealed(part)) return false;
      takePart(part);
    }
    return marks_ <= MessageWords::MaxMarks;
  }

private:
  void takeField(const mail::HeaderField& field) {
    const auto name = mail::lowerAscii(field.name);
    if (name == "subject") return takeText(Field::Subject, {}, mail::decodeUnstructured(field.value));
    if (name == "from") return takePeople(Field::From, field.value);
    if (name == "to" || name == "cc" || name == "bcc") takePeople(Field::To, field.value);
    if (mail::isFieldName(name) && records::Query::isSearchableHeader(name))
      takeText(Field::Header, name, mail::decodeUnstructured(field.value));
  }

  void takePeople(Field field, std::string_view value) {
    const auto people = mail::parseMailboxes(value);
    if (people.truncated) marks_ = MessageWords::MaxMarks;  // too many: the one below is over the limit
    for (const auto& mailbox : people.mailboxes) {
      takeText(field, {}, mailbox.displayName);
      takeText(field, {}, mailbox.written);
      takeAddress(field, mailbox.address ? mailbox.address->key() : mailbox.written);
    }
  }

  void takeAddress(Field field, std::string_view text) {
    auto address = records::addressWord(text);
    if (address.find('@') == address.npos) return;
    marks_ += 2;
    words_.addresses_.emplace_back(field, std::move(address));
  }

  void takePart(const mail::MimePart& part) {
    const bool attachment = part.disposition == "attachment" || !part.filename.empty();
    if (!part.filename.empty()) takeText(Field::Attachment, {}, part.filename);
    if (part.text.empty()) return;
    const auto field = attachment ? Field::Attachment : Field::Body;
    if (part.type == "text/html")
      takeText(field, {}, mail::htmlText(part.text));
    else
      takeText(field, {}, part.text);
  }

  void takeText(Field field, std::string header, std::string_view text) {
    MessageWords::Run run{field, std::move(header), {}};
    if (marks_ <= MessageWords::MaxMarks)
      records::eachWord(text, [&](std::string_view word) { run.words.emplace_back(word); });
    marks_ += 2 * run.words.size();
    if (!run.words.empty()) words_.runs_.push_back(std::move(run));
  }

  MessageWords& words_;
  std::size_t marks_ = 0;
};

MessageWords MessageWords::read(std::string_view content, const std::vector<std::string>& recipients) {
  MessageWords words;
  words.readable_ = MessageReader(words).read(content, recipients);
  if (!words.readable_) {
    words.runs_.clear();
    words.addresses_.clear();
  }
  return words;
}

void MessageWords::each(const std::function<void(const WordMark&)>& mark) const {
  for (const auto& run : runs_) {
    for (std::size_t i = 0; i < run.words.size(); ++i) {
      mark({WordMark::Kind::Word, run.field, run.header, run.words[i], {}});
      if (i > 0) mark({WordMark::Kind::Pair, run.field, run.header, run.words[i - 1], run.words[i]});
    }
  }
  for (const auto& [field, address] : addresses_) {
    mark({WordMark::Kind::Address, field, {}, address, {}});
    mark({WordMark::Kind::Address, field, {}, std::string_view(address).substr(address.rfind('@')), {}});
  }
}

std::vector<WordMark> marksOf(const records::Query::Term& term, Field field) {
  const auto& words = term.words;
  if (words.size() == 1) {
    const bool address = (field == Field::From || field == Field::To) && words[0].find('@') != std::string::npos;
    return {{address ? WordMark::Kind::Address : WordMark::Kind::Word, field, term.header, words[0], {}}};
  }
  std::vector<WordMark> marks;
  for (std::size_t i = 1; i < words.size(); ++i)
    marks.push_back({WordMark::Kind::Pair, field, term.header, words[i - 1], words[i]});
  return marks;
}

std::vector<Field> fieldsOf(const records::Query::Term& term) {
  if (term.field != Field::Any) return {term.field};
  return {Field::Subject, Field::Body, Field::Attachment, Field::From, Field::To};
}

}  // namespace postern::listd
