#include "core/mailauth/Authentication.h"

#include "core/mail/Text.h"
#include "core/mailauth/DkimNear.h"
#include "core/mailauth/MemoDns.h"

#include <algorithm>
#include <future>

namespace postern::mailauth {

namespace {

bool isToken(std::string_view text) {
  return !text.empty() && text.size() <= 300 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._@+=/*").find(c) != std::string_view::npos;
  });
}

std::string inQuotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text.substr(0, 200)) {
    if (c < ' ' || c > '~') continue;
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

// A value of a property: a token, else a quoted string with everything else than printable ASCII taken out.
std::string safe(std::string_view text) {
  return isToken(text) ? std::string(text) : inQuotes(text);
}

void addReason(std::string& text, const std::string& reason) {
  if (!reason.empty()) text += "\r\n\t reason=" + inQuotes(reason);
}

// Takes comments and blanks off the front; false for a comment without end.
bool skipBlanks(std::string_view& text) {
  while (!text.empty()) {
    const char c = text.front();
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      text.remove_prefix(1);
      continue;
    }
    if (c != '(') return true;
    std::size_t depth = 0;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '(')
        ++depth;
      else if (text[i] == ')' && --depth == 0)
        break;
    }
    if (i >= text.size()) return false;
    text.remove_prefix(i + 1);
  }
  return true;
}

// "mx.example." is the same host as "mx.example".
std::string withoutDots(std::string name) {
  while (name.ends_with('.')) name.pop_back();
  return name;
}

// Takes a token or quoted string off the front.
std::string takeWord(std::string_view& text) {
  std::string word;
  if (text.starts_with('"')) {
    std::size_t i = 1;
    for (; i < text.size() && text[i] != '"'; ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      word += text[i];
    }
    text.remove_prefix(std::min(i + 1, text.size()));
    return word;
  }
  const auto end = std::min(text.find_first_of(" \t\r\n;()\""), text.size());
  word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

}  // namespace

bool Authentication::undecided() const {
  return dmarc.undecided;
}

std::string Authentication::dkimWord() const {
  static constexpr DkimOutcome Order[] = {DkimOutcome::Pass, DkimOutcome::TempError, DkimOutcome::Policy,
                                          DkimOutcome::Fail, DkimOutcome::PermError, DkimOutcome::Neutral};
  for (const auto outcome : Order)
    for (const auto& one : dkim)
      if (one.outcome == outcome) return wordFor(outcome);
  return "none";
}

std::string Authentication::sentence() const {
  const auto domain = dmarc.authorDomain.empty() ? std::string("the sender's domain") : dmarc.authorDomain;
  if (authorProven())
    return domain + " is proven by " + (dmarc.byDkim ? "its signature (DKIM)" : "the server it came from (SPF)");
  if (undecided()) return "could not be checked: the DNS did not answer in time";
  if (dmarc.outcome == DmarcOutcome::Fail) return domain + " is not proven, though its owner asks for proof (DMARC)";
  return domain + " is not proven";
}

Authentication authenticate(Dns& dns, const mail::HeaderBlock& header, const AuthenticationQuery& query) {
  Authentication result;
  const auto body = query.message.substr(std::min(header.bodyOffset(), query.message.size()));
  MemoDns memo(dns);
  const auto how = query.sideBySide ? std::launch::async : std::launch::deferred;
  auto walk = std::async(how, [&] { prepareDmarc(memo, query.authorDomain); });
  auto spf = std::async(how, [&] { return checkSpf(memo, query.spf); });
  if (!query.sideBySide) result.spf = spf.get();
  result.dkim = verifyDkimNear(memo, header, body, query.now, query.authorDomain);
  result.arc = verifyArc(memo, header, body);
  if (query.sideBySide) {
    result.spf = spf.get();
    walk.get();
  }
  result.asked = memo.asked();
  result.answered = memo.answered();
  if (!query.authorDomain.empty()) {
    result.dmarc = checkDmarc(memo, query.authorDomain, result.spf, result.dkim);
  } else {
    result.dmarc.outcome = DmarcOutcome::PermError;
    result.dmarc.reason = "From names no single author";
  }
  if (result.arc.outcome == ArcOutcome::Pass && !query.authorDomain.empty())
    if (const auto sets = readArcSets(header); sets && !sets->empty())
      result.arc.vouches = saysDmarcPassed(sets->back().results->value, query.authorDomain);
  return result;
}

bool saysDmarcPassed(std::string_view value, std::string_view domain) {
  // "i=1; mx.example.org; spf=pass smtp.mailfrom=a@b.example; dmarc=pass (p=none) header.from=b.example"
  std::size_t said = 0;
  bool fits = false;
  for (std::size_t part = 0; skipBlanks(value); ++part) {
    bool passed = false;
    bool named = false;
    for (bool first = true; skipBlanks(value) && !value.empty() && value.front() != ';'; first = false) {
      if (value.front() == ')') return false;
      const bool quoted = value.front() == '"';
      const auto word = mail::lowerAscii(takeWord(value));
      if (quoted || part < 2) continue;
      if (first && word.starts_with("dmarc")) {
        ++said;
        passed = word == "dmarc=pass";
      }
      if (!first && word == "header.from=" + std::string(domain)) named = true;
    }
    fits = fits || (passed && named);
    if (value.empty()) break;
    if (value.front() != ';') return false;
    value.remove_prefix(1);
  }
  return said == 1 && fits && value.empty();
}

std::string resultsPayload(const Authentication& results, std::string_view mailFrom, std::string_view helo) {
  auto text = std::string("spf=") + wordFor(results.spf.outcome);
  addReason(text, results.spf.problem);
  text += results.spf.byHelo ? " smtp.helo=" + safe(helo) : " smtp.mailfrom=" + safe(mailFrom);
  if (results.dkim.empty()) text += ";\r\n\tdkim=none";
  for (const auto& one : results.dkim) {
    text += std::string(";\r\n\tdkim=") + wordFor(one.outcome);
    addReason(text, one.reason);
    if (!one.domain.empty()) text += "\r\n\t header.d=" + safe(one.domain);
    if (!one.selector.empty()) text += " header.s=" + safe(one.selector) + " header.a=" + one.algorithm;
    if (!one.signature.empty()) text += "\r\n\t header.b=" + safe(one.signature);
  }
  text += std::string(";\r\n\tdmarc=") + wordFor(results.dmarc.outcome);
  if (results.dmarc.outcome == DmarcOutcome::Pass || results.dmarc.outcome == DmarcOutcome::Fail)
    text += std::string(" (p=") + wordFor(results.dmarc.policy) + ")";
  if (!results.dmarc.authorDomain.empty()) text += " header.from=" + safe(results.dmarc.authorDomain);
  text += std::string(";\r\n\tarc=") + wordFor(results.arc.outcome);
  return text;
}

std::string authenticationResults(std::string_view authservId, const Authentication& results, std::string_view mailFrom,
                                  std::string_view helo) {
  return "Authentication-Results: " + safe(authservId) + ";\r\n\t" + resultsPayload(results, mailFrom, helo) + "\r\n";
}

std::string authservIdOf(std::string_view value) {
  if (!skipBlanks(value)) return {};
  const auto word = withoutDots(mail::lowerAscii(takeWord(value)));
  if (!skipBlanks(value)) return {};
  // A version may stand behind it; anything else means that it cannot be told what the id is.
  if (!value.empty() && value.front() != ';') {
    const auto version = takeWord(value);
    if (!readNumber(version) || !skipBlanks(value) || (!value.empty() && value.front() != ';')) return {};
  }
  return word;
}

std::string payloadOf(std::string_view value) {
  if (!skipBlanks(value)) return {};
  takeWord(value);
  const auto end = value.find(';');
  return end == value.npos ? std::string() : mail::unfold(value.substr(end + 1));
}

bool isForged(const mail::HeaderField& field, std::string_view authservId) {
  if (!mail::equalsIgnoreCase(mail::trim(field.name), "Authentication-Results")) return false;
  const auto id = authservIdOf(field.value);
  return id.empty() || id == withoutDots(mail::lowerAscii(authservId));
}

std::string withoutForged(std::string_view message, const mail::HeaderBlock& header, std::string_view authservId) {
  std::string result;
  result.reserve(message.size());
  const auto* from = message.data();
  for (const auto& field : header.fields()) {
    if (!isForged(field, authservId)) continue;
    result.append(from, field.raw.data());
    from = field.raw.data() + field.raw.size();
  }
  result.append(from, message.data() + message.size());
  return result;
}

}  // namespace postern::mailauth
