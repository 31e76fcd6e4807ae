#include "gateway/deliver/DirectoryClient.h"

#include "core/base/Files.h"
#include "core/base/Mutex.h"

#include <fcntl.h>
#include <lber.h>
#include <ldap.h>
#include <netdb.h>
#include <openldap.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <stop_token>
#include <thread>

namespace postern::gateway {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t MaxUrl = 300;
constexpr std::uint16_t LdapPort = 389, LdapsPort = 636;

// What the directory or the way to it does: told in the answer, caught in ask().
struct Trouble {
  std::string text;
};

struct Unbind {
  void operator()(LDAP* handle) const { ::ldap_unbind_ext_s(handle, nullptr, nullptr); }
};
using Handle = std::unique_ptr<LDAP, Unbind>;

struct FreeMessage {
  void operator()(LDAPMessage* message) const { ::ldap_msgfree(message); }
};
using Message = std::unique_ptr<LDAPMessage, FreeMessage>;

struct FreeValues {
  void operator()(berval** values) const { ::ldap_value_free_len(values); }
};

timeval timevalOf(milliseconds time) {
  time = std::max(time, milliseconds(1));
  return {time.count() / 1000, (time.count() % 1000) * 1000};
}

// The words of a server are shown in texts, on pages and in terminals.
std::string plain(std::string_view words) {
  std::string text(words.substr(0, 200));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
}

std::string detailOf(LDAP* handle, int code) {
  char* detail = nullptr;
  ::ldap_get_option(handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, static_cast<void*>(&detail));
  std::string text = ::ldap_err2string(code);
  if (detail != nullptr && *detail != '\0') text.append(" (").append(plain(detail)).append(")");
  ::ldap_memfree(detail);
  return text;
}

void check(LDAP* handle, int code, const char* what) {
  if (code != LDAP_SUCCESS) throw Trouble{std::string(what) + ": " + detailOf(handle, code)};
}

void set(LDAP* handle, int option, const void* value) {
  check(handle, ::ldap_set_option(handle, option, value), "the directory cannot be asked");
}

// libldap reads authorities from a file only; this one has no name and ends with its descriptor.
class AuthoritiesFile {
public:
  explicit AuthoritiesFile(std::string_view pem) : file_(::memfd_create("authorities", MFD_CLOEXEC)) {
    if (!file_) throw Trouble{"no memory for the authorities"};
    files::writeAll(file_.get(), pem, "the authorities");
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

private:
  FileDescriptor file_;
};

// Ends the connection when its time is over. The limits of libldap are of each step, and none holds within a record of
// TLS: a server that sends one octet now and then would keep us for good.
class TimeLimit {
public:
  TimeLimit(int socket, steady_clock::time_point end)
      : socket_(::fcntl(socket, F_DUPFD_CLOEXEC, 0)),
        thread_([this, end](const std::stop_token& stop) { watch(stop, end); }) {
    if (!socket_) throw Trouble{"there are too many files open"};
  }

private:
  void watch(const std::stop_token& stop, steady_clock::time_point end) const {
    Mutex mutex;
    Condition never;
    {
      std::unique_lock<Mutex> lock(mutex);
      never.wait_until(lock, stop, end, [] { return false; });
    }
    if (!stop.stop_requested()) ::shutdown(socket_.get(), SHUT_RDWR);
  }

  const FileDescriptor socket_;
  const std::jthread thread_;  // last: it uses the socket
};

bool waitUntilConnected(int socket, steady_clock::time_point end) {
  const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
  pollfd wanted{socket, POLLOUT, 0};
  if (left <= milliseconds(0) || ::poll(&wanted, 1, static_cast<int>(left.count())) != 1) return false;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

FileDescriptor connectTo(const std::string& address, std::uint16_t port, steady_clock::time_point end) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  FileDescriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return {};
  if (::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0 &&
      (errno != EINPROGRESS || !waitUntilConnected(socket.get(), end)))
    return {};
  return socket;
}

std::vector<std::string> addressesOf(net::Resolver& resolver, const std::string& host) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_flags = AI_NUMERICHOST;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) == 0) {
    ::freeaddrinfo(found);
    return {host};
  }
  auto answer = resolver.addresses(host);
  if (answer.outcome != net::DnsOutcome::Found)
    throw Trouble{host + " has no address" + (answer.problem.empty() ? "" : ": " + answer.problem)};
  return std::move(answer.records);
}

