#pragma once
#include "core/app/GatewayLink.h"
#include "core/mail/Message.h"
#include "listd/site/SiteContext.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// One command of a mail to LIST-request. The words are those of Mailman, Sympa and mlmmj.
struct MailCommand {
  enum class Verb { Join, Leave, Confirm, Help, Set, Info };
  Verb verb = Verb::Help;
  std::string token;  // of Confirm
  bool operator==(const MailCommand&) const = default;
};

constexpr std::size_t MaxMailCommands = 5;

// Commands in the subject, then in the lines of the text, each once, until "end", a signature or the first line that is
// none. Marks of answers ("Re:") before the subject are skipped. Pure.
std::vector<MailCommand> readMailCommands(std::string_view subject, std::string_view text);

// What the text of a message says to read commands from; empty for one that is sealed.
std::vector<MailCommand> commandsOf(const mail::Message& message);

// Mail to -join, -leave, -confirm+TOKEN ("join" "leave" "confirm"), or to -request with commands ("request"). Automatic
// mail, reports, mail without one author and mail whose sender the checks at the door did not prove are dropped without
// an answer. A token counts only in mail from the address that it is for. Never to be called inside a job of SiteStore.
void takeSubscriptionMail(SiteContext& context, const app::Submission& submission, const mail::Message& message,
                          const List& list, std::string_view suffix, std::string_view token = {});

}  // namespace postern::listd
