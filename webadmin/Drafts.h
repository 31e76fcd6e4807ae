#pragma once
#include "webadmin/Visit.h"

#include <optional>

// What somebody had written on the page "Send secure" when their session ended or listd was away: it waits ten minutes
// in memory for the same account to sign in again in the same browser. A random name of it, in a cookie, and the
// account's own name find it; each alone finds nothing. It is shown, never sent by itself.
namespace postern::webadmin::drafts {

inline constexpr const char* Cookie = "__Host-postern-draft";

// Keeps the form of this request, if it is that page's; then the response gets the cookie.
void keep(KeptForms& drafts, const Request& request, Response& response);

// The form that waits for the person who is signed in.
std::optional<Fields> take(const Visit& visit);

}  // namespace postern::webadmin::drafts
