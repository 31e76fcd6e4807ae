#include "listd/keys/KeyLookup.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/WebKeyDirectory.h"
#include "listd/plan/Standing.h"

#include <algorithm>
#include <map>

namespace postern::listd {
namespace {

using Outcome = app::FetchedDocument::Outcome;

constexpr std::chrono::hours AskAgain{24};
constexpr std::chrono::minutes LookEvery{60};
constexpr std::uint32_t PageSize = 100;
constexpr std::chrono::milliseconds Pause{100};  // after each address: others' servers are not to be bothered
constexpr int MaxFailures = 3;                   // of a domain in one round
constexpr std::uint32_t MaxWebKey = 256 * 1024;

const char Digits[] = "0123456789abcdef";

std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '@' ||
                       c == '.' || c == '-' || c == '_' || c == '+';
    if (plain)
      text += c;
    else
      text.append(1, '\\').append(1, Digits[byte >> 4U]).append(1, Digits[byte & 15U]);
  }
  return text;
}

std::string percentEncoded(std::string_view value) {
  std::string text;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                       c == '-' || c == '_' || c == '~';
    if (plain)
      text += c;
    else
      text.append(1, '%').append(1, Digits[byte >> 4U]).append(1, Digits[byte & 15U]);
  }
  return text;
}

std::string countOf(std::size_t number, const char* one, const char* many) {
  return std::to_string(number) + " " + (number == 1 ? one : many);
}

bool answersFor(const Directory& directory, const std::string& domain) {
  return std::find(directory.domains.begin(), directory.domains.end(), domain) != directory.domains.end();
}

std::string outcomeOf(const std::vector<KeyFinding>& findings) {
  const auto fit =
      std::count_if(findings.begin(), findings.end(), [](const auto& each) { return each.key.has_value(); });
  if (findings.empty()) return "there is no key of this address";
  auto text = countOf(static_cast<std::size_t>(fit), "key", "keys") + " found that can be used";
  for (const auto& each : findings)
    if (!each.key) return text + "; another cannot: " + each.reason;
  return text;
}

}  // namespace

AskLdap askByGateway(const GatewayAddress& address) {
  const auto link = std::make_shared<std::unique_ptr<app::GatewayLink>>();
  return [&address, link](const app::LdapQuestion& question) -> app::LdapAnswer {
    try {  // the boundary to another process: without it nothing is known
      if (!*link) *link = std::make_unique<app::GatewayLink>(address.socketPath);
      return (*link)->askDirectory(question);
    } catch (const Error& error) {
      link->reset();
      log::info("keys", "a directory cannot be asked", {{"error", error.what()}});
      return {{}, 0, "the gateway, which alone can ask, is away"};
    }
  };
}

std::string filterFor(std::string_view pattern, const mail::Address& address) {
  std::string filter;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char next = pattern[i] == '%' && i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (next == 'a')
      filter += escaped(address.key());
    else if (next == 'l')
      filter += escaped(address.localPart());
    else if (next == 'd')
      filter += escaped(address.domain());
    else
      filter += pattern[i];
    if (next == 'a' || next == 'l' || next == 'd') ++i;
  }
  return filter;
}

std::vector<std::string> webKeyPlaces(const mail::Address& address) {
  const auto& domain = address.domain();
  const auto file = "/hu/" + crypto::wkdName(address.localPart()) + "?l=" + percentEncoded(address.localPart());
  return {"https://openpgpkey." + domain + "/.well-known/openpgpkey/" + domain + file,
          "https://" + domain + "/.well-known/openpgpkey" + file};
}

KeyLookup::KeyLookup(SiteContext& context, FetchDocument fetch, AskLdap ask)
    : context_(context), fetch_(std::move(fetch)), ask_(std::move(ask)) {}

bool KeyLookup::hasPlaces() const {
  return context_.config.webKeyDirectories == "on" ||
         !context_.site.read([](SiteTables& tables) { return tables.directories.all(); }).empty();
}

std::vector<LookupAnswer> KeyLookup::lookUp(const mail::Address& address) {
  std::vector<LookupAnswer> answers;
  const auto directories = context_.site.read([](SiteTables& tables) { return tables.directories.all(); });
  for (const auto& directory : directories)
    if (answersFor(directory, address.domain())) answers.push_back(askDirectory(directory, address));
  if (context_.config.webKeyDirectories == "on") answers.push_back(askWebKeyDirectory(address));
  return answers;
}

LookupAnswer KeyLookup::askDirectory(const Directory& directory, const mail::Address& address) {
  LookupAnswer answer{directory.name, directory.authoritative, {}, {}, false};
  if (!answersFor(directory, address.domain())) {
    answer.outcome = "it does not answer for " + address.domain();
    answer.answered = true;
    return answer;
  }
  app::LdapQuestion question;
  question.url = directory.url;
  question.authorities = directory.authorities;
  question.bindName = directory.bindName;
  if (auto secret = context_.keys.siteKey("directory " + directory.name)) question.bindSecret = std::move(*secret);
  question.base = directory.base;
  question.filter = filterFor(directory.filter, address);
  question.attributes = directory.attributes;
  const auto found = ask_(question);
  answer.asked = true;
  if (!found.problem.empty()) {
    answer.outcome = found.problem;
    return answer;
  }
  answer.answered = true;
  for (const auto& value : found.values)
    answer.findings.push_back(judgeFinding(context_, value, address.key(), "lookup"));
  answer.outcome = found.entries == 0 ? "no entry fits" : outcomeOf(answer.findings);
  return answer;
}

