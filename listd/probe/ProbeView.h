#pragma once
#include "core/app/DomainTls.h"

#include <nlohmann/json.hpp>
#include <string>

namespace postern::listd {

// A probe as orders show it and as the store keeps it (docs/orders.md, probe.show). Pure.
nlohmann::json viewOf(const app::DomainProbe& probe);

// What it comes to, in one plain sentence. Pure.
std::string verdictSentence(const app::DomainTls& verdict);

}  // namespace postern::listd
