#pragma once
#include "core/vault/RootKey.h"

#include <string>
#include <string_view>

namespace postern::listd {

// Links whose token must not stand in site.db, such as that of an invitation: the outbox holds the token sealed, and it
// is opened when the mail is composed. Both forms have the shape of a link of ours. Threads: safe for all.
std::string sealLink(const vault::RootKey& root, std::string_view page, std::string_view token);  // page: …/setup
// Throws Error when it is none that sealLink made.
std::string openLink(const vault::RootKey& root, std::string_view link);

}  // namespace postern::listd
