#include "gateway/deliver/StsPolicies.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"

#include <algorithm>

namespace postern::gateway {

namespace {

constexpr std::chrono::hours RefreshAfter{24};
constexpr std::chrono::minutes RetryAfter{5};  // RFC 8461 §3.3
constexpr std::uint8_t FileVersion = 1;

// A name that is a file name, too.
bool isPlainDomain(const std::string& domain) {
  if (domain.empty() || domain.size() > 240 || domain.front() == '.') return false;
  return std::all_of(domain.begin(), domain.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

// RFC 8461 §3.2: text/plain, whatever its parameters.
bool isPlainText(std::string type) {
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return type == "text/plain" || type.starts_with("text/plain;") || type.starts_with("text/plain ");
}

}  // namespace

StsPolicies::StsPolicies(Options options, net::Resolver& resolver, net::HttpsClient& https, const Clock& clock)
    : options_(std::move(options)), resolver_(resolver), https_(https), clock_(clock) {
  files::makePrivateFolder(options_.folder);
  dropExpired();
}

std::shared_ptr<StsPolicies::Entry> StsPolicies::entryOf(const std::string& domain) {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(domain);
  if (found != entries_.end()) return found->second;
  // What is on disk comes back when it is asked for; who uses an entry now keeps it.
  if (entries_.size() >= options_.maxDomains) entries_.clear();
  return entries_.emplace(domain, std::make_shared<Entry>()).first->second;
}

StsFinding StsPolicies::find(const std::string& domain) {
  if (!isPlainDomain(domain)) return {};
  const auto entry = entryOf(domain);
  const MutexLock lock(entry->busy);
  if (!entry->loaded) entry->known = load(domain);
  entry->loaded = true;
  if (entry->known && !isAlive(*entry->known)) entry->known.reset();

  StsFinding finding;
  const auto answer = resolver_.txt("_mta-sts." + domain);
  const auto id = answer.outcome == net::DnsOutcome::Found ? net::stsRecordId(answer.records) : std::nullopt;
  if (id) {
    refresh(domain, *id, *entry);
    if (entry->failedId == *id) finding.problem = entry->failure;
  } else if (!answer.problem.empty()) {
    finding.problem = "the DNS does not say whether there is an MTA-STS policy: " + answer.problem;
  }
  if (entry->known) {
    finding.policy = entry->known->policy;
    finding.id = entry->known->id;
  }
  return finding;
}

// Fetches the policy if the one that is known is another or old.
void StsPolicies::refresh(const std::string& domain, const std::string& id, Entry& entry) {
  const auto now = clock_.now();
  if (entry.known && entry.known->id == id && now - entry.known->fetchedAt < RefreshAfter) {
    entry.failedId.clear();
    return;
  }
  if (entry.failedId == id && now - entry.failedAt < RetryAfter) return;
  auto fetched = fetch(domain, id);
  if (!fetched) {
    entry.failedId = id;
    entry.failedAt = now;
    entry.failure = "the MTA-STS policy cannot be fetched: " + fetched.error();
    log::info("sts", "a policy cannot be fetched", {{"domain", domain}, {"why", fetched.error()}});
    return;
  }
  entry.failedId.clear();
  entry.known = std::move(*fetched);
  save(domain, *entry.known);
}

Result<StsPolicies::Known, std::string> StsPolicies::fetch(const std::string& domain, const std::string& id) const {
  const auto host = "mta-sts." + domain;
  auto addresses = resolver_.addresses(host);
  if (addresses.outcome != net::DnsOutcome::Found)
    return Unexpected(host + " has no address" + (addresses.problem.empty() ? "" : ": " + addresses.problem));
  net::HttpsRequest request;
  request.host = host;
  request.port = options_.port;
  request.addresses = std::move(addresses.records);
  request.path = "/.well-known/mta-sts.txt";
  request.maxBytes = net::StsPolicy::MaxBytes;
  request.limit = options_.fetchLimit;
  auto document = https_.get(request);
  if (!document) return Unexpected(document.error());
  if (document->status != 200) return Unexpected("the web server answers " + std::to_string(document->status));
  if (!isPlainText(document->contentType)) return Unexpected(std::string("it is not of the type text/plain"));
  auto policy = net::parseStsPolicy(document->body);
  if (!policy) return Unexpected(policy.error());
  return Known{id, std::move(document->body), std::move(*policy), clock_.now()};
}

bool StsPolicies::isAlive(const Known& known) const {
  const auto now = clock_.now();
  return now >= known.fetchedAt - RefreshAfter && now - known.fetchedAt < known.policy.maxAge;
}

std::optional<StsPolicies::Known> StsPolicies::load(const std::string& domain) const {
  const auto path = options_.folder / domain;
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    const auto bytes = files::read(path);
    Reader reader(bytes);
    if (reader.u8() != FileVersion) return std::nullopt;
    Known known;
    known.id = reader.string();
    known.fetchedAt = fromMicros(reader.i64());
    known.text = reader.string();
    reader.expectEnd();
    auto policy = net::parseStsPolicy(known.text);
    if (!policy) return std::nullopt;
    known.policy = std::move(*policy);
    return known;
  } catch (const Error& error) {
    log::warning("sts", "a cached policy cannot be read", {{"domain", domain}, {"error", error.what()}});
    return std::nullopt;
  }
}

void StsPolicies::save(const std::string& domain, const Known& known) const {
  Writer writer;
  writer.u8(FileVersion).string(known.id).i64(toMicros(known.fetchedAt)).string(known.text);
  try {
    files::replaceDurably(options_.folder / domain, std::move(writer).bytes());
  } catch (const Error& error) {
    log::warning("sts", "a policy cannot be kept", {{"domain", domain}, {"error", error.what()}});
  }
}

void StsPolicies::dropExpired() const {
  std::vector<std::filesystem::path> expired;
  for (const auto& file : std::filesystem::directory_iterator(options_.folder)) {
    const auto known = load(file.path().filename().string());
    if (!known || !isAlive(*known)) expired.push_back(file.path());
  }
  std::error_code ignored;  // a file that stays is looked at again at the next start
  for (const auto& path : expired) std::filesystem::remove(path, ignored);
}

}  // namespace postern::gateway
