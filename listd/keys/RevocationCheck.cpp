#include "listd/keys/RevocationCheck.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

#include <algorithm>

namespace postern::listd {
namespace {

using crypto::RevocationAnswer;
using crypto::RevocationState;

std::string hostOf(const std::string& url) {
  const auto start = url.find("//") + 2;
  return url.substr(start, url.find('/', start) - start);
}

RevocationAnswer unknown(std::string why) {
  return {RevocationState::Unknown, std::move(why), {}};
}

}  // namespace

FetchDocument fetchByGateway(const GatewayAddress& address) {
  const auto link = std::make_shared<std::unique_ptr<app::GatewayLink>>();
  return [&address, link](const app::DocumentRequest& request) -> app::FetchedDocument {
    try {  // the boundary to another process: without it nothing is known, and the look at the keys goes on
      if (!*link) *link = std::make_unique<app::GatewayLink>(address.socketPath);
      return (*link)->fetchDocument(request);
    } catch (const Error& error) {
      link->reset();
      log::info("keys", "an issuer cannot be asked", {{"error", error.what()}});
      return {{}, "the gateway, which alone can ask, is away"};
    }
  };
}

RevocationCheck::RevocationCheck(SiteContext& context, FetchDocument fetch)
    : context_(context), fetch_(std::move(fetch)) {}

RevocationAnswer RevocationCheck::ask(const crypto::Certificate& certificate) {
  const auto trust = context_.trustStore();
  if (trust == nullptr) return unknown("No certificate authorities are set (setting smime.certificate_authorities).");
  const auto chain = crypto::trustChain(certificate, context_.clock.now(), *trust);
  if (chain.size() < 2) return unknown("The certificate does not lead to an authority that could answer.");
  auto result = askAbout(chain[0], chain[1], true);
  for (std::size_t i = 1; i + 1 < chain.size() && result.state != RevocationState::Revoked; ++i) {
    auto known = authorityAnswers_.find(chain[i].fingerprint());
    if (known == authorityAnswers_.end())
      known = authorityAnswers_.emplace(chain[i].fingerprint(), askAbout(chain[i], chain[i + 1], false)).first;
    if (known->second.state == RevocationState::Good) {
      result.freshUntil = std::min(result.freshUntil, known->second.freshUntil);
    } else if (known->second.state == RevocationState::Revoked || result.state == RevocationState::Good) {
      result = known->second;
      result.detail = "Of an authority above it: " + result.detail;
    }
  }
  return result;
}

RevocationAnswer RevocationCheck::askAbout(const crypto::Certificate& certificate, const crypto::Certificate& issuer,
                                           bool leaf) {
  const auto sources = crypto::revocationSources(certificate);
  // An authority right under the root often names no place; the administrator trusts the root by hand anyway.
  if (sources.lists.empty() && sources.responders.empty())
    return leaf ? unknown("The certificate names no place where its issuer can be asked.")
                : RevocationAnswer{RevocationState::Good, "", context_.clock.now() + std::chrono::hours(24)};
  std::string why;
  for (const auto& url : sources.lists) {
    if (const auto& list = listAt(url, issuer)) {
      auto answer = list->find(certificate);
      if (answer.state != RevocationState::Unknown) return answer;
      why = answer.detail;
    } else {
      why = listProblems_[url + "\n" + issuer.fingerprint()];
    }
  }
  const crypto::OcspQuestion question(certificate, issuer);
  for (const auto& url : sources.responders) {
    if (questions_ >= MaxQuestions) return unknown("Its turn to be asked about has not come yet.");
    ++questions_;
    const auto bytes = fetch({url, question.der(), "application/ocsp-request", crypto::OcspQuestion::MaxAnswerBytes});
    if (!bytes) {
      why = bytes.error();
      continue;
    }
    auto answer = question.read(*bytes, context_.clock.now());
    if (answer.state != RevocationState::Unknown) return answer;
    why = answer.detail;
  }
  return unknown("The issuer could not be asked: " + why.substr(0, 300) + ".");
}

const RevocationCheck::List& RevocationCheck::listAt(const std::string& url, const crypto::Certificate& issuer) {
  const auto name = url + "\n" + issuer.fingerprint();
  const auto known = lists_.find(name);
  if (known != lists_.end()) return known->second;
  return lists_.emplace(name, fetchList(url, issuer)).first->second;
}

RevocationCheck::List RevocationCheck::fetchList(const std::string& url, const crypto::Certificate& issuer) {
  const auto now = context_.clock.now();
  const auto kept = context_.site.read([&](SiteTables& tables) { return tables.keyRing.revocationList(url); });
  if (kept && kept->freshUntil > now)
    if (auto list = crypto::RevocationList::parse(kept->body, issuer, url, now)) return std::move(*list);
  const auto refuse = [&](const std::string& why) {
    listProblems_[url + "\n" + issuer.fingerprint()] = why;
    return std::nullopt;
  };
  const auto bytes = fetch({url, {}, {}, static_cast<std::uint32_t>(crypto::RevocationList::MaxBytes)});
  if (!bytes) return refuse(bytes.error());
  auto list = crypto::RevocationList::parse(*bytes, issuer, url, now);
  if (!list) return refuse(list.error());
  context_.site.write([&](SiteTables& tables) {
    tables.keyRing.keepRevocationList(url, {*bytes, list->freshUntil()}, now);
  });
  return std::move(*list);
}

Result<std::string, std::string> RevocationCheck::fetch(const app::DocumentRequest& request) {
  const auto host = hostOf(request.url);
  if (failures_[host] >= MaxFailures) return Unexpected(host + " failed several times");
  auto document = fetch_(request);
  if (!document.problem.empty()) {
    ++failures_[host];
    return Unexpected(std::move(document.problem));
  }
  return std::move(document.body);
}

}  // namespace postern::listd
