#pragma once
#include "core/crypto/WebAuthn.h"
#include "listd/orders/OrderTools.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What proves a person, shared by sign-in, set-up, step-up and the pages of the account.
namespace postern::listd::proofs {

inline constexpr std::chrono::minutes ProofLasts{5};
inline constexpr std::size_t LongestPassword = 1000;
inline constexpr std::size_t LongestCredential = 20'000;  // JSON of what the browser answered

std::string hashOf(std::string_view token);  // SHA-256, hexadecimal: what is stored in place of a token
std::string sealTotp(const OrderTools& tools, const Secret& secret, const std::string& account);
Secret openTotp(const OrderTools& tools, const Factor& factor);
Secret requireNewPassword(const OrderTools& tools, const Args& args, std::string_view argument,
                          const std::string& name);

// Ten codes, shown once; only keyed hashes are stored.
std::vector<std::string> makeRecoveryCodes(const OrderTools& tools, SiteTables& tables, const std::string& account);

// Asks a passkey: the options for navigator.credentials.create or .get, with a challenge that is good once, for five
// minutes, for `purpose`, `account` and `boundTo`. Refused where the web UI has an IP address for a name.
crypto::webauthn::RelyingParty requireParty(const OrderTools& tools);
bool takesPasskeys(const OrderTools& tools);
nlohmann::json askForNew(const OrderTools& tools, SiteTables& tables, const Account& account, std::string_view boundTo);
nlohmann::json askForOne(const OrderTools& tools, SiteTables& tables, std::string_view account,
                         std::string_view purpose, std::string_view boundTo);

// What the browser answered (`credential` or `assertion`: JSON text), with its challenge used up in its own
// transaction, so that no answer is ever looked at twice, whatever becomes of it.
struct Answer {
  std::string json;
  std::string challenge;
  std::optional<PendingProof> asked;  // nothing: the challenge is unknown, used or too old
};
std::optional<Answer> takeAnswer(OrderTools& tools, const Args& args, std::string_view argument);

// A new passkey from an answer. Refuses the order when it does not hold.
Factor requirePasskey(const OrderTools& tools, const Answer& answer, std::string_view account, std::string_view boundTo,
                      std::string name);
// The account's passkey that made the answer; nothing when it does not hold. Records its use.
std::optional<Factor> passkeyOf(const OrderTools& tools, SiteTables& tables, const Answer& answer,
                                std::string_view purpose, std::string_view boundTo);

// The factor that the arguments `totp`, `recoveryCode` or the answer prove: "totp" "recovery-code" "passkey"; empty:
// none. Records its use, so that it works once.
std::string prove(const OrderTools& tools, SiteTables& tables, const Account& account, const Args& args,
                  const std::optional<Answer>& answer, std::string_view purpose, std::string_view boundTo);

// Opens a session for an account that is proven just now, which counts as a step-up: {"secret", "ref"}. `call` may say
// the person's browser (agent). Notes the session in the entry of the order.
nlohmann::json openSession(const OrderTools& tools, SiteTables& tables, const OrderCall& call,
                           const std::string& account, const std::string& client);

// The account as people see it; factors without secrets.
nlohmann::json viewWithFactors(const OrderTools& tools, SiteTables& tables, const Account& account);

}  // namespace postern::listd::proofs
