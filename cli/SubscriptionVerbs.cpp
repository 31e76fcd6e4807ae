#include "cli/SubscriptionVerbs.h"

#include "cli/Render.h"
#include "cli/SourceVerbs.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

const Parameter List{Kind::Positional, "list", "list", "address of the list", true};
const Parameter Id{Kind::Positional, "id", "id", "number", true};

void record(std::ostream& out, const json& result) {
  renderRecord(out, result);
}

void renderRequests(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"),
              {{"ID", "id"},
               {"ADDRESS", "address"},
               {"NAME", "name"},
               {"WANTS TO", "action"},
               {"LIST", "list"},
               {"ASKED", "madeAt"},
               {"UNTIL", "endsAt"}},
              "Nobody waits for a decision.");
}

void renderOutcomes(std::ostream& out, const json& result) {
  for (const auto& item : result.at("items"))
    out << item.at("id").get<std::string>() << " " << item.at("list").get<std::string>() << ": "
        << item.at("outcome").get<std::string>() << "\n";
}

std::vector<OrderVerb> banVerbs() {
  return {{"ban",
           "add",
           "ban.add",
           "Shuts people out of a list, or of every list: they cannot join, be invited or added.",
           {{Kind::Positional, "pattern", "pattern",
             "an address, @domain with all below it, or an address with * in it", true},
            {Kind::Option, "--list", "list", "of this list; every list"},
            {Kind::Option, "--reason", "reason", "why, for owners and the audit log"}},
           record},
          {"ban",
           "list",
           "ban.list",
           "Shows who is shut out.",
           {{Kind::Option, "--list", "list", "of this list; what counts for every list"}},
           [](std::ostream& out, const json& result) {
             renderTable(
                 out, result.at("items"),
                 {{"ID", "id"}, {"PATTERN", "pattern"}, {"REASON", "reason"}, {"BY", "madeBy"}, {"SINCE", "madeAt"}},
                 "Nobody is shut out there.");
           }},
          {"ban", "remove", "ban.remove", "Shuts people out no more.", {Id}, [](std::ostream& out, const json&) {
             out << "removed\n";
           }}};
}

}  // namespace

std::vector<OrderVerb> subscriptionVerbs() {
  std::vector<OrderVerb> verbs = {
      {"subscription", "show", "subscription.show", "Shows who may join and leave a list, and how.", {List}, record},
      {"subscription",
       "set",
       "subscription.set",
       "Changes who may join and leave a list.",
       {List,
        {Kind::Option, "--joining", "joining", "open, confirm, moderate, confirm-moderate, invitation or closed"},
        {Kind::Option, "--leaving", "leaving", "open, confirm, moderate or closed"},
        {Kind::Option, "--advertised", "advertised", "yes or no: whether everybody sees the list on the page of lists"},
        {Kind::Option, "--one-click", "oneClick", "yes or no: whether copies carry a link for leaving by one click"}},
       record},
      {"subscription",
       "list",
       "subscription.list",
       "Lists people who wait for an owner's decision, oldest first.",
       {{Kind::Option, "--list", "list", "of this list"},
        {Kind::Option, "--limit", "limit", "how many; default 100", false, Type::Number},
        {Kind::Option, "--after", "after", "go on behind this number", false, Type::Number}},
       renderRequests},
      {"subscription",
       "mine",
       "subscription.mine",
       "Lists your own memberships, and lists that you may ask to join; with an access token of your own.",
       {},
       [](std::ostream& out, const json& result) {
         renderTable(out, result.at("items"),
                     {{"LIST", "list"}, {"NAME", "displayName"}, {"MEMBER", "member"}, {"COPIES", "delivery"}},
                     "You are on no list.");
       }},
      {"subscription",
       "mine-ask",
       "subscription.mine-ask",
       "Gives the token for a list of your own: to join, to leave, or for your settings.",
       {List, {Kind::Option, "--action", "action", "join, leave or member (settings); default member"}},
       record},
      {"subscription",
       "decide",
       "subscription.decide",
       "Grants or refuses a request to join or leave; the one who asked gets a mail.",
       {Id,
        {Kind::Positional, "decision", "decision", "grant or refuse", true},
        {Kind::Option, "--reason", "reason", "why; shown behind the link of the mail"}},
       renderOutcomes},
      {"subscription",
       "invite",
       "subscription.invite",
       "Invites somebody to a list by a mail with a link, which works for 14 days.",
       {List,
        {Kind::Positional, "address", "address", "whom", true},
        {Kind::Option, "--name", "name", "name of the person"}},
       record},
  };
  verbs.push_back(
      {"member",
       "sync",
       "member.sync",
       "Makes the members what a CSV file (address,name) says: adds, and removes who is not in it. Refuses when "
       "more than a fifth would go.",
       {List,
        {Kind::FileContent, "file", "csv", "CSV file, - for standard input", true},
        {Kind::Flag, "--dry-run", "dryRun", "say what would happen, change nothing", false, Type::Truth},
        {Kind::Option, "--filter", "filter", "look only at addresses that this fits, as in @example.org"},
        {Kind::Flag, "--confirmed", "confirmed", "also when more than a fifth would go", false, Type::Truth}},
       renderSync});
  for (auto& verb : banVerbs()) verbs.push_back(std::move(verb));
  return verbs;
}

}  // namespace postern::cli
