#include "gateway/report/DirectSender.h"

#include "core/mail/Text.h"

namespace postern::gateway {

void DirectSender::setRoutes(RouteTable routes) {
  const MutexLock lock(mutex_);
  routes_ = std::make_shared<RouteTable>(std::move(routes));
}

std::optional<std::string> DirectSender::mail(const std::string& from, const std::string& to,
                                              const std::string& message) {
  const auto text = smtp::ClientText::check(message);
  if (!text) return text.error();
  std::shared_ptr<const RouteTable> routes;
  {
    const MutexLock lock(mutex_);
    routes = routes_;
  }
  const auto hops = finder_.find(*routes, mail::lowerAscii(to.substr(to.rfind('@') + 1)), TlsNeed::Waived);
  std::string why = hops.problem;
  for (auto target : hops.targets) {
    auto opened = smtp::ClientConnection::open(settings_, target, tls_);
    if (!opened && opened.error().tlsHandshake && target.tls == smtp::ClientTls::Opportunistic) {
      target.tls = smtp::ClientTls::None;
      opened = smtp::ClientConnection::open(settings_, target, tls_);
    }
    if (!opened) {
      why = opened.error().text;
      continue;
    }
    const auto result = (*opened)->send({from, to, &*text});
    (*opened)->quit();
    if (result.outcome == smtp::ClientResult::Outcome::Accepted) return std::nullopt;
    return result.text;
  }
  return why.empty() ? "there is no mail server" : why;
}

std::optional<std::string> DirectSender::post(const std::string& url, const std::string& compressed) {
  const auto answer = fetcher_.fetch({url, compressed, "application/tlsrpt+gzip", 64 * 1024});
  if (answer.problem.empty()) return std::nullopt;
  return answer.problem;
}

}  // namespace postern::gateway
