#include "listd/pickup/Envelope.h"

#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Date.h"
#include "core/mail/Mailboxes.h"
#include "listd/pickup/PickupLink.h"
#include "listd/PickupFiles.h"

namespace postern::listd {
namespace {

constexpr std::string_view NeutralName = "Secure mail";

std::string boundaryOf(std::uint64_t contentId) {
  return "pickup-" + std::to_string(contentId);
}

std::string headerOf(const EnvelopeFacts& facts, const EnvelopeLetter& letter) {
  return mail::mailboxField("From", {{facts.senderName, facts.sender}}) + "To: <" + letter.recipient +
         ">\r\nSubject: A secure message waits for you\r\nDate: " + mail::formatDate(letter.at) +
         "\r\nMessage-ID: " + letter.messageId + "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
}

// The words stand in gateway/deliver/EnvelopeShape, too.
std::string partOf(const EnvelopeFacts& facts, const EnvelopeLetter& letter) {
  std::string part =
      "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
      "Hello,\r\n\r\na secure message waits for you. Read it here:\r\n\r\n";
  part += facts.webUrl + std::string(PickupLinkPath) + "?token=" + letter.token;
  part +=
      "\r\n\r\nThe link works once and proves that this mailbox is yours. Then you choose how\r\nto sign in. No "
      "program has to be installed, and nobody will ask you by mail for\r\na password.\r\n\r\nThe message can be read "
      "until ";
  part += formatRfc3339(letter.expiresAt);
  part += ".\r\n\r\nThis mail says nothing more on purpose.\r\n";
  return part;
}

std::string crlf(std::string_view text) {
  std::string lines;
  for (const char c : text) lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return lines;
}

void replace(std::string& text, std::string_view slot, std::string_view value) {
  const auto at = text.find(slot);
  if (at == std::string::npos) throw Error(ErrorKind::Invariant, "the page of an envelope mail lacks a place");
  text.replace(at, slot.size(), value);
}

}  // namespace

EnvelopeFacts envelopeOf(const ListFacts& list, bool neutral, std::string_view hostName, std::string_view webUrl) {
  if (!neutral) return {list.address, list.shownName(), std::string(webUrl)};
  auto postmaster = mail::Address::parse("postmaster@" + std::string(hostName));
  if (!postmaster) throw Error(ErrorKind::Config, "[site] host_name is not a domain name; the site cannot write mail");
  return {std::move(*postmaster), std::string(NeutralName), std::string(webUrl)};
}

std::string envelopeMail(const EnvelopeFacts& facts, const EnvelopeLetter& letter) {
  return headerOf(facts, letter) + partOf(facts, letter);
}

std::string envelopeHead(const EnvelopeFacts& facts, const EnvelopeLetter& letter, std::uint64_t contentId) {
  const auto boundary = boundaryOf(contentId);
  return headerOf(facts, letter) + "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n--" + boundary +
         "\r\n" + partOf(facts, letter);
}

std::string envelopeTail(std::string_view webUrl, std::uint64_t contentId, std::string_view ciphertext) {
  const auto boundary = boundaryOf(contentId);
  std::string tail = "\r\n--" + boundary +
                     "\r\nContent-Type: text/html; charset=us-ascii; name=\"SecureMessageATT.html\"\r\n"
                     "Content-Disposition: attachment; filename=\"SecureMessageATT.html\"\r\n"
                     "Content-Transfer-Encoding: 7bit\r\n\r\n";
  auto page = crlf(pickupFiles::all().front().content);
  replace(page, "{host}", webUrl.substr(webUrl.find("//") + 2));
  replace(page, "{link}", std::string(webUrl) + "/pickup/attached?content=" + std::to_string(contentId));
  replace(page, "{ciphertext}", crypto::base64Lines(ciphertext));
  tail += page;
  tail += "\r\n--" + boundary + "--\r\n";
  return tail;
}

}  // namespace postern::listd
