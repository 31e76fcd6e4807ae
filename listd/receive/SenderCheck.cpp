#include "listd/receive/SenderCheck.h"

#include "core/base/Error.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

namespace postern::listd {
namespace {

constexpr std::array Forms{CryptoForm::None, CryptoForm::Smime, CryptoForm::OpenPgp};
constexpr std::array Standings{SignatureStanding::None, SignatureStanding::Good, SignatureStanding::UnknownSigner,
                               SignatureStanding::OtherSigner, SignatureStanding::Bad};

template <class Values, class Word>
auto fromWord(const Values& values, Word wordOf, const std::string& word) {
  for (const auto value : values)
    if (word == wordOf(value)) return value;
  throw Error(ErrorKind::Store, "unknown word in the sender check of a post: " + word);
}

const char* shownForm(CryptoForm form) {
  return form == CryptoForm::OpenPgp ? "OpenPGP" : "S/MIME";
}

// Printable ASCII in a line of its own.
std::string plain(std::string_view text) {
  std::string shown(text.substr(0, 200));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return shown;
}

// How far the address in From is what it says.
const char* provenBy(const SenderCheck& check, DomainProof domain) {
  if (check.standing == SignatureStanding::Good) return " (proven by the signature)";
  switch (domain) {
    case DomainProof::Proven:
      return " (its domain is proven, the person is not)";
    case DomainProof::NotProven:
      return " (as the message says; nothing proves it)";
    case DomainProof::Unknown:
      return " (as the message says; the DNS did not answer, so its domain is not proven)";
    case DomainProof::NotLooked:
      return " (as the message says)";
  }
  throw Error(ErrorKind::Invariant, "unknown proof of a domain");
}

std::string signatureLine(const SenderCheck& check, DomainProof domain) {
  const bool idOnly = check.signer.starts_with("0x");  // all that an unknown OpenPGP key tells
  const auto key = std::string(check.signature == CryptoForm::OpenPgp ? "key" : "certificate") +
                   (check.signer.empty() ? ""
                    : idOnly             ? " "
                                         : " of ") +
                   plain(check.signer);
  switch (check.standing) {
    case SignatureStanding::None:
      return domain == DomainProof::Proven ? "none. Anybody in the sender's domain could have written this."
                                           : "none. Anybody could have written this in the sender's name.";
    case SignatureStanding::Good:
      return std::string("good, ") + shownForm(check.signature) + ", " + key;
    case SignatureStanding::UnknownSigner:
      return "by an unknown " + key + ". It proves nothing about the sender.";
    case SignatureStanding::OtherSigner:
      return "by somebody else: " + key + ". It proves nothing about the sender.";
    case SignatureStanding::Bad:
      return "bad. The message was changed on its way, or the signature does not cover it.";
  }
  throw Error(ErrorKind::Invariant, "unknown standing of a signature");
}

}  // namespace

const char* formWord(CryptoForm form) {
  switch (form) {
    case CryptoForm::None:
      return "none";
    case CryptoForm::Smime:
      return "smime";
    case CryptoForm::OpenPgp:
      return "openpgp";
  }
  throw Error(ErrorKind::Invariant, "unknown form of protection of a post");
}

const char* standingWord(SignatureStanding standing) {
  switch (standing) {
    case SignatureStanding::None:
      return "none";
    case SignatureStanding::Good:
      return "good";
    case SignatureStanding::UnknownSigner:
      return "unknown-signer";
    case SignatureStanding::OtherSigner:
      return "other-signer";
    case SignatureStanding::Bad:
      return "bad";
  }
  throw Error(ErrorKind::Invariant, "unknown standing of a signature");
}

std::string SenderCheck::json() const {
  if (isPlain()) return {};
  return nlohmann::json{{"encryption", formWord(encryption)},
                        {"signature", formWord(signature)},
                        {"standing", standingWord(standing)},
                        {"signer", signer},
                        {"fingerprint", fingerprint}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

SenderCheck SenderCheck::fromJson(std::string_view json) {
  SenderCheck check;
  if (json.empty()) return check;
  try {
    const auto object = nlohmann::json::parse(json);
    check.encryption = fromWord(Forms, formWord, object.at("encryption").get<std::string>());
    check.signature = fromWord(Forms, formWord, object.at("signature").get<std::string>());
    check.standing = fromWord(Standings, standingWord, object.at("standing").get<std::string>());
    object.at("signer").get_to(check.signer);
    object.at("fingerprint").get_to(check.fingerprint);
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorKind::Store, "the sender check of a post cannot be read");
  }
  return check;
}

DomainProof domainProofOf(std::string_view clientJson) {
  const auto client = nlohmann::json::parse(clientJson, nullptr, false);
  const auto proven = client.is_object() ? client.value("senderProven", std::string()) : std::string();
  if (proven.empty()) return DomainProof::NotLooked;
  return proven == "yes" ? DomainProof::Proven : proven == "no" ? DomainProof::NotProven : DomainProof::Unknown;
}

std::string senderCheckText(const SenderCheck& check, std::string_view author, std::string_view list,
                            DomainProof domain) {
  std::string text = "Checked by " + plain(list) + " when this message arrived:\r\n";
  text += "Sender: " + plain(author) + provenBy(check, domain) + "\r\n";
  text += "Signature: " + signatureLine(check, domain) + "\r\n";
  if (!check.fingerprint.empty()) text += "Fingerprint: " + plain(check.fingerprint) + "\r\n";
  if (check.encryption != CryptoForm::None)
    text += std::string("Encrypted to the list: yes, ") + shownForm(check.encryption) + "\r\n";
  return text;
}

}  // namespace postern::listd
