#include "core/mail/Mailboxes.h"

#include "core/base/Error.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/Header.h"
#include "core/mail/Text.h"

#include <algorithm>

namespace postern::mail {

namespace {

bool isBlank(char c) {
  return c == ' ' || c == '\t';
}

// RFC 5322 §4.4 allows blanks around "." and "@". Any other blank outside quotes stays and makes the address invalid.
std::string tightenAddress(std::string_view spec) {
  std::string result;
  bool quoted = false;
  for (std::size_t i = 0; i < spec.size(); ++i) {
    const char c = spec[i];
    if (quoted && c == '\\' && i + 1 < spec.size()) {
      result += c;
      result += spec[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (!quoted && isBlank(c)) {
      const auto next = spec.find_first_not_of(" \t", i);
      const bool joins = result.empty() || result.back() == '.' || result.back() == '@' || next == spec.npos ||
                         spec[next] == '.' || spec[next] == '@';
      if (!joins) result += ' ';
      if (next == spec.npos) break;
      i = next - 1;
      continue;
    }
    result += c;
  }
  return result;
}

// "@relay,@other:user@domain" (RFC 5322 §4.4): the route is dropped, nobody follows it.
std::string_view withoutRoute(std::string_view spec) {
  if (!spec.starts_with('@')) return spec;
  const auto colon = spec.find(':');
  return colon == spec.npos ? spec : spec.substr(colon + 1);
}

std::string shownName(std::string_view raw) {
  std::string name = decodeUnstructured(raw);
  for (char& c : name)
    if (hasControl({&c, 1})) c = ' ';
  name.erase(std::unique(name.begin(), name.end(), [](char a, char b) { return a == ' ' && b == ' '; }), name.end());
  return std::string(trim(name));
}

class Reader {
public:
  Reader(std::string_view text, std::size_t max) : text_(text), max_(max) {}

  MailboxList run() {
    while (at_ < text_.size() && !list_.truncated) step();
    flush();
    if (group_) list_.wellFormed = false;
    if (list_.truncated) list_.wellFormed = false;
    return std::move(list_);
  }

private:
  void step() {
    const char c = text_[at_];
    switch (c) {
      case '"':
        return quotedString();
      case '(':
        return comment();
      case '<':
        return angle();
      case ',':
        ++at_;
        return flush();
      case ';':
        if (!group_) list_.wellFormed = false;
        group_ = false;
        ++at_;
        return flush();
      case ':':
        ++at_;
        return colon();
      case '>':
        list_.wellFormed = false;
        ++at_;
        return;
      default:
        if (angled_ && !isBlank(c)) list_.wellFormed = false;
        phrase_ += c;
        spec_ += c;
        ++at_;
    }
  }

  void quotedString() {
    if (angled_) list_.wellFormed = false;
    const auto start = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      phrase_ += text_[at_++];
    }
    if (at_ >= text_.size()) list_.wellFormed = false;
    at_ = std::min(at_ + 1, text_.size());
    spec_ += text_.substr(start, at_ - start);
  }

  void comment() {
    std::size_t depth = 1;
    std::string content;
    for (++at_; at_ < text_.size() && depth > 0; ++at_) {
      const char c = text_[at_];
      if (c == '(') ++depth;
      if (c == ')' && --depth == 0) continue;
      if (c == '\\' && at_ + 1 < text_.size()) ++at_;
      content += text_[at_];
    }
    if (depth > 0) list_.wellFormed = false;
    if (comment_.empty()) comment_ = std::move(content);
    phrase_ += ' ';
    spec_ += ' ';
  }

  void angle() {
    if (angled_) list_.wellFormed = false;
    bool quoted = false;
    std::string content;
    for (++at_; at_ < text_.size() && (quoted || text_[at_] != '>'); ++at_) {
      if (quoted && text_[at_] == '\\' && at_ + 1 < text_.size()) content += text_[at_++];
      if (!quoted && text_[at_] == '(') {
        comment();
        --at_;  // comment() stops behind the bracket
        continue;
      }
      if (text_[at_] == '"') quoted = !quoted;
      content += text_[at_];
    }
    if (at_ >= text_.size()) list_.wellFormed = false;
    at_ = std::min(at_ + 1, text_.size());
    if (!angled_) angleSpec_ = tightenAddress(content);
    angled_ = true;
  }

  void colon() {
    if (group_ || angled_) {
      list_.wellFormed = false;
      return;
    }
    group_ = true;
    clear();
  }

  void flush() {
    const std::string written = angled_ ? std::string(withoutRoute(angleSpec_)) : tightenAddress(trim(spec_));
    if (angled_ || !written.empty()) {
      if (list_.mailboxes.size() == max_) {
        list_.truncated = true;
      } else {
        const bool named = angled_ && !trim(phrase_).empty();
        Mailbox mailbox{shownName(named ? phrase_ : comment_), repairUtf8(written), std::nullopt};
        if (auto address = Address::parse(written)) mailbox.address = std::move(*address);
        if (written.empty()) list_.wellFormed = false;
        list_.mailboxes.push_back(std::move(mailbox));
      }
    }
    clear();
  }

  void clear() {
    phrase_.clear();
    spec_.clear();
    comment_.clear();
    angleSpec_.clear();
    angled_ = false;
  }

  std::string_view text_;
  std::size_t max_;
  std::size_t at_ = 0;
  std::string phrase_, spec_, comment_, angleSpec_;
  bool angled_ = false;
  bool group_ = false;
  MailboxList list_;
};

}  // namespace

MailboxList parseMailboxes(std::string_view rawValue, std::size_t max) {
  const std::string line = unfold(rawValue);
  return Reader(line, max).run();
}

std::string formatMailbox(std::string_view displayName, const Address& address) {
  const std::string phrase = encodePhrase(displayName);
  return phrase.empty() ? address.text() : phrase + " <" + address.text() + ">";
}

std::string mailboxField(std::string_view fieldName, const std::vector<std::pair<std::string, Address>>& mailboxes) {
  if (mailboxes.empty()) throw Error(ErrorKind::Invariant, "address field without an address");
  std::string tokens;
  for (const auto& [name, address] : mailboxes) {
    if (!tokens.empty()) tokens += ", ";
    tokens += formatMailbox(name, address);
  }
  return foldTokens(fieldName, tokens);
}

}  // namespace postern::mail
