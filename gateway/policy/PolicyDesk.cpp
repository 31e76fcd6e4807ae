#include "gateway/policy/PolicyDesk.h"

#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "gateway/policy/PolicyViews.h"
#include "gateway/policy/TrialMail.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace postern::gateway {

using nlohmann::json;

namespace {

json parsed(std::string_view request) {
  auto read = json::parse(request, nullptr, false);
  if (!read.is_object()) throw Error(ErrorKind::Malformed, "a request about policies is no JSON object");
  return read;
}

PolicyValues valuesOf(const json& request) {
  PolicyValues values;
  const auto found = request.find("sets");
  if (found == request.end() || !found->is_object())
    throw Error(ErrorKind::Malformed, "a request about policies has no sets");
  for (const auto& [name, items] : found->items()) {
    auto& set = values[name];
    if (!items.is_array()) throw Error(ErrorKind::Malformed, "a set of policies is no list");
    for (const auto& item : items) {
      if (!item.is_string()) throw Error(ErrorKind::Malformed, "a set of policies holds no text");
      set.push_back(item.get<std::string>());
    }
  }
  if (const auto wrong = policy::whatIsWrongWith(values)) throw Error(ErrorKind::Malformed, *wrong);
  return values;
}

// Anything but false: the DNS is asked.
bool looksUp(const json& request) {
  const auto found = request.find("lookUp");
  return found == request.end() || !found->is_boolean() || found->get<bool>();
}

TimePoint endOf(const json& request) {
  const auto found = request.find("until");
  return found != request.end() && found->is_number_integer() ? fromMicros(found->get<std::int64_t>()) : TimePoint();
}

json viewOf(const Trial& trial) {
  json view{{"unclear", trial.unclear}, {"hooks", json::array()}, {"recipients", json::array()}};
  for (const auto& call : trial.calls)
    view["hooks"].push_back(gateway::viewOf(call.hook, call.recipients, call.explanation));
  for (const auto& result : trial.results) {
    auto shown = gateway::viewOf(result.verdict);
    shown["address"] = result.address;
    shown["hook"] = result.hook;
    shown["failure"] = result.failure ? gateway::viewOf(*result.failure) : json();
    if (result.failure) shown["verdict"] = "failure";
    view["recipients"].push_back(std::move(shown));
  }
  return view;
}

std::string inWords(const Trial::Result& result, const policy::SetTexts& texts) {
  return result.failure ? "failure " + policy::wordFor(result.failure->kind) : gateway::inWords(result.verdict, texts);
}

}  // namespace

PolicyDesk::PolicyDesk(policy::PolicyHost& live, policy::PolicyHostOptions options, PolicyFile file, KeptPolicies kept,
                       const TransactionInspector& inspector, const Directory& directory, Shadow& shadow)
    : live_(live),
      options_([&] {
        options.initial.reset();
        options.workers = 1;
        options.trial = true;
        return std::move(options);
      }()),
      file_(std::move(file)),
      inspector_(inspector),
      directory_(directory),
      shadow_(shadow),
      kept_(std::move(kept)),
      values_(kept_.values) {}

std::string PolicyDesk::answer(std::string_view action, std::string_view request, std::string_view submission) {
  const auto asked = parsed(request);
  const auto mail = [&] { return app::Submission::decode(submission); };
  json result = json::object();
  if (action == "state")
    result = state();
  else if (action == "in-force")
    result = inForce();
  else if (action == "test")
    result = test(asked);
  else if (action == "use")
    result = use(asked);
  else if (action == "sets")
    result = setValues(asked);
  else if (action == "explain")
    result = explain(asked, mail());
  else if (action == "compare")
    result = compare(asked, mail());
  else if (action == "shadow-start")
    result = startShadow(asked);
  else if (action == "shadow-stop")
    shadow_.stop();
  else if (action == "shadow-report")
    result = shadow_.report();
  else
    throw Error(ErrorKind::Malformed, "the gateway was asked for something about policies that it does not know");
  return result.dump(-1, ' ', false, json::error_handler_t::replace);
}

json PolicyDesk::state() {
  const auto status = live_.status();
  const auto shadow = shadow_.report();
  const MutexLock lock(changing_);
  json values = json::object();
  for (const auto& [name, items] : kept_.values) values[name] = items;
  const auto bytes = values.dump(-1, ' ', false, json::error_handler_t::replace);
  return {{"hasSet", status.hasSet},
          {"digest", status.digest},
          {"sets", crypto::hex(crypto::sha256(bytes))},
          {"shadow", shadow.at("running").get<bool>() ? shadow.at("digest") : json("")}};
}

