#include "core/crypto/WebAuthn.h"

#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/OpenSsl.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

namespace postern::crypto::webauthn {
namespace {

using nlohmann::json;

constexpr std::size_t PartyHashSize = 32;
constexpr std::size_t LongestCredentialId = 1023;
constexpr unsigned char UserPresent = 0x01;
constexpr unsigned char UserVerified = 0x04;
constexpr std::array Algorithms = {COSE_ES256, COSE_EDDSA, COSE_RS256};

template <auto Free>
struct FidoFree {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(&object);
  }
};
using CredPtr = std::unique_ptr<fido_cred_t, FidoFree<&fido_cred_free>>;
using AssertPtr = std::unique_ptr<fido_assert_t, FidoFree<&fido_assert_free>>;
using Es256Ptr = std::unique_ptr<es256_pk_t, FidoFree<&es256_pk_free>>;
using EddsaPtr = std::unique_ptr<eddsa_pk_t, FidoFree<&eddsa_pk_free>>;
using Rs256Ptr = std::unique_ptr<rs256_pk_t, FidoFree<&rs256_pk_free>>;

template <class T>
T* require(T* object) {
  if (object == nullptr) throw Error(ErrorKind::Crypto, "libfido2 has no memory for a check of a passkey");
  return object;
}

std::string bytesAt(const unsigned char* data, std::size_t size) {
  return data == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(data), size);
}

// Just enough CBOR (RFC 8949) to find the three parts of an attestation object; definite lengths only, as CTAP2 writes.
class Cbor {
public:
  explicit Cbor(std::string_view bytes) : rest_(bytes) {}

  struct Head {
    unsigned major = 0;
    std::uint64_t value = 0;
  };
  std::optional<Head> head() {
    if (rest_.empty()) return std::nullopt;
    const unsigned first = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    const unsigned low = first & 0x1FU;
    if (low < 24) return Head{first >> 5U, low};
    if (low > 27) return std::nullopt;
    const std::size_t size = std::size_t{1} << (low - 24U);
    if (rest_.size() < size) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8U | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(size);
    return Head{first >> 5U, value};
  }
  std::optional<std::string_view> string(unsigned major) {
    const auto found = head();
    if (!found || found->major != major || found->value > rest_.size()) return std::nullopt;
    const auto text = rest_.substr(0, found->value);
    rest_.remove_prefix(found->value);
    return text;
  }
  // One item with all that is in it, as its bytes.
  std::optional<std::string_view> item(int depth = 8) {
    const auto before = rest_;
    if (!skip(depth)) return std::nullopt;
    return before.substr(0, before.size() - rest_.size());
  }
  bool atEnd() const { return rest_.empty(); }

private:
  bool skip(int depth) {
    const auto found = head();
    if (!found || depth == 0) return false;
    if (found->major == 2 || found->major == 3) {
      if (found->value > rest_.size()) return false;
      rest_.remove_prefix(found->value);
      return true;
    }
    if (found->major == 6) return skip(depth - 1);
    if (found->major != 4 && found->major != 5) return true;
    if (found->value > rest_.size()) return false;
    for (std::uint64_t i = 0; i < found->value * (found->major - 3); ++i)
      if (!skip(depth - 1)) return false;
    return true;
  }
  std::string_view rest_;
};

struct AttestationObject {
  std::string_view format;
  std::string_view statement;  // CBOR
  std::string_view authenticatorData;
};

std::optional<AttestationObject> parseAttestation(std::string_view bytes) {
  Cbor cbor(bytes);
  const auto map = cbor.head();
  if (!map || map->major != 5 || map->value != 3) return std::nullopt;
  AttestationObject object;
  for (int i = 0; i < 3; ++i) {
    const auto key = cbor.string(3);
    if (!key) return std::nullopt;
    auto& part = *key == "fmt" ? object.format : *key == "attStmt" ? object.statement : object.authenticatorData;
    if (part.data() != nullptr || (*key != "fmt" && *key != "attStmt" && *key != "authData")) return std::nullopt;
    const auto value = *key == "fmt" ? cbor.string(3) : *key == "attStmt" ? cbor.item() : cbor.string(2);
    if (!value) return std::nullopt;
    part = *value;
  }
  if (!cbor.atEnd()) return std::nullopt;
  return object;
}