// One connection with TLS, as somebody or nobody. All of it together ends at the deadline.
class Session {
public:
  Session(const DirectoryPlace& place, FileDescriptor socket, const std::string& authorities,
          steady_clock::time_point end)
      : end_(end) {
    LDAP* made = nullptr;
    if (::ldap_init_fd(socket.get(), LDAP_PROTO_TCP, place.url().c_str(), &made) != LDAP_SUCCESS)
      throw Trouble{"the directory cannot be asked"};
    socket.release();  // the handle closes it
    handle_.reset(made);
    const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, ours = 0;
    set(made, LDAP_OPT_PROTOCOL_VERSION, &version);
    set(made, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    set(made, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    set(made, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least);
    set(made, LDAP_OPT_X_TLS_CACERTDIR, nullptr);
    set(made, LDAP_OPT_X_TLS_CACERTFILE, authorities.c_str());
    set(made, LDAP_OPT_X_TLS_NEWCTX, &ours);
    Sockbuf* buffer = nullptr;
    ber_len_t most = DirectoryClient::MaxBytes;
    if (::ldap_get_option(made, LDAP_OPT_SOCKBUF, static_cast<void*>(&buffer)) != LDAP_SUCCESS ||
        ::ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING, &most) != 1)
      throw Trouble{"the directory's answers cannot be bounded"};
    boundNextStep();
    check(made, place.implicitTls ? ::ldap_install_tls(made) : ::ldap_start_tls_s(made, nullptr, nullptr),
          "there is no TLS that could be trusted");
    if (::ldap_tls_inplace(made) == 0) throw Trouble{"there is no TLS"};
  }

  void bind(const std::string& name, const Secret& secret) {
    boundNextStep();
    Secret password = secret;
    berval credentials{password.size(), reinterpret_cast<char*>(password.data())};
    const int code =
        ::ldap_sasl_bind_s(handle_.get(), name.c_str(), LDAP_SASL_SIMPLE, &credentials, nullptr, nullptr, nullptr);
    check(handle_.get(), code, "the directory does not let us in");
  }

  // Entry by entry: what a directory promises of its size is its own word.
  app::LdapAnswer search(const app::LdapQuestion& question) {
    std::vector<std::string> names = question.attributes;
    std::vector<char*> attributes;
    for (auto& name : names) attributes.push_back(name.data());
    attributes.push_back(nullptr);
    auto time = timevalOf(left());
    int number = 0;
    check(handle_.get(),
          ::ldap_search_ext(handle_.get(), question.base.c_str(), LDAP_SCOPE_SUBTREE, question.filter.c_str(),
                            attributes.data(), 0, nullptr, nullptr, &time, DirectoryClient::MaxEntries, &number),
          "the directory cannot be asked");
    app::LdapAnswer answer;
    std::size_t bytes = 0;
    for (int messages = 0; messages < DirectoryClient::MaxMessages && left() > milliseconds(0); ++messages) {
      auto wait = timevalOf(left());
      LDAPMessage* next = nullptr;
      const int kind = ::ldap_result(handle_.get(), number, LDAP_MSG_ONE, &wait, &next);
      const Message owned(next);
      if (kind <= 0) throw Trouble{"the directory did not answer in time"};
      if (kind == LDAP_RES_SEARCH_RESULT) return endOf(next, std::move(answer));
      if (kind != LDAP_RES_SEARCH_ENTRY) continue;  // a referral, which is not followed
      if (++answer.entries > DirectoryClient::MaxEntries) throw Trouble{TooMany};
      for (const auto& name : question.attributes) takeValues(next, name, answer, bytes);
    }
    throw Trouble{"its answer does not end"};
  }

  // All people who fit, page by page (RFC 2696): directories give no more than some hundred entries at once. An answer
  // that is not whole is none: who is missing in it would be taken off a list.
  app::LdapAnswer roster(const app::LdapQuestion& question) {
    app::LdapAnswer answer;
    std::size_t bytes = 0;
    std::string cookie;
    do {
      const int number = askForPage(question, cookie);
      cookie = readPage(question, number, answer, bytes);
    } while (!cookie.empty());
    return answer;
  }

private:
  static constexpr std::size_t MaxText = 2000;
  static constexpr const char* TooMany = "more entries than one person can have fit the filter";

  milliseconds left() const { return std::chrono::ceil<milliseconds>(end_ - steady_clock::now()); }

  void boundNextStep() {
    if (left() <= milliseconds(0)) throw Trouble{"it takes too long"};
    const auto time = timevalOf(left());
    set(handle_.get(), LDAP_OPT_NETWORK_TIMEOUT, &time);
    set(handle_.get(), LDAP_OPT_TIMEOUT, &time);
  }

  app::LdapAnswer endOf(LDAPMessage* message, app::LdapAnswer answer) {
    int code = LDAP_OTHER;
    check(handle_.get(), ::ldap_parse_result(handle_.get(), message, &code, nullptr, nullptr, nullptr, nullptr, 0),
          "the directory's answer cannot be read");
    if (code == LDAP_SIZELIMIT_EXCEEDED) throw Trouble{TooMany};
    if (code == LDAP_NO_SUCH_OBJECT && answer.entries == 0) throw Trouble{"there is nothing at the base of the search"};
    check(handle_.get(), code, "the directory did not answer");
    return answer;
  }

  int askForPage(const app::LdapQuestion& question, std::string& cookie) {
    constexpr ber_int_t PageSize = 500;
    std::vector<std::string> names = question.attributes;
    std::vector<char*> attributes;
    for (auto& name : names) attributes.push_back(name.data());
    attributes.push_back(nullptr);
    berval place{cookie.size(), cookie.data()};
    LDAPControl* made = nullptr;
    check(handle_.get(),
          ::ldap_create_page_control(handle_.get(), PageSize, cookie.empty() ? nullptr : &place, 0, &made),
          "the directory cannot be asked");
    const std::unique_ptr<LDAPControl, decltype(&::ldap_control_free)> control(made, ::ldap_control_free);
    std::array<LDAPControl*, 2> controls = {made, nullptr};
    auto time = timevalOf(left());
    int number = 0;
    check(handle_.get(),
          ::ldap_search_ext(handle_.get(), question.base.c_str(), LDAP_SCOPE_SUBTREE, question.filter.c_str(),
                            attributes.data(), 0, controls.data(), nullptr, &time, 0, &number),
          "the directory cannot be asked");
    return number;
  }

  // The cookie of the next page; empty: that was the last one.
  std::string readPage(const app::LdapQuestion& question, int number, app::LdapAnswer& answer, std::size_t& bytes) {
    while (left() > milliseconds(0)) {
      auto wait = timevalOf(left());
      LDAPMessage* next = nullptr;
      const int kind = ::ldap_result(handle_.get(), number, LDAP_MSG_ONE, &wait, &next);
      const Message owned(next);
      if (kind <= 0) throw Trouble{"the directory did not answer in time"};
      if (kind == LDAP_RES_SEARCH_RESULT) return cookieOf(next, answer);
      if (kind != LDAP_RES_SEARCH_ENTRY) continue;  // a referral, which is not followed
      if (++answer.entries > DirectoryClient::MaxRoster)
        throw Trouble{"more people fit the filter than a list can have"};
      for (const auto& name : question.attributes) takeFirst(next, name, answer, bytes);
    }
    throw Trouble{"it takes too long"};
  }

  std::string cookieOf(LDAPMessage* message, const app::LdapAnswer& answer) {
    int code = LDAP_OTHER;
    LDAPControl** given = nullptr;
    check(handle_.get(), ::ldap_parse_result(handle_.get(), message, &code, nullptr, nullptr, nullptr, &given, 0),
          "the directory's answer cannot be read");
    const std::unique_ptr<LDAPControl*, decltype(&::ldap_controls_free)> controls(given, ::ldap_controls_free);
    if (code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED)
      throw Trouble{"it does not give all who fit the filter, because of a limit of its own"};
    if (code == LDAP_NO_SUCH_OBJECT && answer.entries == 0) throw Trouble{"there is nothing at the base of the search"};
    check(handle_.get(), code, "the directory did not answer");
    auto* page = ::ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, given, nullptr);
    if (page == nullptr) return {};
    ber_int_t count = 0;
    berval cookie{};
    check(handle_.get(), ::ldap_parse_pageresponse_control(handle_.get(), page, &count, &cookie),
          "the directory's answer cannot be read");
    const std::unique_ptr<char, decltype(&::ber_memfree)> bytes(cookie.bv_val, ::ber_memfree);
    return cookie.bv_len == 0 ? std::string() : std::string(cookie.bv_val, cookie.bv_len);
  }

