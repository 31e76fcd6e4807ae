#pragma once
#include "cli/Context.h"

#include <string>

namespace postern::cli {

// `postern tlsrpt`: what another site reports of the TLS of its connections to us (RFC 8460). `file`: a mail, JSON or
// gzip; "-": standard input. Needs no site. Exit No when sessions failed.
Exit showTlsReport(const Context& context, const std::string& file);

}  // namespace postern::cli