std::optional<Fault> clientFault(const RelyingParty& party, std::string_view challenge, std::string_view clientDataJson,
                                 std::string_view type) {
  const auto data = json::parse(clientDataJson, nullptr, false);
  if (!data.is_object()) return Fault::Malformed;
  const auto text = [&](const char* name) {
    const auto found = data.find(name);
    return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (text("type") != type) return Fault::WrongType;
  if (challenge.empty() || !equalConstantTime(text("challenge"), challenge)) return Fault::WrongChallenge;
  if (text("origin") != party.origin) return Fault::WrongOrigin;
  const auto cross = data.find("crossOrigin");
  if (cross != data.end() && *cross != false) return Fault::WrongOrigin;
  return std::nullopt;
}

std::optional<Fault> partyFault(const RelyingParty& party, std::string_view authenticatorData) {
  if (authenticatorData.size() < PartyHashSize + 5) return Fault::Malformed;
  if (!equalConstantTime(authenticatorData.substr(0, PartyHashSize), sha256(party.id))) return Fault::WrongParty;
  const auto flags = static_cast<unsigned char>(authenticatorData[PartyHashSize]);
  if ((flags & UserPresent) == 0 || (flags & UserVerified) == 0) return Fault::NotVerified;
  return std::nullopt;
}

// libfido2 wants to be told the algorithm before it reads the key.
CredPtr readCredential(std::string_view authenticatorData) {
  for (const auto algorithm : Algorithms) {
    CredPtr cred(require(fido_cred_new()));
    if (fido_cred_set_type(cred.get(), algorithm) == FIDO_OK &&
        fido_cred_set_authdata_raw(cred.get(), bytesOf(authenticatorData), authenticatorData.size()) == FIDO_OK)
      return cred;
  }
  return nullptr;
}

bool attestationHolds(fido_cred_t* cred, const AttestationObject& object, const RelyingParty& party,
                      const std::string& clientDataHash) {
  if (object.format == "none") return object.statement == "\xA0";
  if (object.format != "packed") return false;
  if (fido_cred_set_fmt(cred, "packed") != FIDO_OK || fido_cred_set_rp(cred, party.id.c_str(), nullptr) != FIDO_OK ||
      fido_cred_set_uv(cred, FIDO_OPT_TRUE) != FIDO_OK ||
      fido_cred_set_clientdata_hash(cred, bytesOf(clientDataHash), clientDataHash.size()) != FIDO_OK ||
      fido_cred_set_attstmt(cred, bytesOf(object.statement), object.statement.size()) != FIDO_OK)
    return false;
  return (fido_cred_x5c_ptr(cred) != nullptr ? fido_cred_verify(cred) : fido_cred_verify_self(cred)) == FIDO_OK;
}

int verifyWith(const fido_assert_t* assertion, const Credential& credential) {
  const auto* key = bytesOf(credential.publicKey);
  const auto size = credential.publicKey.size();
  if (credential.algorithm == COSE_ES256) {
    const Es256Ptr pk(require(es256_pk_new()));
    if (es256_pk_from_ptr(pk.get(), key, size) != FIDO_OK) return FIDO_ERR_INVALID_ARGUMENT;
    return fido_assert_verify(assertion, 0, COSE_ES256, pk.get());
  }
  if (credential.algorithm == COSE_EDDSA) {
    const EddsaPtr pk(require(eddsa_pk_new()));
    if (eddsa_pk_from_ptr(pk.get(), key, size) != FIDO_OK) return FIDO_ERR_INVALID_ARGUMENT;
    return fido_assert_verify(assertion, 0, COSE_EDDSA, pk.get());
  }
  if (credential.algorithm != COSE_RS256) return FIDO_ERR_INVALID_ARGUMENT;
  const Rs256Ptr pk(require(rs256_pk_new()));
  if (rs256_pk_from_ptr(pk.get(), key, size) != FIDO_OK) return FIDO_ERR_INVALID_ARGUMENT;
  return fido_assert_verify(assertion, 0, COSE_RS256, pk.get());
}

std::uint32_t counterOf(std::string_view authenticatorData) {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < 4; ++i)
    count = count << 8U | static_cast<unsigned char>(authenticatorData[PartyHashSize + 1 + i]);
  return count;
}

}  // namespace

