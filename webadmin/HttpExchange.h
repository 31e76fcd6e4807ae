#pragma once
#include "webadmin/Site.h"

#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

namespace postern::webadmin {

inline constexpr std::size_t MaxBody = 1u << 20;
inline constexpr std::size_t MaxMailBody = 7u << 20;  // of the page that takes files: 4 MiB, and base64 of them
inline constexpr std::size_t MaxTarget = 4096;

// One request and its response between POCO and the Site. POCO 1.11 takes what is left of a body for the next request,
// believes a repeated Content-Length, reads Content-Length beside Transfer-Encoding and takes a truncated body for a
// whole one. So: only one Content-Length is taken, no Transfer-Encoding, the body is read whole before anything is
// answered, and after any doubt the connection is closed. Errors: throws nothing but network errors.
void exchange(Site& site, Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response,
              const app::HttpsFacts& https);

}  // namespace postern::webadmin
