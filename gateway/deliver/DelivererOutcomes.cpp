// The part of Deliverer that records what came of an attempt and counts it.
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "gateway/deliver/Deliverer.h"
#include "gateway/deliver/OutcomeLine.h"

#include <algorithm>

namespace postern::gateway {

using Outcome = app::DeliveryEvent::Outcome;

namespace {

// RFC 8460 §4.3, by the words of OpenSSL and our own.
const char* tlsFailureWord(std::string_view text) {
  const auto has = [&](std::string_view words) { return text.find(words) != std::string_view::npos; };
  if (has("expired")) return "certificate-expired";
  if (has("ostname mismatch")) return "certificate-host-mismatch";
  if (has("TLSA")) return "validation-failure";
  if (has("self-signed") || has("self signed") || has("issuer") || has("untrusted") || has("verify the first"))
    return "certificate-not-trusted";
  return "validation-failure";
}

// Whether the chain is trusted and the certificate is for the host, where the names that prove the domain are others.
bool provesHost(const smtp::ClientConnection& connection) {
  const auto certificate = connection.certificate();
  if (!certificate || connection.tls().verification.find("ostname mismatch") == std::string::npos) return false;
  const std::string_view host = connection.target().host;
  const auto dot = host.find('.');
  return std::any_of(certificate->names.begin(), certificate->names.end(), [&](const std::string& name) {
    return name == host || (dot != std::string_view::npos && name == std::string("*").append(host.substr(dot)));
  });
}

}  // namespace

app::DeliveryEvent Deliverer::eventFor(const Scheduler::Job& job, Outcome outcome, std::string_view text) const {
  app::DeliveryEvent event;
  event.copyKey = job.key;
  event.outcome = outcome;
  event.at = clock_.now();
  event.attempt = job.attempts + 1;
  event.replyText = smtp::printable(text);
  return event;
}

app::DeliveryEvent Deliverer::eventFor(const OutboundCopy& copy, Outcome outcome, std::string_view text) const {
  auto event = eventFor(copy.job(), outcome, text);
  event.trace = copy.trace();
  event.protection = copy.protection();
  return event;
}

// Of a copy that is not at hand.
void Deliverer::nameTrace(app::DeliveryEvent& event) {
  try {
    if (const auto copy = queue_.load(event.copyKey)) {
      event.trace = copy->trace;
      event.protection = copy->protection;
    }
  } catch (const Error&) {
    // The outcome is told without it: the copy cannot be read, which is no news here.
  }
}

// For the reports on TLS (RFC 8460): one session, as the domain's policy has it.
void Deliverer::tell(const NextHops& hops, std::size_t target, const smtp::ClientConnection* connection,
                     const smtp::ClientFailure& failure) const {
  if (!counters_ || target >= hops.sessions.size()) return;
  auto session = hops.sessions[target];
  session.address = hops.targets[target].address;
  if (!connection) {
    const bool noStartTls = !failure.tlsHandshake && failure.text.find("STARTTLS") != std::string::npos;
    if (!failure.tlsHandshake && !noStartTls) return;  // it never came to TLS
    session.failure = noStartTls ? "starttls-not-supported" : tlsFailureWord(failure.text);
    session.reason = smtp::printable(failure.text);
  } else if (connection->tls().version.empty()) {
    session.failure = "starttls-not-supported";
  } else if (session.policyType == "sts" && !connection->tls().verified) {
    // Only tested, so that mail went all the same. The name is looked at before the dates.
    const bool named = provesHost(*connection);
    const auto certificate = connection->certificate();
    if (named && certificate->notAfter >= clock_.now()) return counters_->add(session);
    session.failure = named ? "certificate-expired" : tlsFailureWord(connection->tls().verification);
    session.reason = named ? "certificate has expired" : smtp::printable(connection->tls().verification);
  }
  counters_->add(session);
}

// False: the record failed. The copy is then left as it is, out, so that it is not delivered twice.
bool Deliverer::record(app::DeliveryEvent& event) {
  count(event.outcome);
  tellOutcome(event);
  const auto key = event.copyKey;
  try {
    queue_.record(std::move(event));
    return true;
  } catch (const Error& error) {
    log::error("deliver", "an outcome cannot be recorded; the copy rests until the next start",
               {{"copy", key}, {"error", error.what()}});
    return false;
  }
}

// For the page of destinations; what a copy's own ledger says is told by record().
void Deliverer::noteAnswer(const Scheduler::Job& job, const app::DeliveryEvent& event) {
  constexpr std::size_t Most = 20'000;
  const MutexLock lock(mutex_);
  if (answers_.size() >= Most && !answers_.contains(job.domain)) answers_.erase(answers_.begin());
  answers_[job.domain] = {event.at, app::outcomeName(event.outcome), event.remoteHost, event.replyText};
}

void Deliverer::finish(app::DeliveryEvent event, const Scheduler::Job& job) {
  noteAnswer(job, event);
  if (!record(event)) return;
  const MutexLock lock(mutex_);
  scheduler_.finish(job.key);
}

void Deliverer::defer(app::DeliveryEvent event, const Scheduler::Job& job) {
  TimePoint until;
  {
    const MutexLock lock(mutex_);
    until = scheduler_.retryAt(job.attempts + 1, clock_.now(), job.domain);
  }
  event.nextAttempt = until;
  noteAnswer(job, event);
  if (!record(event)) return;
  const MutexLock lock(mutex_);
  scheduler_.defer(job.key, until, clock_.now());
  wakeTimer();
}

void Deliverer::putBack(const Scheduler::Job& job) {
  const MutexLock lock(mutex_);
  scheduler_.putBack(job.key, clock_.now(), clock_.now());
  wakeWorker();
}

void Deliverer::count(Outcome outcome) {
  switch (outcome) {
    case Outcome::Delivered:
      ++delivered_;
      break;
    case Outcome::Deferred:
      ++deferred_;
      break;
    case Outcome::Failed:
      ++failed_;
      break;
    case Outcome::Expired:
      ++expired_;
      break;
    case Outcome::Blocked:
      ++blocked_;
      break;
    case Outcome::Dropped:
      break;
  }
}

Deliverer::Counts Deliverer::counts() const {
  return {delivered_, deferred_, failed_, blocked_, expired_};
}

std::vector<std::string> Deliverer::problems() const {
  std::vector<std::string> problems;
  if (const auto blocked = blocked_.load(); blocked > 0)
    problems.push_back(std::to_string(blocked) +
                       " copies were blocked because they did not reach their floor; see the ledger and report it");
  const MutexLock lock(mutex_);
  if (locked_) problems.emplace_back("Nothing is delivered until listd has sent the key of the queue");
  if (!healthy_) problems.emplace_back("Delivery is paused because the queue cannot be written");
  return problems;
}

}  // namespace postern::gateway
