#include "core/net/Resolver.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/net/AskUntil.h"
#include "core/net/DnsWire.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unbound.h>
#include <unistd.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace postern::net {

namespace {

enum Type : int { TypeA = 1, TypePtr = 12, TypeMx = 15, TypeTxt = 16, TypeAaaa = 28, TypeTlsa = 52 };
constexpr int ClassIn = 1;
constexpr int RcodeOk = 0;
constexpr int RcodeNoName = 3;

struct ContextFree {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};
using Context = std::unique_ptr<ub_ctx, ContextFree>;

struct ResultFree {
  void operator()(ub_result* result) const { ub_resolve_free(result); }
};
using UnboundResult = std::unique_ptr<ub_result, ResultFree>;

// The answer before its records are read.
struct RawAnswer {
  DnsOutcome outcome = DnsOutcome::Failed;
  bool secure = false;
  std::chrono::seconds ttl{0};
  std::vector<std::string> data;
  std::string problem;
  std::string canonical;
};

void check(int code, const std::string& doing) {
  if (code != 0) throw Error(ErrorKind::Config, "DNS resolver: cannot " + doing + ": " + ub_strerror(code));
}

// "127.0.0.1:5353" becomes libunbound's "127.0.0.1@5353".
std::string serverForUnbound(const std::string& server) {
  auto host = server;
  std::string port = "53";
  const auto colon = server.rfind(':');
  const bool bracketed = !server.empty() && server.front() == '[';
  if (colon != std::string::npos && (bracketed ? server[colon - 1] == ']' : server.find(':') == colon)) {
    host = server.substr(0, colon);
    port = server.substr(colon + 1);
  }
  if (bracketed) host = host.substr(1, host.find(']') - 1);
  return host + "@" + port;
}

// As host names are written here; empty for what is no host name.
std::string canonicalName(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (!plain) return {};
  }
  return name;
}

RawAnswer readResult(int error, const ub_result* result) {
  RawAnswer answer;
  if (error != 0 || result == nullptr) {
    answer.problem = std::string("the resolver failed: ") + ub_strerror(error);
    return answer;
  }
  answer.secure = result->secure != 0;
  if (result->canonname) answer.canonical = canonicalName(result->canonname);
  answer.ttl = std::chrono::seconds(result->ttl);
  if (result->bogus) {
    answer.outcome = DnsOutcome::Bogus;
    answer.secure = false;
    answer.problem = std::string("DNSSEC: ") + (result->why_bogus ? result->why_bogus : "the answer does not validate");
  } else if (result->rcode == RcodeNoName) {
    answer.outcome = DnsOutcome::NoName;
  } else if (result->rcode != RcodeOk) {
    answer.problem =
        "the DNS answered with error code " + std::to_string(result->rcode) + (result->rcode == 2 ? " (SERVFAIL)" : "");
  } else if (!result->havedata) {
    answer.outcome = DnsOutcome::NoData;
  } else {
    answer.outcome = DnsOutcome::Found;
    for (int i = 0; result->data[i] != nullptr; ++i)
      answer.data.emplace_back(result->data[i], static_cast<std::size_t>(result->len[i]));
  }
  return answer;
}

// One question under way; freed by its callback, or with the resolver.
struct Pending {
  void* registry = nullptr;
  std::optional<RawAnswer> answer;
  bool abandoned = false;  // the asker's deadline passed
};

template <class Record, class Read>
DnsAnswer<Record> readRecords(RawAnswer raw, Read read) {
  DnsAnswer<Record> answer{raw.outcome, raw.secure, raw.ttl, {}, std::move(raw.problem), std::move(raw.canonical)};
  for (const auto& data : raw.data)
    if (auto record = read(std::string_view(data))) answer.records.push_back(std::move(*record));
  if (answer.outcome == DnsOutcome::Found && answer.records.empty()) {
    answer.outcome = DnsOutcome::Failed;
    answer.problem = "the DNS answer does not parse";
  }
  return answer;
}

thread_local std::chrono::steady_clock::time_point askUntil = std::chrono::steady_clock::time_point::max();

}  // namespace

AskUntil::AskUntil(std::chrono::steady_clock::time_point until) : before_(askUntil) {
  askUntil = std::min(askUntil, until);
}

AskUntil::~AskUntil() {
  askUntil = before_;
}

struct UnboundResolver::Impl {
  explicit Impl(const ResolverConfig& config);
  ~Impl();
  RawAnswer ask(std::string_view name, int type);

private:
  static void answered(void* data, int error, ub_result* result);
  void configureServer(const std::string& server);
  void serve();

  const std::chrono::milliseconds deadline_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::map<Pending*, std::unique_ptr<Pending>> pending_;  // questions that libunbound still holds a pointer to
  Context context_;
  FileDescriptor wake_;
  std::jthread thread_;
};

UnboundResolver::Impl::Impl(const ResolverConfig& config)
    : deadline_(config.deadline), context_(ub_ctx_create()), wake_(::eventfd(0, EFD_CLOEXEC)) {
  if (!context_ || !wake_) throw Error(ErrorKind::Config, "DNS resolver: cannot start libunbound; is memory short?");
  configureServer(config.server);
  if (!config.trustAnchor.empty() && std::filesystem::exists(config.trustAnchor))
    check(ub_ctx_add_ta_file(context_.get(), config.trustAnchor.c_str()),
          "read the trust anchor " + config.trustAnchor.string());
  check(ub_ctx_async(context_.get(), 1), "work with threads");
  // These two freeze the settings of the context, so they come last.
  ub_ctx_hosts(context_.get(), "/etc/hosts");  // a missing file is no error
  if (!config.server.empty()) check(ub_ctx_zone_add(context_.get(), "test.", "transparent"), "ask for the zone test.");
  thread_ = std::jthread([this] { serve(); });
}

