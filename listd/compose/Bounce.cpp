#include "listd/compose/Bounce.h"

#include "core/mail/Header.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <array>

namespace postern::listd {

namespace {

constexpr std::size_t MaxText = 300;
constexpr std::size_t MaxScanned = 64 * 1024;

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

bool containsAny(std::string_view text, std::initializer_list<std::string_view> needles) {
  return std::any_of(needles.begin(), needles.end(),
                     [&](std::string_view needle) { return text.find(needle) != text.npos; });
}

std::string printable(std::string_view text) {
  std::string result;
  for (const char c : mail::trim(text)) {
    if (result.size() == MaxText) break;
    if (c == '\r' || c == '\n' || c == '\t')
      result += ' ';
    else
      result += c >= ' ' && c < 0x7f ? c : '?';
  }
  return result;
}

// The enhanced status code (RFC 3463 §2) at the start of the text, or nothing: "5.1.1".
std::string statusAt(std::string_view text) {
  if (text.empty() || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return {};
  std::size_t at = 1;
  for (int group = 0; group < 2; ++group) {
    if (at >= text.size() || text[at] != '.') return {};
    const auto start = ++at;
    while (at < text.size() && isDigit(text[at])) ++at;
    if (at == start || at - start > 3) return {};
  }
  if (at < text.size() && (text[at] == '.' || isDigit(text[at]))) return {};  // part of an IP address or a version
  return std::string(text.substr(0, at));
}

// The first failure status in free text: "5.1.1", else "5.0.0" for an SMTP code such as 550.
std::string statusIn(std::string_view text) {
  std::string fromCode;
  for (std::size_t i = 0; i + 3 <= text.size(); ++i) {
    if (i > 0 && (isDigit(text[i - 1]) || text[i - 1] == '.')) continue;
    if (text[i] != '4' && text[i] != '5') continue;
    if (auto status = statusAt(text.substr(i)); !status.empty()) return status;
    const bool code = isDigit(text[i + 1]) && text[i + 1] <= '5' && isDigit(text[i + 2]) &&
                      (i + 3 == text.size() || text[i + 3] == ' ' || text[i + 3] == '-');
    if (code && fromCode.empty()) fromCode = std::string(1, text[i]) + ".0.0";
  }
  return fromCode;
}

// One recipient block of a delivery report.
struct Block {
  std::string action;
  std::string status;
  std::string diagnostic;
};

std::vector<Block> recipientBlocks(std::string_view report) {
  std::vector<Block> blocks;
  report = report.substr(0, MaxScanned);
  while (!report.empty()) {
    const auto header = mail::HeaderBlock::scan(report);
    if (!header || header->bodyOffset() == 0) break;
    if (const auto action = header->value("Action"))
      blocks.push_back({mail::parseParameterized(*action).value, statusAt(header->value("Status").value_or("")),
                        header->value("Diagnostic-Code").value_or("")});
    report.remove_prefix(header->bodyOffset());
  }
  return blocks;
}

const mail::MimePart* reportPart(const mail::MimeTree& tree) {
  for (const auto& part : tree.parts())
    if (part.depth == 1 && (part.type == "message/delivery-status" || part.type == "message/global-delivery-status"))
      return &part;
  return nullptr;
}

Bounce failure(std::string status, std::string_view text) {
  Bounce bounce;
  bounce.kind = Bounce::Kind::Failure;
  // A failure that does not say why counts as the milder kind.
  if (status.empty() || status[0] == '2') status = statusIn(text);
  bounce.statusClass = status.starts_with('5') ? 5 : 4;
  bounce.status = std::move(status);
  bounce.text = printable(text);
  return bounce;
}

Bounce other(Bounce::Kind kind) {
  Bounce bounce;
  bounce.kind = kind;
  return bounce;
}

Bounce fromReport(const mail::MimePart& part) {
  const auto blocks = recipientBlocks(part.text);
  const auto has = [&](std::initializer_list<std::string_view> actions) {
    return std::find_if(blocks.begin(), blocks.end(), [&](const Block& block) {
      return std::find(actions.begin(), actions.end(), block.action) != actions.end();
    });
  };
  if (const auto failed = has({"failed"}); failed != blocks.end()) return failure(failed->status, failed->diagnostic);
  if (has({"delayed"}) != blocks.end()) return other(Bounce::Kind::Delay);
  if (has({"delivered", "relayed", "expanded"}) != blocks.end()) return other(Bounce::Kind::Success);
  return other(Bounce::Kind::Unknown);
}

bool isVacationSubject(std::string_view subject) {
  return containsAny(subject, {"out of office", "out-of-office", "automatic reply", "auto reply", "autoreply",
                               "vacation", "abwesenheit", "absence du bureau"});
}

bool isAutoReply(const mail::Message& message) {
  const auto& header = message.header();
  if (mail::parseParameterized(header.value("Auto-Submitted").value_or("")).value == "auto-replied") return true;
  for (const auto* name : {"X-Autoreply", "X-Autorespond", "X-Auto-Response-From", "X-Vacation"})
    if (header.find(name) != nullptr) return true;
  return mail::lowerAscii(header.value("Precedence").value_or("")) == "auto_reply";
}

bool isMailerDaemon(const mail::Message& message) {
  const auto from = message.from();
  if (from.mailboxes.empty()) return true;
  const std::string written = mail::lowerAscii(from.mailboxes.front().written);
  return written.empty() || written.starts_with("mailer-daemon") || written.starts_with("postmaster") ||
         written.starts_with("mail-daemon") || written.starts_with("mailerdaemon");
}

Bounce fromFreeText(const mail::MimeTree& tree, std::string_view subject, bool namesFailed) {
  if (containsAny(subject, {"delay", "warning", "still being retried", "not yet delivered"}))
    return other(Bounce::Kind::Delay);
  const bool says =
      namesFailed ||
      containsAny(subject, {"undeliver", "delivery status notification (failure)", "returned mail", "failure notice",
                            "delivery fail", "mail delivery failed", "delivery has failed", "could not be delivered",
                            "returning message to sender", "nondeliver", "non-deliver", "unzustellbar"});
  for (const auto& part : tree.parts()) {
    if (part.type != "text/plain") continue;
    const auto text = std::string_view(part.text).substr(0, MaxScanned);
    const std::string lower = mail::lowerAscii(text);
    if (containsAny(lower, {"will keep trying", "will be retried", "still trying", "you do not need to resend"}))
      return other(Bounce::Kind::Delay);
    if (!says &&
        !containsAny(lower, {"could not be delivered", "delivery failed", "permanent error", "i wasn't able to deliver",
                             "user unknown", "no such user", "mailbox unavailable"}))
      continue;
    // The quoted message behind the report may hold any number.
    const auto quoted =
        std::min({lower.find("-----original message"), lower.find("\nreceived: "), lower.find("copy of the message")});
    const auto own = text.substr(0, quoted);
    const std::string status = statusIn(own);
    const auto at = status.empty() ? own.npos : own.find(status);
    const auto lineStart = at == own.npos ? 0 : own.rfind('\n', at) + 1;
    return failure(status,
                   own.substr(lineStart, own.find('\n', std::max(lineStart, at == own.npos ? 0 : at)) - lineStart));
  }
  return says ? failure({}, {}) : other(Bounce::Kind::Unknown);
}

}  // namespace

bool saysOfMailbox(std::string_view status) {
  const auto subject = status.find('.') == status.npos ? std::string_view() : status.substr(status.find('.') + 1);
  const auto is = [&](std::string_view code) { return subject == code; };
  if (subject.starts_with("1.")) return !is("1.7") && !is("1.8") && !is("1.9");  // those three are of the sender
  if (subject.starts_with("2.")) return !is("2.3");                              // too long for it: of the message
  // System, network, protocol, content, policy.
  const bool ofOthers =
      !subject.empty() && subject[0] >= '3' && subject[0] <= '7' && subject.substr(1).starts_with(".");
  return !ofOthers || is("4.6") || is("7.13") || is("7.17");  // a loop of the address; an account that ended or changed
}

bool Bounce::ofMailbox() const {
  return kind == Kind::Failure && saysOfMailbox(status);
}

Bounce readBounce(const mail::Message& message) {
  const auto tree = mail::MimeTree::parse(message);
  const std::string subject = mail::lowerAscii(message.subject());
  if (tree.parts().front().type == "multipart/report") {
    if (const auto* part = reportPart(tree)) return fromReport(*part);
    const auto* field = message.header().find("Content-Type");
    const auto type = mail::parseParameterized(field == nullptr ? std::string_view() : field->value);
    const auto* kind = type.find("report-type");
    if (kind != nullptr && mail::equalsIgnoreCase(kind->value, "disposition-notification"))
      return other(Bounce::Kind::AutoReply);
  }
  if (isVacationSubject(subject)) return other(Bounce::Kind::AutoReply);
  // Some servers mark their bounces auto-replied, so the free forms are looked for first.
  if (isMailerDaemon(message)) {
    auto bounce = fromFreeText(tree, subject, message.header().find("X-Failed-Recipients") != nullptr);
    if (bounce.kind != Bounce::Kind::Unknown) return bounce;
  }
  if (isAutoReply(message)) return other(Bounce::Kind::AutoReply);
  return other(Bounce::Kind::Unknown);
}

}  // namespace postern::listd
