#include "core/app/PlanWords.h"

#include <span>

namespace postern::app {
namespace {

struct Entry {
  std::string_view word;
  std::string_view text;
};

// Strongest first.
constexpr Entry Protections[] = {
    {"smime", "S/MIME"},       {"openpgp", "OpenPGP"}, {"tls", "Verified TLS"},
    {"pickup", "Web pick-up"}, {"none", "Plaintext"},  {"withheld", "Withheld"},
};

constexpr Entry Reasons[] = {
    {"open-list", "The list is open: copies are plain."},
    {"valid-certificate", "A valid certificate is on file."},
    {"no-key", "No certificate or key is on file."},
    {"key-unconfirmed", "A certificate was proposed, but nobody confirmed it."},
    {"certificate-expired", "The certificate has expired."},
    {"certificate-not-yet-valid", "The certificate is not valid yet."},
    {"wrong-address", "The certificate names another address."},
    {"wrong-purpose", "The certificate is not made for encrypting mail."},
    {"weak-key", "The key is too weak."},
    {"unsupported-key", "The key is of a kind that Postern cannot encrypt to."},
    {"untrusted", "No trusted authority stands behind the certificate."},
    {"revoked", "The certificate was revoked."},
    {"sealing-failed", "Encrypting this copy failed, so it was not sent."},
    {"member-disabled", "Delivery to this member is switched off."},
    {"valid-openpgp-key", "A valid OpenPGP key is on file."},
    {"verified-tls", "The mail servers of the domain can be verified."},
    {"pick-up", "No key is on file that can be used; the message waits on our pages."},
    {"tls-too-late", "Verified TLS could not be had in time; the message waits on our pages."},
    {"key-expired", "The OpenPGP key has expired."},
    {"key-not-yet-valid", "The OpenPGP key is not valid yet."},
    {"tls-not-verified", "The mail servers of the domain could not be verified."},
    {"tls-does-not-count", "TLS to this domain does not count as a protection here."},
    {"revocation-unknown", "The issuer has not said whether the certificate is still good."},
    {"not-on-ladder", "What is on file is not what the list allows."},
    {"wish", "The member wants a stronger protection than can be had now."},
};

std::string lookUp(std::span<const Entry> entries, std::string_view word) {
  for (const auto& entry : entries)
    if (entry.word == word) return std::string(entry.text);
  return std::string(word);
}

std::string grouped(std::uint64_t number) {
  const auto digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace

std::string protectionTitle(std::string_view word) {
  return lookUp(Protections, word);
}

std::string reasonText(std::string_view word) {
  return lookUp(Reasons, word);
}

std::string planSentence(const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t total = 0;
  std::string parts;
  for (const auto& [word, count] : counts) total += count;
  for (const auto& [word, title] : Protections) {
    const auto found = counts.find(std::string(word));
    if (found == counts.end() || found->second == 0) continue;
    parts.append(parts.empty() ? ": " : ", ").append(grouped(found->second)).append(" ").append(title);
  }
  return grouped(total) + (total == 1 ? " member" : " members") + parts;
}

}  // namespace postern::app