UnboundResolver::Impl::~Impl() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  context_.reset();  // before pending_: libunbound's thread is gone then
}

void UnboundResolver::Impl::configureServer(const std::string& server) {
  auto* context = context_.get();
  if (server.empty()) {
    check(ub_ctx_resolvconf(context, "/etc/resolv.conf"), "read /etc/resolv.conf");
    return;
  }
  check(ub_ctx_set_fwd(context, serverForUnbound(server).c_str()),
        "use the server \"" + server + "\" of [dns] resolver");
  check(ub_ctx_set_option(context, "do-not-query-localhost:", "no"), "ask a server on this machine");
  check(ub_ctx_set_option(context, "unblock-lan-zones:", "yes"), "ask for private zones");
}

void UnboundResolver::Impl::serve() {
  pollfd polled[2] = {{ub_fd(context_.get()), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
  while (::poll(polled, 2, -1) >= 0 || errno == EINTR) {
    if (polled[1].revents != 0) return;
    if (polled[0].revents != 0) ub_process(context_.get());
  }
}

void UnboundResolver::Impl::answered(void* data, int error, ub_result* result) {
  const UnboundResult owned(result);
  auto* pending = static_cast<Pending*>(data);
  auto* self = static_cast<Impl*>(pending->registry);
  const std::lock_guard lock(self->mutex_);
  if (pending->abandoned) {
    self->pending_.erase(pending);
    return;
  }
  pending->answer = readResult(error, result);
  self->done_.notify_all();
}

RawAnswer UnboundResolver::Impl::ask(std::string_view name, int type) {
  RawAnswer failed;
  if (name.empty() || name.size() > 253 || name.find('\0') != std::string_view::npos) {
    failed.outcome = DnsOutcome::NoName;
    return failed;
  }
  Pending* pending = nullptr;
  {
    const std::lock_guard lock(mutex_);
    auto owned = std::make_unique<Pending>();
    owned->registry = this;
    pending = owned.get();
    pending_.emplace(pending, std::move(owned));
  }
  const int code =
      ub_resolve_async(context_.get(), std::string(name).c_str(), type, ClassIn, pending, &Impl::answered, nullptr);
  std::unique_lock lock(mutex_);
  if (code != 0) {
    pending_.erase(pending);
    failed.problem = std::string("the resolver refused the name: ") + ub_strerror(code);
    return failed;
  }
  const auto until = std::min(std::chrono::steady_clock::now() + deadline_, askUntil);
  if (!done_.wait_until(lock, until, [&] { return pending->answer.has_value(); })) {
    pending->abandoned = true;  // its callback frees it
    failed.problem = "the DNS did not answer in time";
    return failed;
  }
  auto answer = std::move(*pending->answer);
  pending_.erase(pending);
  return answer;
}

bool isUsable(const TlsaRecord& record) {
  if (record.usage != 2 && record.usage != 3) return false;
  if (record.selector > 1) return false;
  switch (record.matching) {
    case 0:
      return !record.data.empty();
    case 1:
      return record.data.size() == 32;
    case 2:
      return record.data.size() == 64;
    default:
      return false;
  }
}

DnsAnswer<std::string> Resolver::pointers(std::string_view) {
  return {};
}

UnboundResolver::UnboundResolver(const ResolverConfig& config) : impl_(std::make_unique<Impl>(config)) {}
UnboundResolver::~UnboundResolver() = default;

DnsAnswer<MxRecord> UnboundResolver::mx(std::string_view domain) {
  return readRecords<MxRecord>(impl_->ask(domain, TypeMx), readMx);
}

DnsAnswer<std::string> UnboundResolver::addresses(std::string_view host) {
  auto six = readRecords<std::string>(impl_->ask(host, TypeAaaa), readAddress);
  auto four = readRecords<std::string>(impl_->ask(host, TypeA), readAddress);
  if (four.outcome == DnsOutcome::Bogus || six.outcome == DnsOutcome::Bogus)
    return four.outcome == DnsOutcome::Bogus ? four : six;
  if (six.outcome == DnsOutcome::Found && four.outcome == DnsOutcome::Found) {
    six.records.insert(six.records.end(), four.records.begin(), four.records.end());
    six.secure = six.secure && four.secure;
    six.ttl = std::min(six.ttl, four.ttl);
    return six;
  }
  if (six.outcome == DnsOutcome::Found) return six;
  // An IPv6 question that failed leaves open whether the host exists.
  if (four.outcome != DnsOutcome::Found && six.outcome == DnsOutcome::Failed) return six;
  return four;
}

DnsAnswer<std::string> UnboundResolver::txt(std::string_view name) {
  return readRecords<std::string>(impl_->ask(name, TypeTxt), readTxt);
}

DnsAnswer<TlsaRecord> UnboundResolver::tlsa(std::string_view name) {
  return readRecords<TlsaRecord>(impl_->ask(name, TypeTlsa), readTlsa);
}

DnsAnswer<std::string> UnboundResolver::pointers(std::string_view reverseName) {
  return readRecords<std::string>(impl_->ask(reverseName, TypePtr), readPointer);
}

}  // namespace postern::net
