#pragma once
#include "cli/Context.h"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace postern::cli {

struct AcmeOptions {
  std::string mail;                  // of the account at the authority; empty: as the last time
  std::string server;                // directory of the authority; empty: as the last time, or Let's Encrypt
  std::string port;                  // of HTTP-01 on this machine; empty: as the last time, or 80
  std::vector<std::string> domains;  // names of the certificate; none: as the last time, or the host name
  bool agree = false;                // to the terms of the authority
};

// `postern certificate acme`: gets a certificate by ACME (RFC 8555) with the packaged client `lego`, which answers
// HTTP-01 on port 80 itself, and installs it. What was asked is kept in DATA/acme/settings.json, so that the same
// command without options renews it: it does nothing while the certificate has more than 30 days. Throws Error(Config)
// when lego is not installed or settings are missing, Error(Unavailable) when the authority gives no certificate.
Exit acmeCertificate(const Context& context, const AcmeOptions& options);

// `postern certificate install CERT KEY`: checks that the two belong together, are in force and can be read, and puts
// them where the site reads them; the processes take them over by themselves. Throws Error(Config) for what is wrong.
Exit installCertificate(const Context& context, const std::string& certificate, const std::string& key);

// `postern certificate server`: whose it is and when it ends.
Exit showCertificate(const Context& context);

// The verbs below `certificate`; what a person chose is given to `choose`.
void addCertificateVerbs(CLI::App& noun, const std::function<void(std::function<Exit(const Context&)>)>& choose);

}  // namespace postern::cli
