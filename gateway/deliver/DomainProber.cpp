#include "gateway/deliver/DomainProber.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

#include <algorithm>
#include <tuple>

namespace postern::gateway {

namespace {

using app::TlsMeans;

std::string tlsaText(const net::TlsaRecord& record) {
  constexpr std::size_t MaxShown = 16;
  auto text = std::to_string(record.usage) + " " + std::to_string(record.selector) + " " +
              std::to_string(record.matching) + " ";
  for (const unsigned char byte : record.data.substr(0, MaxShown)) {
    constexpr const char* digits = "0123456789abcdef";
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return record.data.size() > MaxShown ? text + "…" : text;
}

std::string daneWord(const HopHost& host) {
  if (!host.tlsaAsked) return "not signed";
  switch (host.tlsaOutcome) {
    case net::DnsOutcome::Bogus:
    case net::DnsOutcome::Failed:
      return host.problem;
    case net::DnsOutcome::Found:
    case net::DnsOutcome::NoData:
    case net::DnsOutcome::NoName:
      break;
  }
  if (host.tlsa.empty()) return "none";
  return host.target.dane.empty() ? "no record can be used" : "not matched";
}

std::string stsWord(const HopHost& host, const HopSurvey& survey) {
  if (!survey.sts.policy || survey.sts.policy->mode == net::StsPolicy::Mode::None) return "none";
  return survey.sts.policy->allows(host.name) ? "ok" : "not allowed by the policy";
}

// The strongest that held for every server that answered and that mail may go to.
app::DomainTls judge(const app::DomainProbe& probe) {
  app::DomainTls verdict = probe.verdict;
  verdict.means = TlsMeans::Dane;
  bool answered = false;
  for (const auto& host : probe.hosts) {
    if (!host.problem.empty()) {
      if (verdict.problem.empty()) verdict.problem = host.problem;
      continue;
    }
    answered = true;
    if (host.means >= verdict.means && host.means != TlsMeans::None) continue;
    verdict.means = host.means;
    if (host.means != TlsMeans::None) continue;
    verdict.problem = host.startTls ? host.name + ": the certificate is not verified: " + host.chain
                                    : host.name + " does not offer STARTTLS";
    break;
  }
  if (!answered) verdict.means = TlsMeans::None;
  if (!answered && verdict.problem.empty())
    verdict.problem = probe.problem.empty() ? "no mail server answered" : probe.problem;
  if (verdict.means != TlsMeans::None) verdict.problem.clear();
  return verdict;
}

}  // namespace

DomainProber::DomainProber(smtp::ClientSettings settings, NextHopFinder finder, const net::TlsClient& tls,
                           const Clock& clock)
    : settings_(std::move(settings)),
      finder_(std::move(finder)),
      tls_(tls),
      clock_(clock),
      routes_(std::make_shared<RouteTable>()) {
  for (std::size_t i = 0; i < Workers; ++i) threads_.emplace_back([this] { work(); });
}

DomainProber::~DomainProber() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    for (auto* interrupt : interrupts_) interrupt->fire();
    todoOrStop_.notify_all();
    changed_.notify_all();
  }
  for (auto& thread : threads_) thread.join();
}

void DomainProber::setRoutes(RouteTable routes) {
  const MutexLock lock(mutex_);
  routes_ = std::make_shared<const RouteTable>(std::move(routes));
}

app::DomainProbe DomainProber::probe(const std::string& domain, bool fresh, std::chrono::milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  const MutexLock lock(mutex_);
  auto& kept = runs_[domain];
  if (!kept || (fresh && kept->result.finished)) {
    kept = std::make_shared<Run>();
    kept->result.verdict.domain = domain;
    kept->result.progress = "Waiting for other probes.";
    todo_.push_back(domain);
    todoOrStop_.notify_one();
  }
  const auto run = kept;
  dropOld();
  while (!run->result.finished && !stopping_)
    if (changed_.wait_until(mutex_, until) == std::cv_status::timeout) break;
  return run->result;
}

void DomainProber::dropOld() {
  for (auto run = runs_.begin(); runs_.size() > MaxKept && run != runs_.end();)
    run = run->second->result.finished ? runs_.erase(run) : std::next(run);
}

void DomainProber::work() {
  for (;;) {
    std::string domain;
    std::shared_ptr<Run> run;
    {
      const MutexLock lock(mutex_);
      while (todo_.empty() && !stopping_) todoOrStop_.wait(mutex_);
      if (stopping_) return;
      domain = std::move(todo_.front());
      todo_.pop_front();
      run = runs_[domain];
    }
    try {
      ask(domain, *run);
    } catch (const std::exception& error) {  // the boundary of a queue job: who asked gets an answer
      log::error("probe", "a domain cannot be probed", {{"domain", domain}, {"error", error.what()}});
      const MutexLock lock(mutex_);
      run->result.problem = "internal error on our side";
    }
    const MutexLock lock(mutex_);
    run->result.verdict.checkedAt = clock_.now();
    run->result.verdict = judge(run->result);
    run->result.progress.clear();
    run->result.finished = true;
    changed_.notify_all();
  }
}

