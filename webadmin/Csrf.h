#pragma once
#include "webadmin/Http.h"

#include <string>
#include <string_view>

// The forgery guard: no POST is obeyed that another site made the browser send.
//
// Every form carries a token that is derived (HMAC-SHA256) from a secret cookie of the browser: the session cookie,
// or, before sign-in, a random form cookie. Both cookies are `__Host-`, Secure, HttpOnly and SameSite=Strict, so
// another site can neither read, send nor plant them. What the browser says of the request's origin is checked besides.
namespace postern::webadmin::csrf {

std::string token(std::string_view secretCookie);
bool matches(std::string_view secretCookie, std::string_view given);

// False when the browser says that the request comes from another site. Our `Referrer-Policy: no-referrer` makes
// browsers send "Origin: null" with our own forms (Fetch §3.2), so null counts only beside Sec-Fetch-Site: same-origin.
bool isSameOrigin(const Request& request);

}  // namespace postern::webadmin::csrf
