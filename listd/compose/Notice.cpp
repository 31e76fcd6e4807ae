#include "listd/compose/Notice.h"

#include "core/base/Error.h"
#include "core/mail/Date.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/Mailboxes.h"
#include "core/mail/MessageId.h"
#include "core/mail/Text.h"
#include "listd/compose/ListFields.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace postern::listd {

namespace {

constexpr std::size_t MaxShownName = 100;

// The list's name for a sentence: one line, no controls.
std::string plainName(const ListFacts& list) {
  std::string name = mail::repairUtf8(list.shownName());
  for (char& c : name)
    if (mail::hasControl({&c, 1})) c = ' ';
  return std::string(mail::cutUtf8(mail::trim(name), MaxShownName));
}

// Text with LF lines as quoted-printable with CRLF lines of at most 76 octets (RFC 2045 §6.7).
std::string quotedPrintable(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string result;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      result += "\r\n";
      column = 0;
      continue;
    }
    const bool lineEnds = i + 1 == text.size() || text[i + 1] == '\n';
    const bool plain = c > ' ' && c < 0x7f && c != '=';
    std::string octet(1, c);
    if (!plain && !(c == ' ' && !lineEnds)) {
      const auto byte = static_cast<unsigned char>(c);
      octet = {'=', digits[byte >> 4], digits[byte & 15]};
    }
    if (column + octet.size() > 75) {
      result += "=\r\n";
      column = 0;
    }
    result += octet;
    column += octet.size();
  }
  return result;
}

std::string textPart(std::string_view text) {
  return "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
         quotedPrintable(text);
}

// Everything of the header but the MIME fields.
std::string head(const ListFacts& list, const mail::Address& to, std::string_view subject, std::string_view automatic,
                 const NoticeStamp& stamp) {
  if (!mail::isMessageId(stamp.messageId))
    throw Error(ErrorKind::Invariant, "a notice was stamped with a malformed message id");
  return mail::mailboxField("From", {{plainName(list) + " (list service)", subAddress(list.address, "owner")}}) +
         mail::mailboxField("To", {{"", to}}) + mail::encodeUnstructured("Subject", subject) +
         "Date: " + mail::formatDate(stamp.at) + "\r\n" + mail::foldTokens("Message-ID", stamp.messageId) +
         "Auto-Submitted: " + std::string(automatic) + "\r\n" + mail::foldTokens("X-Loop", list.address.key()) +
         "MIME-Version: 1.0\r\n";
}

std::string helpLines(const ListFacts& list) {
  const std::string link = helpReference(list);
  std::string text = "\n";
  if (!link.empty()) text += "Help: " + link.substr(1, link.size() - 2) + "\n";
  return text + "The people who look after this list: " + subAddress(list.address, "owner").text() + "\n";
}

struct WithheldText {
  const char* name;
  const char* why;
  const char* what;
};

const WithheldText& withheldText(WithheldReason reason) {
  static constexpr std::array<WithheldText, 10> texts = {{
      {"no-key", "We have no certificate or key for your address.",
       "Send or upload your certificate, then your next message arrives encrypted."},
      {"key-expired", "Your certificate has expired.", "Renew it and give us the new one."},
      {"key-not-yet-valid", "Your certificate is not valid yet.",
       "Give us a certificate that is valid today, or wait until yours is."},
      {"key-revoked", "Your certificate has been revoked.", "Give us a new certificate."},
      {"key-not-confirmed", "A certificate for your address is waiting to be confirmed.",
       "Confirm it, or ask the people who look after the list to do so."},
      {"key-unfit",
       "Your certificate cannot be used: it does not fit your address or purpose, is too weak, or comes from an issuer "
       "that is not trusted here.",
       "Give us another certificate."},
      {"sealing-failed", "Something went wrong on our side while we encrypted it.",
       "You need not do anything. We have been told and will look into it."},
      {"tls-unfit", "The connection to your mail server cannot be protected well enough.",
       "Give us a certificate or key of yours, then your next message arrives encrypted."},
      {"not-allowed", "What we have on file for you is not a protection that this list allows.",
       "Ask the people who look after the list what they need from you."},
      {"wish", "You asked for a stronger protection than we can give you now.",
       "Give us a key that fits your wish, or change the wish."},
  }};
  return texts.at(static_cast<std::size_t>(reason));
}

