#include "cli/ProtectionVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

Parameter option(const char* name, const char* field, const char* doc) {
  return {Kind::Option, name, field, doc};
}

const Parameter ListName{Kind::Positional, "address", "address", "the list", true};
const Parameter DomainName{Kind::Positional, "name", "name", "the domain", true};
const Parameter Floor =
    option("--floor", "floor", "the weakest a copy may have: smime, openpgp, pickup, tls or default");
const Parameter TlsMinutes = option("--tls-minutes", "tlsMinutes",
                                    "how long a copy waits for verified TLS before another way is taken, or default");

std::string ladderOf(const json& rules) {
  std::string words;
  for (const auto& rung : rules.at("ladder")) words += (words.empty() ? "" : " > ") + rung.get<std::string>();
  return words.empty() ? "plain copies" : words;
}

void renderRules(std::ostream& out, const json& rules) {
  out << "  tried in this order: " << ladderOf(rules) << "\n  never below: " << rules.at("floor").get<std::string>()
      << "\n  wait for verified TLS: " << rules.at("tlsMinutes") << " minutes\n";
}

void renderList(std::ostream& out, const json& result) {
  out << result.at("address").get<std::string>() << ", class " << result.at("class").get<std::string>() << "\n";
  const auto& rules = result.at("rules");
  if (!result.at("secure").get<bool>()) {
    out << "  an open list: copies are plain mail\n";
    return;
  }
  renderRules(out, rules);
  out << "  a content key for each recipient: " << (rules.at("freshKeys").get<bool>() ? "yes" : "no")
      << "\n  the plan's counts go to the poster: "
      << (rules.at("mailPlan").get<bool>()   ? "yes"
          : rules.value("planOnWish", false) ? "on wish"
                                             : "no")
      << "\n";
  const auto key = result.value("openpgpKey", "");
  out << "  OpenPGP key of the list: " << (key.empty() ? "made at first need" : key) << "\n";
}

void renderDomain(std::ostream& out, const json& result) {
  out << result.at("name").get<std::string>() << "\n";
  for (const auto* sensitivity : {"low", "moderate", "high"}) {
    out << "lists of class " << sensitivity << ":\n";
    renderRules(out, result.at("rules").at(sensitivity));
  }
}

void renderPlan(std::ostream& out, const json& result) {
  out << result.at("sentence").get<std::string>() << "\n"
      << result.at("percent") << " % of the members of " << result.at("address").get<std::string>()
      << " would get a post of class " << result.at("class").get<std::string>() << ".\n";
  for (const auto& group : result.at("counts"))
    out << "  " << group.at("count") << "  " << group.at("title").get<std::string>() << ": "
        << group.at("why").get<std::string>() << "\n";
  if (result.at("bytes").is_number()) out << "about " << result.at("bytes") << " bytes in all\n";
  if (result.at("items").empty()) return;
  renderTable(out, result.at("items"),
              {{"ADDRESS", "address"}, {"NAME", "name"}, {"PROTECTION", "protection"}, {"WHY", "why"}}, "");
  const auto next = result.value("next", "");
  if (!next.empty()) out << "(more: --after " << next << ")\n";
}

}  // namespace

std::vector<OrderVerb> protectionVerbs() {
  return {
      {"list", "protection", "list.protection", "Shows how copies of a list are protected.", {ListName}, renderList},
      {"list",
       "protect",
       "list.protect",
       "Changes how copies of a secure list are protected.",
       {ListName, Floor,
        option("--ladder", "ladder", "what is tried, in order, as in smime,openpgp,tls,pickup; or default"), TlsMinutes,
        option("--fresh-keys", "freshKeys",
               "a content key for each recipient, so that copies cannot be linked: yes or no"),
        option("--mail-plan", "mailPlan", "send the poster the plan's counts: yes or no"),
        option("--plan-on-wish", "planOnWish",
               "send them to posters who ask by the field \"Postern-Plan: yes\": yes or no")},
       renderList},
      {"list",
       "plan",
       "list.plan",
       "Shows how a post of now would go out: by what protection, to how many, and why.",
       {ListName,
        option("--class", "class", "of the post, if not the list's: low, moderate or high"),
        {Kind::Option, "--size", "size", "of the post in bytes, to know what all copies weigh", false, Type::Number},
        option("--protection", "protection", "show the members reached like this, or withheld"),
        option("--reason", "reason", "only those with this reason"),
        {Kind::Option, "--limit", "limit", "most members to show", false, Type::Number},
        option("--after", "after", "go on after this address")},
       renderPlan},
      {"domain",
       "protection",
       "domain.protection",
       "Shows how copies of a domain's lists are protected.",
       {DomainName},
       renderDomain},
      {"domain",
       "protect",
       "domain.protect",
       "Changes how copies of a domain's lists are protected where a list says nothing.",
       {DomainName, Floor, option("--low", "low", "the ladder for lists of class low, or default"),
        option("--moderate", "moderate", "the ladder for lists of class moderate, or default"),
        option("--high", "high", "the ladder for lists of class high, or default"), TlsMinutes},
       renderDomain},
  };
}

}  // namespace postern::cli
