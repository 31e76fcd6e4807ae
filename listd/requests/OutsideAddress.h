#pragma once
#include "listd/requests/Requests.h"

#include <optional>
#include <string>

namespace postern::listd {

// [records] outside_address, when it is the address of somebody who does not work on this site.
std::optional<std::string> outsideAddress(const OrderTools& tools, const std::vector<Staff>& staff);

}  // namespace postern::listd