std::string plural(std::uint64_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

struct Outcome {
  const char* action;
  const char* status;
  const char* subject;
};

Outcome worstOutcome(const DeliveryCounts& counts) {  // RFC 3464 §2.3.3, RFC 3463
  if (counts.failed > 0 || counts.withheld > 0) return {"failed", "5.0.0", "Your message did not reach everybody on "};
  if (counts.delayed > 0) return {"delayed", "4.0.0", "Your message is delayed for some on "};
  return {"delivered", "2.0.0", "Your message was delivered to "};
}

std::string reportText(const ListFacts& list, const ReportFacts& facts) {
  const auto& counts = facts.counts;
  std::string text = "Hello,\n\nthis is what became of the message that you sent to " + list.address.text() + "\n(" +
                     plainName(list) + ") and that reached us on " + mail::formatDate(facts.arrivedAt) + ":\n\n";
  text += "  delivered: " + plural(counts.delivered, "member", "members") + "\n";
  if (counts.delayed > 0) text += "  delayed, we keep trying: " + plural(counts.delayed, "member", "members") + "\n";
  if (counts.withheld > 0)
    text += "  held back, as we cannot encrypt to them: " + plural(counts.withheld, "member", "members") + "\n";
  if (counts.failed > 0) text += "  not deliverable: " + plural(counts.failed, "member", "members") + "\n";
  text +=
      "\nWho they are is for the people who look after the list to know. Nothing was sent unprotected\n"
      "that should not be. This report holds nothing of your message.\n";
  return text + helpLines(list);
}

std::string reportFields(const ListFacts& list, const ReportFacts& facts) {
  const auto& counts = facts.counts;
  const Outcome outcome = worstOutcome(counts);
  return mail::encodeUnstructured("Reporting-MTA", "dns; " + facts.reportingHost) +
         mail::encodeUnstructured("X-Postern-Queue-Id", facts.queueId) +
         "Arrival-Date: " + mail::formatDate(facts.arrivedAt) + "\r\n\r\n" +
         mail::foldTokens("Final-Recipient", "rfc822; " + list.address.text()) + "Action: " + outcome.action +
         "\r\nStatus: " + outcome.status + "\r\nX-Postern-Delivered: " + std::to_string(counts.delivered) +
         "\r\nX-Postern-Delayed: " + std::to_string(counts.delayed) +
         "\r\nX-Postern-Withheld: " + std::to_string(counts.withheld) +
         "\r\nX-Postern-Failed: " + std::to_string(counts.failed) + "\r\n";
}

constexpr std::size_t MostNamed = 100;

bool isStatus(std::string_view text) {
  return text.size() >= 5 && text.size() <= 9 && (text[0] == '4' || text[0] == '5') && text[1] == '.' &&
         text.find_first_not_of("0123456789.") == text.npos;
}

// RFC 3463 in our own words.
const char* whyFailed(const FailedRecipient& one) {
  if (one.heldBack) return "held back, as we cannot protect it for them";
  const auto detail = isStatus(one.status) ? one.status.substr(2) : std::string();
  if (detail.empty()) return "no server took it in time";
  if (detail == "1.1" || detail == "1.10" || detail == "2.1") return "there is no such mailbox, or it is not in use";
  if (detail == "1.2") return "the domain of the address does not take mail";
  if (detail == "2.2") return "the mailbox is full";
  if (detail == "2.3" || detail == "3.4") return "it is larger than their server takes";
  if (detail.starts_with("7.")) return "their server does not take it by its rules";
  if (detail.starts_with("4.")) return "their server could not be reached";
  return "their server does not take it";
}

std::string failureText(const ListFacts& list, const ReportFacts& facts, const std::vector<FailedRecipient>& failed) {
  std::string text = "Hello,\n\nyour message that reached us on " + mail::formatDate(facts.arrivedAt) +
                     "\nhas not reached these recipients:\n\n";
  for (std::size_t i = 0; i < std::min(failed.size(), MostNamed); ++i)
    text += "  " + failed[i].address + "\n      " + whyFailed(failed[i]) + "\n";
  if (failed.size() > MostNamed) text += "  and " + std::to_string(failed.size() - MostNamed) + " more\n";
  text += "\nNothing was sent unprotected. This report holds nothing of your message.\n";
  return text + helpLines(list);
}

std::string failureFields(const ReportFacts& facts, const std::vector<FailedRecipient>& failed) {
  auto fields = mail::encodeUnstructured("Reporting-MTA", "dns; " + facts.reportingHost) +
                mail::encodeUnstructured("X-Postern-Queue-Id", facts.queueId) +
                "Arrival-Date: " + mail::formatDate(facts.arrivedAt) + "\r\n";
  for (std::size_t i = 0; i < std::min(failed.size(), MostNamed); ++i) {
    const auto& one = failed[i];
    const char* otherwise = one.heldBack ? "5.7.0" : "5.0.0";
    fields += "\r\n" + mail::foldTokens("Final-Recipient", "rfc822; " + one.address) +
              "Action: failed\r\nStatus: " + (isStatus(one.status) ? one.status : otherwise) + "\r\n";
  }
  return fields;
}

const char* rejectText(RejectReason reason) {
  switch (reason) {
    case RejectReason::NotAMember:
      return "Only members may send to this list, and your address is not one of theirs.";
    case RejectReason::Malformed:
      return "The message is malformed: its header or structure can be read in more than one way.";
    case RejectReason::Closed:
      return "The list is closed.";
    case RejectReason::TooLarge:
      return "The message is larger than this list takes.";
    case RejectReason::Policy:
      return "A rule of this site does not let it through to this list. Ask the owners of the list what it takes.";
    case RejectReason::Unreadable:
      return "The message is encrypted. Encrypted mail is taken when the list's key opens the whole of it and when it "
             "is\n"
             "signed, under the encryption, with a certificate or key of yours that is on file here.\n"
             "The list's key changes now and then. To get the one of today, write to the list's\n"
             "\"-request\" address with the subject \"key\".";
  }
  return "The list does not take it.";
}

}  // namespace

