#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Result.h"
#include "core/crypto/Revocation.h"
#include "listd/expand/WorkerLink.h"
#include "listd/site/SiteContext.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace postern::listd {

// How documents of issuers are fetched: by the gateway, as listd has no network.
using FetchDocument = std::function<app::FetchedDocument(const app::DocumentRequest&)>;
// Over a connection of its own, as a slow server may take a while. `address` must outlive it. Threads: one.
FetchDocument fetchByGateway(const GatewayAddress& address);

// Asks issuers about certificates: their revocation lists first, as one serves all their certificates, then OCSP. Lists
// are kept until they end; what fails is not tried again by this object, and a host that failed several times is left
// alone. Threads: one. Errors: Error(Store); what issuers and the network do is in the answer.
class RevocationCheck {
public:
  static constexpr std::size_t MaxQuestions = 10'000;  // by OCSP, of one object
  static constexpr int MaxFailures = 3;                // of a host

  RevocationCheck(SiteContext& context, FetchDocument fetch);

  // For the certificate and the authorities between it and the root. Unknown without a trust store, or when it leads to
  // no authority.
  crypto::RevocationAnswer ask(const crypto::Certificate& certificate);

private:
  using List = std::optional<crypto::RevocationList>;

  crypto::RevocationAnswer askAbout(const crypto::Certificate& certificate, const crypto::Certificate& issuer,
                                    bool leaf);
  const List& listAt(const std::string& url, const crypto::Certificate& issuer);
  List fetchList(const std::string& url, const crypto::Certificate& issuer);
  Result<std::string, std::string> fetch(const app::DocumentRequest& request);

  SiteContext& context_;
  const FetchDocument fetch_;
  std::map<std::string, List> lists_;                                 // by URL and issuer
  std::map<std::string, std::string> listProblems_;                   // the same
  std::map<std::string, crypto::RevocationAnswer> authorityAnswers_;  // by fingerprint
  std::map<std::string, int> failures_;                               // by host
  std::size_t questions_ = 0;
};

}  // namespace postern::listd
