#include "listd/people/Proofs.h"

#include "core/app/JsonText.h"
#include "core/crypto/Aead.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/crypto/Totp.h"
#include "core/mail/Text.h"
#include "listd/orders/Views.h"
#include "listd/people/PasswordRule.h"
#include "listd/people/RoleRules.h"

#include <algorithm>

namespace postern::listd::proofs {

using nlohmann::json;
namespace webauthn = crypto::webauthn;

namespace {

constexpr std::string_view TotpKeyLabel = "postern totp v1";
constexpr std::string_view RecoveryKeyLabel = "postern recovery codes v1";
constexpr std::size_t RecoveryCodes = 10;
constexpr std::size_t RecoveryBytes = 10;  // 16 characters of base32: 80 bits

std::string recoveryHash(const OrderTools& tools, const std::string& account, std::string_view typed) {
  std::string code;
  for (const char c : mail::lowerAscii(typed))
    if (c != ' ' && c != '-') code += c;
  return crypto::hex(crypto::hmacSha256(tools.context.root.derive(RecoveryKeyLabel), account + ":" + code));
}

std::string newChallenge(const OrderTools& tools, SiteTables& tables, std::string_view purpose,
                         std::string_view account, std::string_view boundTo) {
  auto challenge = crypto::randomToken();
  tables.accounts.addProof(
      {hashOf(challenge), std::string(purpose), std::string(account), std::string(boundTo), tools.now() + ProofLasts});
  return challenge;
}

json descriptorsOf(const std::vector<Factor>& factors) {
  auto list = json::array();
  for (const auto& factor : factors)
    if (factor.kind == "passkey")
      list.push_back({{"type", "public-key"}, {"id", crypto::base64Url(factor.credentialId)}});
  return list;
}

std::optional<std::string> binary(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return crypto::fromBase64Url(found->get<std::string>());
}

// The "response" of a credential's JSON.
json responseOf(const std::string& text) {
  auto credential = app::parseJson(text);
  if (!credential.is_object() || !credential.contains("response") || !credential["response"].is_object()) return {};
  return credential;
}

bool fits(const std::optional<PendingProof>& asked, std::string_view purpose, std::string_view boundTo) {
  return asked && asked->purpose == purpose && asked->boundTo == boundTo;
}

}  // namespace

std::string hashOf(std::string_view token) {
  return crypto::hex(crypto::sha256(token));
}

std::string sealTotp(const OrderTools& tools, const Secret& secret, const std::string& account) {
  return crypto::AeadKey(tools.context.root.derive(TotpKeyLabel)).sealSecret(secret, "account:" + account);
}

Secret openTotp(const OrderTools& tools, const Factor& factor) {
  return crypto::AeadKey(tools.context.root.derive(TotpKeyLabel))
      .openSecret(factor.secret, "account:" + factor.account);
}

Secret requireNewPassword(const OrderTools& tools, const Args& args, std::string_view argument,
                          const std::string& name) {
  Secret password(args.bytes(argument, LongestPassword));
  if (const auto fault = passwordFault(password.view(), {name, tools.context.config.hostName}))
    refuse("invalid", fault->message, fault->hint);
  return password;
}

std::vector<std::string> makeRecoveryCodes(const OrderTools& tools, SiteTables& tables, const std::string& account) {
  std::vector<std::string> codes;
  std::vector<std::string> hashes;
  for (std::size_t i = 0; i < RecoveryCodes; ++i) {
    const auto plain = mail::lowerAscii(crypto::base32(crypto::randomBytes(RecoveryBytes)));
    std::string code;
    for (std::size_t at = 0; at < plain.size(); at += 4) code += (at == 0 ? "" : "-") + plain.substr(at, 4);
    hashes.push_back(recoveryHash(tools, account, code));
    codes.push_back(std::move(code));
  }
  tables.accounts.setRecoveryCodes(account, hashes);
  return codes;
}

bool takesPasskeys(const OrderTools& tools) {
  return webauthn::relyingPartyOf(tools.context.webUrl()).has_value();
}

webauthn::RelyingParty requireParty(const OrderTools& tools) {
  auto party = webauthn::relyingPartyOf(tools.context.webUrl());
  if (!party)
    refuse("refused", "passkeys need a host name for the web UI, not an address",
           "set url in [web] of postern.toml to https://NAME");
  return std::move(*party);
}

json askForNew(const OrderTools& tools, SiteTables& tables, const Account& account, std::string_view boundTo) {
  const auto party = requireParty(tools);
  return {{"challenge", newChallenge(tools, tables, "passkey-add", account.name, boundTo)},
          {"rp", {{"id", party.id}, {"name", "Postern"}}},
          {"user",
           {{"id", crypto::base64Url(account.userHandle)},
            {"name", account.name.empty() ? "administrator" : account.name},
            {"displayName", account.name.empty() ? "administrator" : account.name}}},
          {"pubKeyCredParams",
           {{{"type", "public-key"}, {"alg", -7}},
            {{"type", "public-key"}, {"alg", -8}},
            {{"type", "public-key"}, {"alg", -257}}}},
          {"excludeCredentials", descriptorsOf(tables.accounts.factorsOf(account.name))},
          {"authenticatorSelection", {{"residentKey", "preferred"}, {"userVerification", "required"}}},
          {"attestation", "none"},
          {"timeout", std::chrono::milliseconds(ProofLasts).count()}};
}

json askForOne(const OrderTools& tools, SiteTables& tables, std::string_view account, std::string_view purpose,
               std::string_view boundTo) {
  const auto party = requireParty(tools);
  return {{"challenge", newChallenge(tools, tables, purpose, account, boundTo)},
          {"rpId", party.id},
          {"allowCredentials", account.empty() ? json::array() : descriptorsOf(tables.accounts.factorsOf(account))},
          {"userVerification", "required"},
          {"timeout", std::chrono::milliseconds(ProofLasts).count()}};
}

std::optional<Answer> takeAnswer(OrderTools& tools, const Args& args, std::string_view argument) {
  if (!args.has(argument)) return std::nullopt;
  Answer answer{args.bytes(argument, LongestCredential), {}, std::nullopt};
  const auto credential = responseOf(answer.json);
  if (credential.is_null()) return answer;
  const auto client = binary(credential["response"], "clientDataJSON");
  const auto challenge = client ? webauthn::challengeOf(*client) : std::nullopt;
  if (!challenge) return answer;
  answer.challenge = *challenge;
  answer.asked = tools.context.site.write(
      [&](SiteTables& tables) { return tables.accounts.takeProof(hashOf(answer.challenge), tools.now()); });
  return answer;
}

Factor requirePasskey(const OrderTools& tools, const Answer& answer, std::string_view account, std::string_view boundTo,
                      std::string name) {
  const auto refusePasskey = [](const char* why) {
    refuse("invalid", std::string("the passkey was not taken: ") + why, "try again from the page");
  };
  if (!fits(answer.asked, "passkey-add", boundTo) || answer.asked->account != account)
    refusePasskey("its answer is not to the question that was asked, or came too late");
  const auto credential = responseOf(answer.json);
  const auto client = binary(credential["response"], "clientDataJSON");
  const auto object = binary(credential["response"], "attestationObject");
  if (!client || !object) refusePasskey("its answer does not parse");
  const auto passkey = webauthn::verifyRegistration(requireParty(tools), answer.challenge, *client, *object);
  if (!passkey) refusePasskey(webauthn::faultText(passkey.error()));
  Factor factor;
  factor.account = account;
  factor.kind = "passkey";
  factor.name = std::move(name);
  factor.credentialId = passkey->id;
  factor.algorithm = passkey->algorithm;
  factor.publicKey = passkey->publicKey;
  factor.signCount = passkey->signCount;
  factor.createdAt = tools.now();
  return factor;
}

std::optional<Factor> passkeyOf(const OrderTools& tools, SiteTables& tables, const Answer& answer,
                                std::string_view purpose, std::string_view boundTo) {
  if (!fits(answer.asked, purpose, boundTo)) return std::nullopt;
  const auto credential = responseOf(answer.json);
  const auto& response = credential["response"];
  const auto id = binary(credential, "id");
  const auto client = binary(response, "clientDataJSON");
  const auto data = binary(response, "authenticatorData");
  const auto signature = binary(response, "signature");
  if (!id || !client || !data || !signature) return std::nullopt;
  auto factor = tables.accounts.findPasskey(*id);
  if (!factor || (!answer.asked->account.empty() && answer.asked->account != factor->account)) return std::nullopt;
  const auto count = webauthn::verifyAssertion(
      requireParty(tools), answer.challenge,
      {factor->credentialId, factor->algorithm, factor->publicKey, static_cast<std::uint32_t>(factor->signCount)},
      {*client, *data, *signature});
  if (!count) return std::nullopt;
  tables.accounts.recordUse(factor->id, factor->lastStep, *count, tools.now());
  return factor;
}

std::string prove(const OrderTools& tools, SiteTables& tables, const Account& account, const Args& args,
                  const std::optional<Answer>& answer, std::string_view purpose, std::string_view boundTo) {
  if (answer) {
    const auto factor = passkeyOf(tools, tables, *answer, purpose, boundTo);
    return factor && factor->account == account.name ? "passkey" : "";
  }
  if (args.has("recoveryCode")) {
    const auto hash = recoveryHash(tools, account.name, args.textOr("recoveryCode", {}, 64));
    return tables.accounts.useRecoveryCode(account.name, hash, tools.now()) ? "recovery-code" : "";
  }
  const auto code = args.textOr("totp", {}, 16);
  for (const auto& factor : tables.accounts.factorsOf(account.name)) {
    if (factor.kind != "totp") continue;
    const auto step = crypto::checkTotp(openTotp(tools, factor), code, tools.now(), factor.lastStep);
    if (!step) continue;
    tables.accounts.recordUse(factor.id, *step, factor.signCount, tools.now());
    return "totp";
  }
  return {};
}

json openSession(const OrderTools& tools, SiteTables& tables, const OrderCall& call, const std::string& account,
                 const std::string& client) {
  const auto agent = call.args.textOr("agent", {}, 100);
  const auto opened = tables.sessions.open(SubjectKind::Account, account, client, agent, tools.now());
  // A sign-in is a proof as good as any: its session needs no other for five minutes.
  tables.sessions.recordStepUp(opened.ref, tools.now());
  call.note.sessionRef = opened.ref;
  return {{"secret", opened.secret}, {"ref", opened.ref}};
}

json viewWithFactors(const OrderTools&, SiteTables& tables, const Account& account) {
  auto view = viewOf(account);
  view["lists"] = tables.accounts.listsOf(account.name);
  view["factors"] = json::array();
  for (const auto& factor : tables.accounts.factorsOf(account.name))
    view["factors"].push_back({{"id", factor.id},
                               {"kind", factor.kind},
                               {"name", factor.name},
                               {"createdAt", toMicros(factor.createdAt)},
                               {"lastUsedAt", toMicros(factor.lastUsedAt)}});
  view["recoveryCodesLeft"] = tables.accounts.recoveryCodesLeft(account.name);
  return view;
}

}  // namespace postern::listd::proofs