const char* withheldReasonName(WithheldReason reason) {
  return withheldText(reason).name;
}

std::string withheldNotice(const ListFacts& list, const mail::Address& member, WithheldReason reason,
                           const NoticeStamp& stamp) {
  const auto& words = withheldText(reason);
  std::string text =
      "Hello,\n\na message to " + plainName(list) + " (" + list.address.text() + ")\ncould not be sent to you.\n\n" +
      words.why + "\n" + words.what +
      "\n\nMessages to this list leave us encrypted or not at all, so this notice holds nothing of it.\n" +
      helpLines(list);
  return head(list, member, "A message to " + plainName(list) + " could not be sent to you", "auto-generated", stamp) +
         textPart(text);
}

namespace {

std::string multipartReport(const std::string& text, const std::string& fields) {
  // "=_" cannot occur in quoted-printable text, so no line of the parts can be the delimiter.
  const std::string boundary = "=_report";
  return "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"" + boundary + "\"\r\n\r\n--" +
         boundary + "\r\n" + textPart(text) + "\r\n--" + boundary +
         "\r\nContent-Type: message/delivery-status\r\n\r\n" + fields + "\r\n--" + boundary + "--\r\n";
}

}  // namespace

std::string deliveryReport(const ListFacts& list, const mail::Address& author, const ReportFacts& facts,
                           const NoticeStamp& stamp) {
  const Outcome outcome = worstOutcome(facts.counts);
  return head(list, author, outcome.subject + plainName(list), "auto-replied", stamp) +
         multipartReport(reportText(list, facts), reportFields(list, facts));
}

std::string failureReport(const ListFacts& list, const mail::Address& author, const ReportFacts& facts,
                          const std::vector<FailedRecipient>& failed, const NoticeStamp& stamp) {
  return head(list, author, "Your message did not reach everybody on " + plainName(list), "auto-replied", stamp) +
         multipartReport(failureText(list, facts, failed), failureFields(facts, failed));
}

std::string planNotice(const ListFacts& list, const mail::Address& author,
                       const std::map<std::string, std::uint64_t>& counts, const NoticeStamp& stamp) {
  static constexpr std::array<std::pair<const char*, const char*>, 6> lines = {{
      {"smime", "encrypted by S/MIME"},
      {"openpgp", "encrypted by OpenPGP"},
      {"tls", "over a verified TLS connection"},
      {"pickup", "to be picked up on our pages"},
      {"none", "unprotected, as the list is open"},
      {"withheld", "held back, as we cannot protect their copies"},
  }};
  std::string text = "Hello,\n\nthis is how the message that you sent to " + list.address.text() + "\n(" +
                     plainName(list) + ") goes out:\n\n";
  for (const auto& [word, what] : lines)
    if (const auto count = counts.find(word); count != counts.end())
      text += "  " + plural(count->second, "member", "members") + ": " + what + "\n";
  text +=
      "\nWho they are is for the people who look after the list to know. This mail holds nothing of\n"
      "your message.\n" +
      helpLines(list);
  return head(list, author, "How your message to " + plainName(list) + " goes out", "auto-replied", stamp) +
         textPart(text);
}

std::string rejectionNotice(const ListFacts& list, const mail::Address& author, RejectReason reason,
                            const NoticeStamp& stamp) {
  const std::string text = "Hello,\n\nthe message that you sent to " + plainName(list) + " (" + list.address.text() +
                           ")\nwas not distributed.\n\n" + rejectText(reason) + "\n" + helpLines(list);
  return head(list, author, "Your message to " + plainName(list) + " was not distributed", "auto-replied", stamp) +
         textPart(text);
}

}  // namespace postern::listd
