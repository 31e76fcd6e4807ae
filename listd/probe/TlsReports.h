#pragma once
#include "core/app/GatewayLink.h"
#include "core/mail/Address.h"
#include "listd/site/SiteContext.h"

#include <string>
#include <string_view>

namespace postern::listd {

// Where others send reports on the TLS of their connections to a domain of ours (RFC 8460): "tlsrpt@DOMAIN". A list of
// that name goes before it.
std::string tlsReportAddress(std::string_view domain);
bool isTlsReportAddress(SiteContext& context, const mail::Address& address);

// Keeps what a report says of domains of ours, once; anything else that comes is dropped and logged, and nobody is
// answered. Nothing proves who wrote it. Errors: Error(Store).
void takeTlsReport(SiteContext& context, const app::Submission& submission);

// The TXT record that asks for such reports, as it is published at "_smtp._tls.DOMAIN".
std::string tlsReportRecord(std::string_view domain);

}  // namespace postern::listd
