#include "gateway/report/TlsReporter.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Address.h"
#include "core/mail/Date.h"
#include "core/mail/MessageId.h"

#include <fcntl.h>
#include <unistd.h>

#include <sstream>

namespace postern::gateway {
namespace {

constexpr int MaxTries = 3;
constexpr std::chrono::milliseconds UntilKeys{200};
constexpr std::chrono::hours BetweenTries{1};
constexpr std::chrono::days GivenUpAfter{2};

TimePoint startOf(std::int64_t day) {
  return TimePoint(std::chrono::days(day));
}

std::string seconds(TimePoint at) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

}  // namespace

TlsReporter::TlsReporter(Options options, TlsCounters& counters, net::Resolver& resolver, ReportSender& sender,
                         const Clock& clock, const ReportKeys* keys)
    : options_(std::move(options)),
      counters_(counters),
      resolver_(resolver),
      sender_(sender),
      clock_(clock),
      keys_(keys) {
  files::makePrivateFolder(options_.folder);
}

TlsReporter::~TlsReporter() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    stop_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  counters_.flush();
}

void TlsReporter::start() {
  thread_ = std::thread([this] { work(); });
}

void TlsReporter::work() {
  for (;;) {
    try {
      runOnce();
    } catch (const std::exception& error) {  // the boundary of this thread: reports are no reason to stop
      log::warning("tls-reports", "reports cannot be sent now", {{"why", error.what()}});
    }
    const MutexLock lock(mutex_);
    if (stopping_) return;
    stop_.wait_for(mutex_, keys_ && !keys_->given() ? UntilKeys : options_.pause);
    if (stopping_) return;
  }
}

void TlsReporter::runOnce() {
  counters_.flush();
  if (keys_ && !keys_->given()) return;
  for (const auto day : counters_.days()) {
    if (!isDue(day) || !reportDay(day)) continue;
    counters_.forget(day);
    std::error_code ignored;
    std::filesystem::remove(journalOf(day), ignored);
  }
}

// Reports of all sites at midnight would be a flood; the same site keeps its moment for a day, also after a restart.
bool TlsReporter::isDue(std::int64_t day) const {
  const auto digest = crypto::sha256(options_.hostName + " " + std::to_string(day));
  std::uint32_t random = 0;
  for (std::size_t i = 0; i < 4; ++i) random = random << 8 | static_cast<unsigned char>(digest[i]);
  const auto spread = std::max<std::int64_t>(1, options_.spread.count());
  return clock_.now() >= startOf(day + 1) + std::chrono::minutes(random % static_cast<std::uint64_t>(spread));
}

std::filesystem::path TlsReporter::journalOf(std::int64_t day) const {
  return options_.folder / (std::to_string(day) + ".sent");
}

// "try DOMAIN SECONDS", then "done DOMAIN SECONDS" or "failed DOMAIN SECONDS". A try without an end may have arrived.
TlsReporter::Progresses TlsReporter::load(std::int64_t day) const {
  Progresses known;
  if (!std::filesystem::exists(journalOf(day))) return known;
  std::istringstream lines(files::read(journalOf(day)));
  std::string word, domain;
  for (std::int64_t at = 0; lines >> word >> domain >> at;) {
    auto& progress = known[domain];
    progress.triedAt = TimePoint(std::chrono::seconds(at));
    if (word == "try") ++progress.tries;
    progress.state = word == "failed" ? State::Failed : State::Done;
  }
  return known;
}

void TlsReporter::note(std::int64_t day, const std::string& word, const std::string& domain) const {
  const auto path = journalOf(day);
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!file) throw Error(ErrorKind::Io, "cannot open " + path.string());
  files::writeAll(file.get(), word + " " + domain + " " + seconds(clock_.now()) + "\n", path.string());
  if (::fdatasync(file.get()) != 0) throw Error(ErrorKind::Io, "cannot sync " + path.string());
  files::syncFolder(options_.folder);
}

// True: there is nothing more to do for this day.
bool TlsReporter::reportDay(std::int64_t day) {
  if (clock_.now() >= startOf(day + 1) + GivenUpAfter) return true;
  auto known = load(day);
  bool finished = true;
  for (const auto& [domain, policies] : counters_.of(day)) {
    {
      const MutexLock lock(mutex_);
      if (stopping_) return false;
    }
    auto& progress = known[domain];
    if (progress.state == State::Done || progress.tries >= MaxTries) continue;
    if (progress.tries > 0 && clock_.now() - progress.triedAt < BetweenTries) {
      finished = false;
      continue;
    }
    finished = report(day, domain, policies, progress) && finished;
  }
  return finished;
}

// True: the domain needs no other try.
bool TlsReporter::report(std::int64_t day, const std::string& domain, const std::vector<tlsrpt::OwnPolicy>& policies,
                         Progress& progress) {
  const auto answer = resolver_.txt("_smtp._tls." + domain);
  if (answer.outcome == net::DnsOutcome::Failed || answer.outcome == net::DnsOutcome::Bogus) return false;
  const auto places = tlsrpt::reportPlaces(answer.records);
  if (places.empty()) {
    note(day, "done", domain);
    return true;
  }
  note(day, "try", domain);
  const bool sent = send(day, domain, places, policies);
  note(day, sent ? "done" : "failed", domain);
  return sent || ++progress.tries >= MaxTries;
}

bool TlsReporter::send(std::int64_t day, const std::string& domain, const std::vector<std::string>& places,
                       const std::vector<tlsrpt::OwnPolicy>& policies) {
  tlsrpt::OwnReport report;
  report.organization = options_.hostName;
  report.contact = options_.contact;
  report.id = std::to_string(day) + "." + crypto::hex(crypto::sha256(options_.hostName + " " + domain)).substr(0, 24);
  report.begin = startOf(day);
  report.end = startOf(day + 1) - std::chrono::seconds(1);
  report.policies = policies;
  const auto compressed = tlsrpt::gzip(tlsrpt::writeReport(report));
  bool sent = false;
  for (const auto& place : places) {
    std::optional<std::string> why;
    if (place.starts_with("https://")) {
      why = sender_.post(place, compressed);
    } else {
      const auto to = mail::Address::parse(place.substr(7, place.find('?') - 7));
      if (!to || !to->isAscii()) continue;
      const auto name = mail::DomainName::parse(options_.hostName);
      const auto id = name ? mail::makeMessageId(*name) : "<" + report.id + "@localhost>";
      const auto message =
          tlsrpt::writeReportMail({options_.contact, to->text(), domain, options_.hostName, report.id, id,
                                   mail::formatDate(clock_.now()), seconds(report.begin), seconds(report.end)},
                                  compressed);
      const auto fields = keys_ ? keys_->fieldsFor(options_.contact, message, clock_.now()) : std::string();
      why = sender_.mail(options_.contact, to->text(), fields + message);
    }
    if (why) log::info("tls-reports", "a report was not taken", {{"domain", domain}, {"to", place}, {"why", *why}});
    sent = sent || !why;
  }
  return sent;
}

}  // namespace postern::gateway
