#pragma once
#include "listd/orders/OrderTools.h"
#include "listd/people/Proofs.h"
#include "listd/pickup/RecipientStore.h"

#include <optional>
#include <string>
#include <string_view>

// What proves a recipient: a password of a length or passkeys. Challenges are those of listd/people/Proofs.
namespace postern::listd::recipientfactors {

// Options for a new passkey. `userHandle`: of the recipient, or the one to be.
nlohmann::json askForNew(const OrderTools& tools, SiteTables& tables, const std::string& address,
                         const std::string& userHandle, std::string_view boundTo);
// Options for signing in with any passkey: they name nobody, so that they tell nothing about an address.
nlohmann::json askForAny(const OrderTools& tools, SiteTables& tables, std::string_view client);

RecipientPasskey requirePasskey(const OrderTools& tools, const proofs::Answer& answer, const std::string& address,
                                std::string_view boundTo, std::string name);
// The address whose passkey made the answer; nothing when it does not hold. Records its use.
std::optional<std::string> holderOf(const OrderTools& tools, SiteTables& tables, const proofs::Answer& answer,
                                    std::string_view client);

Secret requireNewPassword(const OrderTools& tools, const Args& args, std::string_view argument,
                          const std::string& address);

// Made of the address and a secret of the site, so that a page can be asked twice before anything is stored.
std::string userHandleOf(const OrderTools& tools, std::string_view address);

}  // namespace postern::listd::recipientfactors