json PolicyDesk::inForce() {
  const auto texts = live_.inForce();
  auto view = texts ? gateway::viewOf(*texts) : json{{"digest", ""}, {"files", json::object()}};
  view["hasSet"] = texts.has_value();
  view["sets"] = json::object();
  const MutexLock lock(changing_);
  for (const auto& [name, values] : kept_.values) view["sets"][name] = values.size();
  return view;
}

std::shared_ptr<policy::PolicyHost> PolicyDesk::candidate(const json& request, policy::TestReport& report,
                                                          std::string& digest) {
  auto texts = readFiles(request);
  if (!texts) {
    report.check.problems = texts.error();
    return nullptr;
  }
  digest = texts->digest;
  {
    const MutexLock lock(mutex_);
    for (const auto& known : candidates_) {
      if (known.digest != digest) continue;
      report = known.report;
      return known.host;
    }
  }
  const auto host = std::make_shared<policy::PolicyHost>(options_);
  report = host->use(std::move(*texts));
  if (!report.ok) return nullptr;
  const MutexLock lock(mutex_);
  host->useSets(values_);
  candidates_.push_front({digest, report, host});
  if (candidates_.size() > MaxCandidates) candidates_.pop_back();
  return host;
}

json PolicyDesk::test(const json& request) {
  policy::TestReport report;
  std::string digest;
  candidate(request, report, digest);
  return gateway::viewOf(report, digest);
}

// On disk first: what is in force is there after a power cut, too.
json PolicyDesk::use(const json& request) {
  const MutexLock lock(changing_);
  policy::TestReport report;
  std::string digest;
  const auto host = candidate(request, report, digest);
  if (!host) return gateway::viewOf(report, digest);
  auto next = KeptPolicies{host->inForce(), valuesOf(request)};
  file_.write(next);
  report = live_.use(*next.texts);
  if (!report.ok) {
    file_.write(kept_);
    return gateway::viewOf(report, digest);
  }
  live_.useSets(next.values);
  shadow_.useSets(next.values);
  {
    const MutexLock others(mutex_);
    values_ = next.values;
    for (const auto& one : candidates_) one.host->useSets(values_);
  }
  kept_ = std::move(next);
  return gateway::viewOf(report, digest);
}

json PolicyDesk::setValues(const json& request) {
  const MutexLock lock(changing_);
  auto next = kept_;
  next.values = valuesOf(request);
  file_.write(next);
  live_.useSets(next.values);
  shadow_.useSets(next.values);
  {
    const MutexLock others(mutex_);
    values_ = next.values;
    for (const auto& candidate : candidates_) candidate.host->useSets(next.values);
  }
  kept_ = std::move(next);
  return json::object();
}

json PolicyDesk::explain(const json& request, const app::Submission& submission) {
  if (!request.contains("files"))
    return viewOf(judgeTrial(live_, inspector_, directory_, submission, looksUp(request)));
  policy::TestReport report;
  std::string digest;
  const auto host = candidate(request, report, digest);
  if (!host) return {{"report", gateway::viewOf(report, digest)}};
  return viewOf(judgeTrial(*host, inspector_, directory_, submission, looksUp(request)));
}

json PolicyDesk::compare(const json& request, const app::Submission& submission) {
  policy::TestReport report;
  std::string digest;
  const auto host = candidate(request, report, digest);
  if (!host) return {{"report", gateway::viewOf(report, digest)}};
  const auto now = judgeTrial(live_, inspector_, directory_, submission, false);
  const auto then = judgeTrial(*host, inspector_, directory_, submission, false);
  const auto nowTexts = live_.inForce().value_or(policy::SetTexts());
  const auto thenTexts = host->inForce().value_or(policy::SetTexts());
  auto differences = json::array();
  for (std::size_t i = 0; i < std::min(now.results.size(), then.results.size()); ++i) {
    const auto before = inWords(now.results[i], nowTexts);
    const auto after = inWords(then.results[i], thenTexts);
    if (before != after) differences.push_back({{"hook", then.results[i].hook}, {"now", before}, {"then", after}});
  }
  const bool failed = std::any_of(then.results.begin(), then.results.end(),
                                  [](const Trial::Result& result) { return result.failure.has_value(); });
  return {{"unclear", then.unclear}, {"failed", failed}, {"differences", std::move(differences)}};
}

json PolicyDesk::startShadow(const json& request) {
  policy::TestReport report;
  std::string digest;
  const auto host = candidate(request, report, digest);
  if (host) shadow_.start(host, live_.inForce().value_or(policy::SetTexts()), endOf(request));
  return gateway::viewOf(report, digest);
}

}  // namespace postern::gateway
