#pragma once
#include <string_view>

namespace postern::listd {

// What is said of an action of the audit log, "%" for its object: "placed %". Null for one that nobody has put into
// words; a test demands words for every order.
const char* auditPhrase(std::string_view action);

}  // namespace postern::listd
