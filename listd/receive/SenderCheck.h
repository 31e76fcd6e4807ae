#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::listd {

// By what a post was encrypted or signed.
enum class CryptoForm : std::uint8_t { None, Smime, OpenPgp };
const char* formWord(CryptoForm form);  // "none" "smime" "openpgp"

// What the signature on a post is worth. Only Good counts as the author's.
enum class SignatureStanding : std::uint8_t {
  None,           // "none": not signed
  Good,           // "good": over the whole content, by a key of the author that the site knows
  UnknownSigner,  // "unknown-signer": right, but the site does not know the key
  OtherSigner,    // "other-signer": right, but the key is not for the author's address
  Bad,            // "bad": changed, several signers, only a part, weak or of an unknown form
};
const char* standingWord(SignatureStanding standing);

// How a post came to the list: was it encrypted to it, and whose signature is on it. Found once when the post is taken
// over, kept with it, and told to the readers in a part that the list signs.
struct SenderCheck {
  CryptoForm encryption = CryptoForm::None;
  CryptoForm signature = CryptoForm::None;
  SignatureStanding standing = SignatureStanding::None;
  std::string signer;       // address that the key names, or its user id
  std::string fingerprint;  // of the signer's certificate or key, lower-case hex

  bool isPlain() const { return encryption == CryptoForm::None && signature == CryptoForm::None; }

  std::string json() const;                            // empty for a plain post
  static SenderCheck fromJson(std::string_view json);  // throws Error(Store): the text came from the database
  bool operator==(const SenderCheck&) const = default;
};

// What the gateway found of the domain in From, by DMARC: it is no word of the person before the @.
enum class DomainProof : std::uint8_t {
  NotLooked,  // the client is exempt, or the post is of a time before such checks
  Proven,
  NotProven,
  Unknown,  // the DNS did not answer
};
DomainProof domainProofOf(std::string_view clientJson);  // of Post::client

// What readers are told, as lines of plain ASCII text ended with CRLF. It never says more of the sender than was
// proven.
std::string senderCheckText(const SenderCheck& check, std::string_view author, std::string_view list,
                            DomainProof domain = DomainProof::NotLooked);

}  // namespace postern::listd
