#include "cli/ProbeVerbs.h"

#include "cli/Render.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;

constexpr std::chrono::milliseconds PollFirst{100};
constexpr std::chrono::milliseconds PollLast{1000};
constexpr std::chrono::minutes Longest{6};

std::string joined(const json& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + item.get<std::string>();
  return text.empty() ? "-" : text;
}

void line(std::ostream& out, const char* name, const std::string& value) {
  out << "    " << name << std::string(14 - std::min<std::size_t>(13, std::string_view(name).size()), ' ') << value
      << "\n";
}

void renderHost(std::ostream& out, const json& host) {
  out << "  " << host.value("name", "") << " (preference " << host.value("preference", 0) << ")";
  if (const auto address = host.value("address", ""); !address.empty())
    out << " at " << address << ", port " << host.value("port", 25);
  out << "\n";
  if (const auto problem = host.value("problem", ""); !problem.empty()) {
    line(out, "problem", problem);
    line(out, "DANE", host.value("dane", ""));
    return;
  }
  const bool tls = host.value("startTls", false);
  const auto version = host.value("version", "");
  line(out, "STARTTLS",
       !tls              ? "no"
       : version.empty() ? "yes, but the handshake failed"
                         : version + ", " + host.value("cipher", ""));
  if (const auto& certificate = host.at("certificate"); tls && !certificate.value("subject", "").empty()) {
    line(out, "certificate", certificate.value("subject", ""));
    line(out, "issuer", certificate.value("issuer", ""));
    line(out, "valid until", renderValue("notAfterAt", certificate.at("notAfterAt")));
    line(out, "names", joined(certificate.at("names")));
  }
  if (tls) line(out, "chain", host.value("chain", "") + " for " + joined(host.at("expected")));
  line(out, "DANE", host.value("dane", "") + (host.at("tlsa").empty() ? "" : ": " + joined(host.at("tlsa"))));
  line(out, "MTA-STS", host.value("sts", ""));
  line(out, "REQUIRETLS", host.value("requireTls", false) ? "yes" : "no");
  line(out, "verified by", host.value("means", ""));
}

void renderProbe(std::ostream& out, const json& shown) {
  const auto& probe = shown.at("probe");
  const auto& known = shown.at("known");
  out << known.value("sentence", probe.value("sentence", "")) << "\n";
  if (const auto& mark = shown.at("mark"); !mark.is_null())
    out << "The site says: " << mark.value("mark", "") << " (" << mark.value("reason", "") << ")\n";
  if (const auto route = probe.value("route", ""); !route.empty())
    out << "Its mail goes to the route " << route << ".\n";
  if (const auto problem = probe.value("problem", ""); !problem.empty()) out << "Problem: " << problem << "\n";
  const auto& sts = probe.at("sts");
  const auto mode = sts.value("mode", "");
  out << "MTA-STS policy: ";
  if (mode.empty())
    out << "none";
  else
    out << mode << ", id " << sts.value("id", "") << ", for " << joined(sts.at("mx")) << ", " << sts.value("maxAge", 0)
        << " seconds";
  if (const auto problem = sts.value("problem", ""); !problem.empty()) out << " (" << problem << ")";
  out << "\nMX records under DNSSEC: " << (probe.value("mxSecure", false) ? "yes" : "no") << "\n";
  for (const auto& host : probe.at("hosts")) renderHost(out, host);
  if (const auto& last = shown.at("lastDelivery"); !last.is_null())
    out << "Last delivery: " << last.value("outcome", "") << " " << renderValue("at", last.at("at")) << ", "
        << last.value("host", "") << ", " << (last.value("version", "").empty() ? "no TLS" : last.value("version", ""))
        << ", " << last.value("verification", "") << ": " << last.value("reply", "") << "\n";
}

}  // namespace

std::vector<OrderVerb> probeVerbs() {
  const Parameter domain{Kind::Positional, "domain", "domain", "the recipients' domain", true};
  const Parameter reason{Kind::Option, "--reason", "reason", "why, for the record", true};
  const auto said = [](const char* what) { return [what](std::ostream& out, const json&) { out << what << "\n"; }; };
  return {
      {"domain",
       "trust",
       "domain.trust",
       "Says that a trusted certificate for the name of the MX host is enough for a domain.",
       {domain, reason},
       said("trusted")},
      {"domain",
       "distrust",
       "domain.distrust",
       "Says that TLS to a domain does not count as a protection.",
       {domain, reason},
       said("distrusted")},
      {"domain",
       "unmark",
       "domain.unmark",
       "Takes back what was said of a domain's TLS.",
       {domain, reason},
       said("taken back")},
      {"domain",
       "marks",
       "domain.marks",
       "Shows the domains whose TLS is trusted or distrusted.",
       {},
       [](std::ostream& out, const json& result) {
         renderTable(
             out, result.at("items"),
             {{"DOMAIN", "domain"}, {"MARK", "mark"}, {"SINCE", "setAt"}, {"BY", "setBy"}, {"REASON", "reason"}},
             "No domain is trusted or distrusted: what DANE, MTA-STS and certificates prove counts.");
       }},
  };
}

Exit probe(const Context& context, const std::string& domain) {
  const bool terminal = !context.json && &context.out == &std::cout && ::isatty(STDOUT_FILENO) != 0;
  context.give("probe.start", {{"domain", domain}});
  const auto until = std::chrono::steady_clock::now() + Longest;
  auto pause = PollFirst;
  auto shown = context.give("probe.show", {{"domain", domain}});
  while (shown.at("running").get<bool>() && std::chrono::steady_clock::now() < until) {
    if (terminal) context.out << "\r\033[K" << shown.value("progress", "") << std::flush;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, PollLast);
    shown = context.give("probe.show", {{"domain", domain}});
  }
  if (terminal) context.out << "\r\033[K";
  const bool found = !shown.at("probe").is_null() && !shown.at("known").is_null();
  if (context.json) {
    context.out << shown.dump(2) << "\n";
  } else if (found) {
    renderProbe(context.out, shown);
  }
  if (const auto trouble = shown.value("progress", ""); !trouble.empty()) context.err << "postern: " << trouble << "\n";
  return found && shown["known"].value("means", "none") != "none" ? Exit::Ok : Exit::No;
}

}  // namespace postern::cli
