#include "core/app/SubscriptionTexts.h"

// Subjects differ from each other, and from those of all other mail of the site, in every language.
namespace postern::app {
namespace {

constexpr MailText Texts[] = {
    {"join-confirm", "Please confirm: a mailing list",
     "Hello,\n\nsomebody, probably you, asked to put this address on the mailing list\n\n{mailbox}\n\nIf it was you, "
     "confirm it here, by the button on the page:\n\n{link}\n\nor send any answer to this mail, which goes to\n\n"
     "{mailbox}\n\nBoth work once, until {time}. If it was not you, do\nnothing: then nothing happens.\n"},
    {"leave-confirm", "Please confirm: leave a mailing list",
     "Hello,\n\nsomebody, probably you, asked to take this address off the mailing list\n\n{mailbox}\n\nIf it was you, "
     "confirm it here, by the button on the page:\n\n{link}\n\nor send any answer to this mail, which goes to\n\n"
     "{mailbox}\n\nBoth work once, until {time}. If it was not you, do\nnothing: then nothing happens.\n"},
    {"address-confirm", "Please confirm: another address on a mailing list",
     "Hello,\n\na member of the mailing list\n\n{mailbox}\n\nasked that another address takes the place of one. Yours "
     "is one of the two, and\nboth have to confirm it. Which they are, and a button, stands here:\n\n{link}\n\nIt "
     "works "
     "until {time}. If it was not you, do nothing:\nthen nothing happens.\n"},
    {"list-invitation", "You are invited to a mailing list",
     "Hello,\n\nthe people who look after the mailing list\n\n{mailbox}\n\ninvite you to it. What it is, and a button "
     "to accept or to refuse, stands here:\n\n{link}\n\nIt works once, until {time}. If you do nothing, nothing\n"
     "happens.\n"},
    {"joined", "You are on a mailing list now",
     "Hello,\n\nthis address is now on the mailing list\n\n{mailbox}\n\nHow to write to it, how to leave it and what "
     "else you can set stands here:\n\n{link}\n"},
    {"joined-without-key", "You are on a secure mailing list now",
     "Hello,\n\nthis address is now on the secure mailing list\n\n{mailbox}\n\nIts messages leave encrypted or not at "
     "all, and there is nothing yet by which\nthey could be protected for you: until there is, you get none. To get "
     "them,\nsend a mail with your S/MIME certificate or OpenPGP key attached, or a signed\nmail, to\n\n{mailbox}\n\n"
     "or give it on a page. How, and what else you can set, stands here:\n\n{link}\n"},
    {"left", "You are off a mailing list now",
     "Hello,\n\nthis address is not on this mailing list any more:\n\n{mailbox}\n"},
    {"request-refused", "Your request to a mailing list",
     "Hello,\n\nwhat you asked of the mailing list\n\n{mailbox}\n\nwas not granted. If a reason was given, it stands "
     "here:\n\n{link}\n"},
    {"requests-waiting", "People wait for your decision on a mailing list",
     "Hello,\n\npeople who asked to join or to leave lists that you look after: {number}\n\nDecide on them here:\n\n"
     "{link}\n\nYou get this mail every four hours at most.\n"},
    {"list-help", "How to use a mailing list",
     "Hello,\n\na mail from this address asked for help with the mailing list\n\n{mailbox}\n\nCommands go to\n\n"
     "{mailbox}\n\nas the subject or as lines of the text:\n\njoin          put the address that the mail comes from "
     "on "
     "the list\nleave         take it off the list\nconfirm CODE  confirm what was asked for, by the code of our mail\n"
     "set           get a link to the settings of your membership\ninfo          get a link to what the list says of "
     "itself\nkey           get the public keys of the list, if it gives them\nend           read no further\n\nMore "
     "stands here:\n\n{link}\n"},
    {"member-link", "Your membership of a mailing list",
     "Hello,\n\nthe settings of your membership of the mailing list\n\n{mailbox}\n\nare here, if you are on it, until "
     "{time}:\n\n{link}\n\nIf you did not ask for this, do nothing.\n"},
};

}  // namespace

std::span<const MailText> englishTexts() {
  return Texts;
}

}  // namespace postern::app