const char* faultText(Fault fault) {
  switch (fault) {
    case Fault::Malformed:
      return "the answer of the passkey does not parse";
    case Fault::WrongType:
      return "the answer of the passkey was made for something else";
    case Fault::WrongChallenge:
      return "the answer of the passkey is not to the question that was asked";
    case Fault::WrongOrigin:
      return "the answer of the passkey was made for another site";
    case Fault::WrongParty:
      return "the passkey belongs to another site";
    case Fault::NotVerified:
      return "the passkey did not verify the person";
    case Fault::Algorithm:
      return "the passkey signs in a way that is not taken";
    case Fault::Attestation:
      return "the passkey's statement about itself does not hold";
    case Fault::Signature:
      return "the passkey's signature does not hold";
    case Fault::Counter:
      return "the passkey's counter went back; it may have been copied";
  }
  return "";
}

std::optional<RelyingParty> relyingPartyOf(std::string_view webUrl) {
  constexpr std::string_view Scheme = "https://";
  if (!webUrl.starts_with(Scheme)) return std::nullopt;
  auto host = webUrl.substr(Scheme.size());
  host = host.substr(0, host.find('/'));
  std::string origin = std::string(Scheme) + std::string(host);
  if (origin.ends_with(":443")) origin.resize(origin.size() - 4);
  const auto name = host.substr(0, host.find(':'));
  if (name.empty() || host.front() == '[' || name.find_first_not_of("0123456789.") == name.npos) return std::nullopt;
  return RelyingParty{std::string(name), origin};
}

std::optional<std::string> challengeOf(std::string_view clientDataJson) {
  const auto data = json::parse(clientDataJson, nullptr, false);
  if (!data.is_object()) return std::nullopt;
  const auto found = data.find("challenge");
  if (found == data.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

Result<Credential, Fault> verifyRegistration(const RelyingParty& party, std::string_view challenge,
                                             std::string_view clientDataJson, std::string_view attestationObject) {
  if (const auto fault = clientFault(party, challenge, clientDataJson, "webauthn.create")) return Unexpected(*fault);
  const auto object = parseAttestation(attestationObject);
  if (!object) return Unexpected(Fault::Malformed);
  if (const auto fault = partyFault(party, object->authenticatorData)) return Unexpected(*fault);
  const auto cred = readCredential(object->authenticatorData);
  if (!cred) return Unexpected(Fault::Algorithm);
  Credential credential{bytesAt(fido_cred_id_ptr(cred.get()), fido_cred_id_len(cred.get())), fido_cred_type(cred.get()),
                        bytesAt(fido_cred_pubkey_ptr(cred.get()), fido_cred_pubkey_len(cred.get())),
                        fido_cred_sigcount(cred.get())};
  if (credential.id.empty() || credential.id.size() > LongestCredentialId || credential.publicKey.empty())
    return Unexpected(Fault::Malformed);
  const bool holds = attestationHolds(cred.get(), *object, party, sha256(clientDataJson));
  clearOpenSslErrors();
  if (!holds) return Unexpected(Fault::Attestation);
  return credential;
}

Result<std::uint32_t, Fault> verifyAssertion(const RelyingParty& party, std::string_view challenge,
                                             const Credential& credential, const Assertion& answer) {
  if (const auto fault = clientFault(party, challenge, answer.clientDataJson, "webauthn.get"))
    return Unexpected(*fault);
  if (const auto fault = partyFault(party, answer.authenticatorData)) return Unexpected(*fault);
  const auto hash = sha256(answer.clientDataJson);
  const AssertPtr assertion(require(fido_assert_new()));
  auto* raw = assertion.get();
  if (fido_assert_set_clientdata_hash(raw, bytesOf(hash), hash.size()) != FIDO_OK ||
      fido_assert_set_rp(raw, party.id.c_str()) != FIDO_OK || fido_assert_set_up(raw, FIDO_OPT_TRUE) != FIDO_OK ||
      fido_assert_set_uv(raw, FIDO_OPT_TRUE) != FIDO_OK || fido_assert_set_count(raw, 1) != FIDO_OK ||
      fido_assert_set_authdata_raw(raw, 0, bytesOf(answer.authenticatorData), answer.authenticatorData.size()) !=
          FIDO_OK ||
      fido_assert_set_sig(raw, 0, bytesOf(answer.signature), answer.signature.size()) != FIDO_OK)
    return Unexpected(Fault::Malformed);
  const int verified = verifyWith(raw, credential);
  clearOpenSslErrors();
  if (verified != FIDO_OK) return Unexpected(Fault::Signature);
  // §7.2 step 21: authenticators without a counter always say 0.
  const auto count = counterOf(answer.authenticatorData);
  if ((count != 0 || credential.signCount != 0) && count <= credential.signCount) return Unexpected(Fault::Counter);
  return count;
}

}  // namespace postern::crypto::webauthn
