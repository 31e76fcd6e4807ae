#include "cli/PickupVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

Parameter option(const char* name, const char* field, const char* doc, bool required = false) {
  return {Kind::Option, name, field, doc, required};
}
Parameter number(const char* name, const char* field, const char* doc) {
  return {Kind::Option, name, field, doc, false, Type::Number};
}

void record(std::ostream& out, const json& result) {
  renderRecord(out, result);
}

void items(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"),
              {{"ID", "id"},
               {"RECIPIENT", "recipient"},
               {"LIST", "list"},
               {"STATE", "state"},
               {"SENT", "createdAt"},
               {"OPENED", "openedAt"},
               {"UNTIL", "expiresAt"}},
              "Nothing waits for pick-up.");
}

void domainTable(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"), {{"DOMAIN", "domain"}, {"UP TO BYTES", "limit"}},
              "All recipients get a link only.");
}

const Parameter Id = {Kind::Positional, "id", "id", "number of the item, see: postern pickup list", true};
const Parameter List = {Kind::Positional, "list", "list", "address of the list", true};
const Parameter Reason = option("--reason", "reason", "why; recorded", true);

}  // namespace

std::vector<OrderVerb> pickupVerbs() {
  return {
      {"pickup",
       "list",
       "pickup.list",
       "Shows what waits for pick-up, and whether it was opened.",
       {option("--list", "list", "of this list only"),
        option("--state", "state", "waiting, recalled, expired or given-up"),
        number("--limit", "limit", "how many, 200 at most"), option("--after", "after", "go on behind this item")},
       items},
      {"pickup", "show", "pickup.show", "Shows one item.", {Id}, record},
      {"pickup",
       "recall",
       "pickup.recall",
       "Takes a message back: the recipient's key to it is destroyed.",
       {Id, Reason},
       record},
      {"pickup",
       "recall-post",
       "pickup.recall",
       "Takes a post back from all who get it by pick-up.",
       {{Kind::Positional, "post", "post", "number of the post", true}, Reason},
       record},
      {"pickup", "resend", "pickup.resend", "Mails a new link; older ones end.", {Id}, record},
      {"pickup",
       "extend",
       "pickup.extend",
       "Lets a message wait longer.",
       {Id, number("--days", "days", "days from now, 30 if not given"), Reason},
       record},
      {"pickup",
       "release",
       "pickup.release",
       "Opens a message again for a recipient who reset the access by mail.",
       {Id, Reason},
       record},
      {"pickup", "settings", "pickup.settings", "Shows how a list uses pick-up.", {List}, record},
      {"pickup",
       "set",
       "pickup.set",
       "Changes how a list uses pick-up.",
       {List, number("--days", "days", "until what waits expires"),
        option("--neutral", "neutral", "yes: do not name the list in the mail; no"),
        option("--reply-to-list", "replyToList", "yes: recipients may reply to the list; no"),
        option("--question", "question",
               "yes: ask the recipient's own question besides the factor (we advise against it); no")},
       record},
      {"pickup",
       "domain",
       "pickup.domain",
       "Sets whether recipients of a domain get the ciphertext as a file.",
       {{Kind::Positional, "domain", "domain", "the recipients' domain", true},
        number("--limit", "limit", "up to so many bytes; 0: a link only")},
       record},
      {"pickup",
       "domains",
       "pickup.domains",
       "Shows the domains whose recipients get the ciphertext as a file, too.",
       {},
       domainTable},
      {"pickup",
       "sign-out",
       "pickup.sign-out-all",
       "Ends the sessions of a recipient.",
       {{Kind::Positional, "address", "address", "mail address", true}},
       record},
  };
}

}  // namespace postern::cli