  // The first value, or nothing: one text for each attribute of each entry, so that they stay together.
  void takeFirst(LDAPMessage* entry, const std::string& name, app::LdapAnswer& answer, std::size_t& bytes) {
    const std::unique_ptr<berval*, FreeValues> values(::ldap_get_values_len(handle_.get(), entry, name.c_str()));
    const auto* first = values == nullptr ? nullptr : *values;
    answer.values.emplace_back();
    if (first == nullptr) return;
    bytes += first->bv_len;
    if (first->bv_len > MaxText || bytes > DirectoryClient::MaxRosterBytes)
      throw Trouble{"it answers with more than addresses and names need"};
    answer.values.back().assign(first->bv_val, first->bv_len);
  }

  void takeValues(LDAPMessage* entry, const std::string& name, app::LdapAnswer& answer, std::size_t& bytes) {
    constexpr std::size_t MaxValues = 50;
    const std::unique_ptr<berval*, FreeValues> values(::ldap_get_values_len(handle_.get(), entry, name.c_str()));
    for (auto** value = values.get(); value != nullptr && *value != nullptr; ++value) {
      bytes += (*value)->bv_len;
      if (answer.values.size() >= MaxValues || bytes > DirectoryClient::MaxBytes)
        throw Trouble{"it answers with more keys than one person can have"};
      answer.values.emplace_back((*value)->bv_val, (*value)->bv_len);
    }
  }