LookupAnswer KeyLookup::askWebKeyDirectory(const mail::Address& address) {
  LookupAnswer answer{"wkd", false, {}, {}, false};
  if (!address.isAscii() || address.domain().starts_with('[')) {
    answer.outcome = "addresses of this form are not in Web Key Directories";
    answer.answered = true;
    return answer;
  }
  // The direct method only where the advanced one has no host (§3.1): else whoever blocks that host chooses the key.
  const auto places = webKeyPlaces(address);
  auto document = fetch_({places.front(), {}, {}, MaxWebKey, true});
  if (document.outcome == Outcome::NoHost) document = fetch_({places.back(), {}, {}, MaxWebKey, true});
  answer.answered = document.outcome != Outcome::Failed;
  if (document.outcome == Outcome::Got) {
    answer.findings.push_back(judgeFinding(context_, document.body, address.key(), "lookup"));
    answer.outcome = outcomeOf(answer.findings);
  } else {
    answer.outcome = document.outcome == Outcome::NotThere ? "there is no key of this address" : document.problem;
  }
  return answer;
}

std::uint64_t KeyLookup::keep(SiteTables& tables, const std::string& address, const std::vector<LookupAnswer>& answers,
                              TimePoint now) {
  std::uint64_t fresh = 0;
  std::string outcome;
  for (const auto& answer : answers) {
    for (const auto& finding : answer.findings) {
      const bool known = finding.key && tables.keys.find(address, finding.fingerprint);
      if (answer.authoritative)
        fresh += takeAuthoritative(tables, finding, now) ? 1 : 0;
      else
        propose(tables, finding, now);
      if (!answer.authoritative && !known && tables.keys.find(address, finding.fingerprint)) ++fresh;
    }
    if (answer.asked) tables.directories.noteAsked(answer.place, answer.answered, {now, answer.outcome.substr(0, 500)});
    outcome.append(outcome.empty() ? "" : " ").append(answer.place).append(": ").append(answer.outcome).append(".");
  }
  const bool all = std::all_of(answers.begin(), answers.end(), [](const auto& answer) { return answer.answered; });
  if (all) tables.directories.noteLookup(address, {now, outcome.substr(0, 500)});
  return fresh;
}

KeyLookups::KeyLookups(SiteContext& context, const GatewayAddress& address)
    : context_(context), address_(address), thread_([this] { run(); }) {}

KeyLookups::~KeyLookups() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void KeyLookups::wake() {
  {
    const MutexLock lock(mutex_);
    due_ = true;
  }
  changed_.notify_all();
}

std::vector<LookupAnswer> KeyLookups::now(const mail::Address& address) {
  KeyLookup lookup(context_, fetchByGateway(address_), askByGateway(address_));
  return lookup.lookUp(address);
}

LookupAnswer KeyLookups::test(const Directory& directory, const mail::Address& address) {
  KeyLookup lookup(context_, fetchByGateway(address_), askByGateway(address_));
  return lookup.askDirectory(directory, address);
}

bool KeyLookups::stopsWithin(std::chrono::milliseconds pause) {
  const MutexLock lock(mutex_);
  const auto end = std::chrono::steady_clock::now() + pause;
  while (!stopping_ && changed_.wait_until(mutex_, end) == std::cv_status::no_timeout) continue;
  return stopping_;
}

bool KeyLookups::waitUntilDue() {
  const MutexLock lock(mutex_);
  if (!due_ && !stopping_) changed_.wait_for(mutex_, LookEvery);
  due_ = false;
  return !stopping_;
}

void KeyLookups::run() {
  while (waitUntilDue()) {
    try {  // the boundary of a queue job: it is tried again within the hour
      lookUpDue();
    } catch (const std::exception& error) {
      log::error("keys", "keys cannot be looked up", {{"error", error.what()}});
    }
  }
}

void KeyLookups::lookUpDue() {
  KeyLookup lookup(context_, fetchByGateway(address_), askByGateway(address_));
  if (!lookup.hasPlaces()) return;
  std::map<std::string, int> failures;
  for (std::string after;;) {
    const auto now = context_.clock.now();
    const auto due = context_.site.read(
        [&](SiteTables& tables) { return tables.directories.addressesToLookUp(after, now, now - AskAgain, PageSize); });
    for (const auto& each : due) {
      const auto address = mail::Address::parse(each);
      if (!address || failures[address->domain()] >= MaxFailures) continue;
      if (stopsWithin(Pause)) return;
      const auto answers = lookup.lookUp(*address);
      if (std::any_of(answers.begin(), answers.end(), [](const auto& answer) { return !answer.answered; }))
        ++failures[address->domain()];
      context_.site.write([&](SiteTables& tables) { KeyLookup::keep(tables, each, answers, context_.clock.now()); });
    }
    if (due.size() < PageSize) return;
    after = due.back();
  }
}

}  // namespace postern::listd
