#pragma once
#include "listd/orders/OrderTools.h"
#include "listd/requests/Requests.h"
#include "listd/retention/DestructionGate.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace postern::listd {

// The gate, as whoever asks for destruction sees it.
using Dispose = std::function<std::vector<DestructionGate::Verdict>(DestructionCaller,
                                                                    const std::vector<DestructionGate::Target>&)>;

// Asked in the transaction that hides: the request that was made when so much may only go with a second person's leave.
using AskFirst =
    std::function<std::optional<Request>(SiteTables&, const std::vector<DestructionGate::Target>&, const std::string&)>;

// Hides what a person wrote and was, destroys what the gate allows, and says what to answer the person. The answer is
// the same whether a rule or a hold keeps something.
nlohmann::json answerErasure(OrderTools& tools, const OrderCall& call, const Dispose& dispose,
                             const AskFirst& askFirst = {});

}  // namespace postern::listd
