#include "listd/pickup/RecipientFactors.h"

#include "core/app/JsonText.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/people/PasswordRule.h"
#include "listd/pickup/Visitor.h"

#include <algorithm>

namespace postern::listd::recipientfactors {

using nlohmann::json;
namespace webauthn = crypto::webauthn;

namespace {

constexpr std::string_view SignInPurpose = "recipient-sign-in";
constexpr std::string_view HandleLabel = "postern pickup handle v1";

std::string binary(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return crypto::fromBase64Url(found->get<std::string>()).value_or(std::string());
}

std::size_t charactersOf(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string userHandleOf(const OrderTools& tools, std::string_view address) {
  return crypto::hmacSha256(tools.context.root.derive(HandleLabel), address);
}

json askForNew(const OrderTools& tools, SiteTables& tables, const std::string& address, const std::string& userHandle,
               std::string_view boundTo) {
  Account shape;
  shape.name = visitor::subjectOf(address);
  shape.userHandle = userHandle;
  auto options = proofs::askForNew(tools, tables, shape, boundTo);
  options["user"]["name"] = address;
  options["user"]["displayName"] = address;
  options["rp"]["name"] = tools.context.config.hostName;
  options["authenticatorSelection"] = {
      {"residentKey", "required"}, {"requireResidentKey", true}, {"userVerification", "required"}};
  if (const auto recipient = tables.recipients.find(address))
    for (const auto& passkey : tables.recipients.passkeys(recipient->id))
      options["excludeCredentials"].push_back(
          {{"type", "public-key"}, {"id", crypto::base64Url(passkey.credential.id)}});
  return options;
}

json askForAny(const OrderTools& tools, SiteTables& tables, std::string_view client) {
  return proofs::askForOne(tools, tables, "", SignInPurpose, client);
}

RecipientPasskey requirePasskey(const OrderTools& tools, const proofs::Answer& answer, const std::string& address,
                                std::string_view boundTo, std::string name) {
  auto factor = proofs::requirePasskey(tools, answer, visitor::subjectOf(address), boundTo, std::move(name));
  RecipientPasskey passkey;
  passkey.name = std::move(factor.name);
  passkey.credential = {factor.credentialId, factor.algorithm, factor.publicKey,
                        static_cast<std::uint32_t>(factor.signCount)};
  passkey.createdAt = factor.createdAt;
  return passkey;
}

std::optional<std::string> holderOf(const OrderTools& tools, SiteTables& tables, const proofs::Answer& answer,
                                    std::string_view client) {
  if (!answer.asked || answer.asked->purpose != SignInPurpose || answer.asked->boundTo != client) return std::nullopt;
  const auto credential = app::parseJson(answer.json);
  if (!credential.is_object() || !credential.contains("response") || !credential["response"].is_object())
    return std::nullopt;
  const auto& response = credential["response"];
  const auto holder = tables.recipients.findPasskey(binary(credential, "id"));
  if (!holder) return std::nullopt;
  const auto clientData = binary(response, "clientDataJSON");
  const auto data = binary(response, "authenticatorData");
  const auto signature = binary(response, "signature");
  const auto count = webauthn::verifyAssertion(proofs::requireParty(tools), answer.challenge,
                                               holder->passkey.credential, {clientData, data, signature});
  if (!count) return std::nullopt;
  tables.recipients.recordUse(holder->passkey.id, *count, tools.now());
  return holder->address;
}

Secret requireNewPassword(const OrderTools& tools, const Args& args, std::string_view argument,
                          const std::string& address) {
  Secret password(args.bytes(argument, proofs::LongestPassword));
  if (charactersOf(password.view()) < visitor::ShortestPassword)
    refuse("invalid", "the password needs " + std::to_string(visitor::ShortestPassword) + " characters or more",
           "three or four words that nobody would put together are easy to keep in mind");
  const auto local = address.substr(0, address.find('@'));
  if (const auto fault = passwordFault(password.view(), {address, local, tools.context.config.hostName}))
    refuse("invalid", fault->message, fault->hint);
  return password;
}

}  // namespace postern::listd::recipientfactors