void DomainProber::ask(const std::string& domain, Run& run) {
  std::shared_ptr<const RouteTable> routes;
  {
    const MutexLock lock(mutex_);
    run.result.progress = "Looking up the mail servers, the MTA-STS policy and the TLSA records.";
    routes = routes_;
  }
  const auto survey = finder_.survey(*routes, domain, true);
  std::vector<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    auto& result = run.result;
    result.route = survey.route;
    result.problem = survey.problem;
    result.mxSecure = survey.mxSecure;
    result.stsId = survey.sts.id;
    result.stsProblem = survey.sts.problem;
    if (const auto& policy = survey.sts.policy) {
      result.stsMode = net::stsModeWord(policy->mode);
      result.stsMaxAge = policy->maxAge.count();
      result.stsMx = policy->mx;
    }
    result.progress = "Asking " + std::to_string(survey.hosts.size()) + " mail server(s).";
  }
  std::size_t done = 0;
  for (const auto& host : survey.hosts)
    threads.emplace_back([&] {
      app::HostProbe result;
      try {
        askHost(host, survey, result);
      } catch (const std::exception& error) {
        log::error("probe", "a mail server cannot be probed", {{"host", host.name}, {"error", error.what()}});
        result.problem = "internal error on our side";
      }
      const MutexLock lock(mutex_);
      run.result.hosts.push_back(std::move(result));
      run.result.progress =
          std::to_string(++done) + " of " + std::to_string(survey.hosts.size()) + " mail servers were asked.";
    });
  for (auto& thread : threads) thread.join();
  const MutexLock lock(mutex_);
  std::sort(run.result.hosts.begin(), run.result.hosts.end(), [](const auto& a, const auto& b) {
    return std::tie(a.preference, a.name) < std::tie(b.preference, b.name);
  });
}

void DomainProber::askHost(const HopHost& host, const HopSurvey& survey, app::HostProbe& result) {
  result.name = host.name;
  result.preference = host.preference;
  result.port = host.target.port;
  result.problem = host.problem;
  result.expected = host.target.names;
  result.dane = daneWord(host);
  result.sts = survey.route.empty() ? stsWord(host, survey) : "none";
  for (const auto& record : host.tlsa) result.tlsa.push_back(tlsaText(record));
  if (!host.problem.empty()) return;
  constexpr std::size_t MaxAddresses = 2;
  for (std::size_t i = 0; i < std::min(host.addresses.size(), MaxAddresses); ++i) {
    auto target = host.target;
    target.address = host.addresses[i];
    target.tls = smtp::ClientTls::Opportunistic;  // to see what is there; nothing is sent
    result.address = target.address;
    result.problem.clear();
    greet(target, result, false);
    if (result.problem.empty() && !target.dane.empty()) greet(target, result, true);
    if (result.problem.empty()) return;
  }
}

// One connection. With DANE the TLSA records are the judge, without it the trusted authorities.
void DomainProber::greet(smtp::ClientTarget target, app::HostProbe& result, bool withDane) {
  if (!withDane) target.dane.clear();
  smtp::ClientInterrupt interrupt;
  {
    const MutexLock lock(mutex_);
    if (stopping_) interrupt.fire();
    interrupts_.insert(&interrupt);
  }
  auto opened = smtp::ClientConnection::open(settings_, target, tls_, &interrupt);
  if (!opened) {
    // A handshake that fails is an answer: the server has STARTTLS and nothing that can be verified.
    if (opened.error().tlsHandshake) {
      result.startTls = true;
      (withDane ? result.dane : result.chain) = opened.error().text;
    } else {
      result.problem = opened.error().text;
    }
    if (withDane) result.means = TlsMeans::None;
  } else {
    auto& connection = **opened;
    const auto& facts = connection.tls();
    result.startTls = !facts.version.empty();
    result.requireTls = connection.offers("REQUIRETLS");
    result.version = facts.version;
    result.cipher = facts.cipher;
    if (const auto certificate = connection.certificate()) {
      result.subject = certificate->subject;
      result.issuer = certificate->issuer;
      result.notBefore = certificate->notBefore;
      result.notAfter = certificate->notAfter;
      result.names = certificate->names;
    }
    if (withDane) {
      result.dane = facts.verified ? "ok" : facts.verification;
      result.means = facts.verified ? TlsMeans::Dane : TlsMeans::None;
    } else if (result.startTls) {
      result.chain = facts.verified ? "ok" : facts.verification;
      if (facts.verified) result.means = target.proof == "mta-sts" ? TlsMeans::Sts : TlsMeans::Pkix;
    }
    connection.quit();
    opened->reset();  // closed before the interrupt goes
  }
  const MutexLock lock(mutex_);
  interrupts_.erase(&interrupt);
}

}  // namespace postern::gateway