  const steady_clock::time_point end_;
  Handle handle_;
};

}  // namespace

std::string DirectoryPlace::url() const {
  const auto name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return (implicitTls ? "ldaps://" : "ldap://") + name + ":" + std::to_string(port);
}

std::optional<DirectoryPlace> parseDirectoryUrl(std::string_view url) {
  if (url.size() > MaxUrl) return std::nullopt;
  DirectoryPlace place;
  place.implicitTls = url.starts_with("ldaps://");
  if (!place.implicitTls && !url.starts_with("ldap://")) return std::nullopt;
  url.remove_prefix(place.implicitTls ? 8 : 7);
  if (url.ends_with('/')) url.remove_suffix(1);
  const bool six = url.starts_with('[');
  const auto end = six ? url.find(']') : std::min(url.find(':'), url.size());
  if (end == std::string_view::npos) return std::nullopt;
  for (const char c : six ? url.substr(1, end - 1) : url.substr(0, end))
    place.host += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const std::string_view letters = six ? "0123456789abcdef:" : "0123456789abcdefghijklmnopqrstuvwxyz-._";
  if (place.host.empty() || place.host.find_first_not_of(letters) != std::string::npos) return std::nullopt;
  url.remove_prefix(six ? end + 1 : end);
  place.port = place.implicitTls ? LdapsPort : LdapPort;
  if (url.empty()) return place;
  if (url.front() != ':') return std::nullopt;
  const auto [rest, fault] = std::from_chars(url.data() + 1, url.data() + url.size(), place.port);
  if (fault != std::errc() || rest != url.data() + url.size() || place.port == 0) return std::nullopt;
  return place;
}

app::LdapAnswer DirectoryClient::ask(const app::LdapQuestion& question) const {
  const auto end = steady_clock::now() + (question.roster ? RosterTimes : 1) * limit_;
  const auto place = parseDirectoryUrl(question.url);
  if (!place) return {{}, 0, "this is no address of a directory: " + question.url};
  try {  // the boundary to the network: what it does is told
    std::optional<AuthoritiesFile> own;
    if (!question.authorities.empty()) own.emplace(question.authorities);
    const auto anchors =
        std::filesystem::is_directory(trustAnchors_) ? trustAnchors_ / "ca-certificates.crt" : trustAnchors_;
    FileDescriptor socket;
    for (const auto& address : addressesOf(resolver_, place->host))
      if (socket = connectTo(address, place->port, end); socket) break;
    if (!socket) return {{}, 0, place->host + " does not answer on port " + std::to_string(place->port)};
    const TimeLimit limit(socket.get(), end);  // outlives the session, which says good-bye
    Session session(*place, std::move(socket), own ? own->path() : anchors.string(), end);
    if (!question.bindName.empty()) session.bind(question.bindName, question.bindSecret);
    return question.roster ? session.roster(question) : session.search(question);
  } catch (const Trouble& trouble) {
    if (steady_clock::now() >= end) return {{}, 0, place->host + ": it takes too long"};
    return {{}, 0, place->host + ": " + trouble.text};
  }
}

}  // namespace postern::gateway
