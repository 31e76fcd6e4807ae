#include "core/app/MailTexts.h"

namespace postern::app {
namespace {

constexpr MailText Texts[] = {
    {"hold-notice", "You have been asked to keep mail",
     R"(Hello,

you have been asked not to delete certain mail. What it is about, and what you
are asked to do, stands behind this link. Please read it and confirm it there:

{link}

This mail says nothing more on purpose.
)"},
    {"hold-reminder", "Reminder: you have been asked to keep mail",
     R"(Hello,

you were asked not to delete certain mail, and have not confirmed it yet.
Please read what it is about and confirm it there:

{link}

This mail says nothing more on purpose.
)"},
    {"approvals-waiting", "Requests wait for your decision",
     R"(Hello,

requests that wait for a second person: {number}

Decide on them here:

{link}
)"},
    {"lone-person-change", "A change that nobody else can approve",
     R"(Hello,

a site that has only one person will make a change for which a second person
would have to be asked. You are told because your address is the outside
address of that site.

Kind of the change: {word}
Number of the request: {number}
Takes effect: {time}

If it should not be made, stop it here before then:

{link}
)"},
    {"one-person-site", "One person will be left",
     R"(Hello,

a change was asked for that leaves the site you work on to one person alone.
Nobody could approve or refuse then what that person asks for.

Number of the request: {number}
Takes effect: {time}

The outside address of the site can stop it until then. It is shown here:

{link}
)"},
    {"audit-anchor", "Checkpoint of the audit log",
     R"(Keep this mail. It proves later that the audit log up to this point was not
changed.

{checkpoint})"},
    {"invitation", "Your account",
     R"(Hello,

an account has been prepared for you. Set it up here:

{link}

The link works once, until {time}.
)"},
    {"key-confirm", "A key for your address",
     R"(Hello,

a key for your address was sent to us. If it was you, look at it and confirm it
here within three days:

{link}

If it was not you, do nothing: it will not be used.
)"},
    {"key-unfit", "A key that cannot be used",
     R"(Hello,

a key for your address was sent to us, and it cannot be used. Why, and where to
give another one within three days, stands here:

{link}

If it was not you, do nothing.
)"},
    {"key-page", "Your keys",
     R"(Hello,

the keys for your address are shown here, and a new one can be given, within
three days:

{link}

If you did not ask for this, do nothing.
)"},
    {"break-glass", "The emergency account was opened",
     R"(Hello,

the sealed emergency account of the site was opened on {time}.
If you do not know why, look into it now:

{link}
)"},
    {"content-access", "Staff opened mail of one of your lists",
     R"(Hello,

on {time} a person of the staff opened mail of a list that is yours. Who and when
stands behind this link, at the list:

{link}

You get this mail once a day at most.
)"},
    {"pickup-link", "Your link to secure mail",
     R"(Hello,

here is your link to the secure mail that waits for you:

{link}

It works once, until {time}, and ends every link that you
got before. Nothing happens when you do not use it.
)"},
    {"pickup-problem", "Somebody reported a problem with secure mail",
     R"(Hello,

on {time} somebody who reads secure mail here reported a problem with a
message. What it is stands behind this link:

{link}

You get this mail once an hour at most.
)"},
    {"key-ending", "Your key ends soon",
     R"(Hello,

the key to which mail for you is encrypted ends on {time}.
After that such mail cannot reach you as it does now. Give a new key here:

{link}

The link works once, until {time}.
)"},
    {"list-keys", "The keys of a list",
     R"(Hello,

these are the public keys of the list {address}.
You get them because a mail with the subject "key" came from your address.
Mail can be changed on its way: when it matters, compare the fingerprints with an
owner of the list before you use a key.

For S/MIME:

{certificates}
For OpenPGP:

{openpgp})"},
    {"owner-work", "Your lists: what needs a hand",
     R"(Hello,

on the lists that you own:

Keys that wait for a decision: {number}
Members who get no copies: {number}
Keys that end within 30 days: {number}

Who, and what to do, stands here:

{link}

You get this mail once a week at most.
)"},
    {"quarantine", "Mail waits in the quarantine",
     R"(Hello,

mail that a person has to look at, for the lists that you look after:

Messages that wait: {number}
Destroyed within three days if nobody releases them: {number}

Release or delete them here:

{link}

You get this mail once a day at most.
)"},
    {"join-confirm", "Please confirm: a mailing list",
     R"(Hello,

somebody, probably you, asked to put this address on the mailing list

{mailbox}

If it was you, confirm it here, by the button on the page:

{link}

or send any answer to this mail, which goes to

{mailbox}

Both work once, until {time}. If it was not you, do
nothing: then nothing happens.
)"},
    {"leave-confirm", "Please confirm: leave a mailing list",
     R"(Hello,

somebody, probably you, asked to take this address off the mailing list

{mailbox}

If it was you, confirm it here, by the button on the page:

{link}

or send any answer to this mail, which goes to

{mailbox}

Both work once, until {time}. If it was not you, do
nothing: then nothing happens.
)"},
    {"address-confirm", "Please confirm: another address on a mailing list",
     R"(Hello,

a member of the mailing list

{mailbox}

asked that another address takes the place of one. Yours is one of the two, and
both have to confirm it. Which they are, and a button, stands here:

{link}

It works until {time}. If it was not you, do nothing:
then nothing happens.
)"},
    {"list-invitation", "You are invited to a mailing list",
     R"(Hello,

the people who look after the mailing list

{mailbox}

invite you to it. What it is, and a button to accept or to refuse, stands here:

{link}

It works once, until {time}. If you do nothing, nothing
happens.
)"},
    {"joined", "You are on a mailing list now",
     R"(Hello,

this address is now on the mailing list

{mailbox}

How to write to it, how to leave it and what else you can set stands here:

{link}
)"},
    {"joined-without-key", "You are on a secure mailing list now",
     R"(Hello,

this address is now on the secure mailing list

{mailbox}

Its messages leave encrypted or not at all, and there is nothing yet by which
they could be protected for you: until there is, you get none. To get them,
send a mail with your S/MIME certificate or OpenPGP key attached, or a signed
mail, to

{mailbox}

or give it on a page. How, and what else you can set, stands here:

{link}
)"},
    {"left", "You are off a mailing list now",
     R"(Hello,

this address is not on this mailing list any more:

{mailbox}
)"},
    {"request-refused", "Your request to a mailing list",
     R"(Hello,

what you asked of the mailing list

{mailbox}

was not granted. If a reason was given, it stands here:

{link}
)"},
    {"requests-waiting", "People wait for your decision on a mailing list",
     R"(Hello,

people who asked to join or to leave lists that you look after: {number}

Decide on them here:

{link}

You get this mail every four hours at most.
)"},
    {"list-help", "How to use a mailing list",
     R"(Hello,

a mail from this address asked for help with the mailing list

{mailbox}

Commands go to

{mailbox}

as the subject or as lines of the text:

join          put the address that the mail comes from on the list
leave         take it off the list
confirm CODE  confirm what was asked for, by the code of our mail
set           get a link to the settings of your membership
info          get a link to what the list says of itself
key           get the public keys of the list, if it gives them
end           read no further

More stands here:

{link}
)"},
    {"member-link", "Your membership of a mailing list",
     R"(Hello,

the settings of your membership of the mailing list

{mailbox}

are here, if you are on it, until {time}:

{link}

If you did not ask for this, do nothing.
)"},
};

}  // namespace

std::span<const MailText> englishTexts() {
  return Texts;
}

}  // namespace postern::app
